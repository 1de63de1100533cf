"""Makes a library that puts one allocator under a Python interpreter."""

load("@rules_cc//cc:defs.bzl", "cc_binary")

# As the tracer's: nothing of C++ at run time, a few bytes of thread-local
# memory in the static block.
PRELOAD_COPTS = [
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-fno-asynchronous-unwind-tables",
    "-fno-builtin-malloc",
    "-fno-builtin-calloc",
    # Each call of an allocator would pay for it; CPython's do not.
    "-fomit-frame-pointer",
    "-fvisibility=hidden",
    "-ftls-model=initial-exec",
]

def preload_library(name, src, exports = "exports.lds", deps = []):
    """Defines :libarenalab_NAME.so.

    Args:
      name: what the user types after --allocator.
      src: the file that defines `underlay` (underlay.h).
      exports: a version script with what it interposes.
      deps: the library that has the allocator.
    """
    cc_binary(
        name = "libarenalab_%s.so" % name,
        srcs = [src],
        copts = PRELOAD_COPTS,
        linkopts = [
            "-Wl,--as-needed",
            "-Wl,--version-script=$(location %s)" % exports,
            "-Wl,-z,now",
            "-Wl,-z,defs",
            # gold shows what an archive marks as exported, whatever the script says.
            "-Wl,--exclude-libs,ALL",
            # The dynamic linker takes this for a wish. Among the other libraries
            # ours would shift what is mapped after it, and with that the arenas:
            # their bases modulo the pool size decide how many pools they have.
            "-Wl,-Ttext-segment=0x300000000000",
            "-static-libgcc",
        ],
        linkshared = 1,
        linkstatic = 1,
        tags = ["own_malloc"],
        visibility = ["//visibility:public"],
        deps = deps + [
            exports,
            "//allocators/interpreter",
            "//allocators/preload:installer",
        ],
    )

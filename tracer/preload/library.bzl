"""The preload library, and its variants by definitions of the preprocessor."""

load("@rules_cc//cc:defs.bzl", "cc_binary")

def preload_library(name, **others):
    cc_binary(
        name = name,
        srcs = [
            "attribution.h",
            "call_site.cc",
            "constructor.cc",
            "libc_hooks.cc",
            "object_type.cc",
            "python_hooks.cc",
            "python_hooks.h",
            "recorder.cc",
            "recorder.h",
        ],
        copts = [
            "-fno-exceptions",
            "-fno-rtti",
            "-fno-threadsafe-statics",
            "-fno-asynchronous-unwind-tables",
            "-fno-builtin-malloc",
            "-fno-builtin-calloc",
            "-fvisibility=hidden",
            "-ftls-model=initial-exec",
        ],
        linkopts = [
            "-Wl,--as-needed",
            "-Wl,--version-script=$(location exports.lds)",
            "-Wl,-z,now",
            "-Wl,-z,defs",
        ],
        linkshared = 1,
        tags = ["own_malloc"],
        deps = [
            "exports.lds",
            "//allocators/interpreter",
            "//tracer:event",
            "//tracer/object:type_object",
            "//tracer/ring",
        ],
        **others
    )

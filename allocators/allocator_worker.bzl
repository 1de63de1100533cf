"""Makes a replay worker and its contract test for one allocator.

The calls of this macro in allocators/BUILD are the registry: the command line
offers the workers it finds beside itself. Each allocator gets a program of its
own because linking jemalloc or mimalloc replaces the whole program's malloc.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_test")

# No libstdc++: its start-up allocates before main(). Bazel's link line names
# it; --as-needed leaves it out because nothing asks for it. The clock must be
# seen by shared libraries, also by one that is preloaded.
_WORKER_LINKOPTS = [
    "-Wl,--as-needed",
    "-static-libgcc",
    "-Wl,--export-dynamic-symbol=clock_gettime",
    "-Wl,--export-dynamic-symbol=gettimeofday",
    "-Wl,--export-dynamic-symbol=time",
    "-ldl",
]

_WORKER_COPTS = [
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
]

def allocator_worker(
        name,
        header,
        deps,
        heap = None,
        visit = None,
        contract_settings = [""],
        tags = []):
    """Defines :replay_worker_NAME, :thread_worker_NAME, :bench_NAME and
    :contract_test_NAME.

    Args:
      name: what the user types after -a.
      header: the header of the heap, relative to the root.
      deps: the library that has it.
      heap: its type, in namespace arenalab; or
      visit: a function that picks the type by the settings (one_heap.h).
      contract_settings: the contract test runs once with each of these.
      tags: "own_malloc" if deps bring a malloc of their own.
    """
    if (heap == None) == (visit == None):
        fail("allocator_worker(%s): either heap or visit" % name)
    visit_heap = visit or "VisitOneHeap<::arenalab::%s>" % heap
    defines = [
        "ARENALAB_HEAP_HEADER='\"%s\"'" % header,
        "'ARENALAB_VISIT_HEAP=::arenalab::%s'" % visit_heap,
    ]
    cc_binary(
        name = "replay_worker_" + name,
        srcs = [
            "//tools/replay:worker_entry.cc",
            "//tools/replay:worker_main.cc",
        ],
        copts = _WORKER_COPTS + ["-D" + define for define in defines],
        linkopts = _WORKER_LINKOPTS,
        tags = tags,
        deps = deps + [
            "//tools/replay:worker",
        ],
    )
    cc_binary(
        name = "thread_worker_" + name,
        srcs = ["//tools/threads:worker_main.cc"],
        copts = _WORKER_COPTS + ["-D" + define for define in defines],
        linkopts = _WORKER_LINKOPTS,
        tags = tags,
        deps = deps + [
            "//tools/threads:worker",
        ],
    )
    cc_binary(
        name = "bench_" + name,
        srcs = ["//tools/bench:heap_program.cc"],
        copts = ["-D" + define for define in defines],
        tags = tags,
        deps = deps + [
            "//allocators:one_heap",
            "//tools/bench:bench_main",
            "//tools/bench:heap_calls",
        ],
    )
    cc_test(
        name = "contract_test_" + name,
        size = "small",
        srcs = ["//tests/allocators:contract_test.cc"],
        copts = ["-D" + define for define in defines] + [
            "'-DARENALAB_CONTRACT_SETTINGS=\"%s\"'" % ";".join(contract_settings),
        ],
        linkstatic = True,
        tags = tags,
        deps = deps + [
            "//allocators:one_heap",
            "@debian//:gtest_main",
        ],
    )

def preloaded_worker(name, header, visit, entry, exports, deps):
    """Defines :replay_worker_NAME.so: a worker inside another program.

    Its name has a dot, so the command line does not take it for an allocator's
    program; whoever knows the program to preload it into finds it beside those.

    Args:
      name: the allocator's.
      header, visit: as for allocator_worker().
      entry: the source that takes the program's place.
      exports: a version script with what it interposes.
      deps: the library that has the heap.
    """
    cc_binary(
        name = "replay_worker_%s.so" % name,
        srcs = [
            entry,
            "//tools/replay:worker_main.cc",
        ],
        copts = _WORKER_COPTS + [
            "-fvisibility=hidden",
            "-DARENALAB_HEAP_HEADER='\"%s\"'" % header,
            "'-DARENALAB_VISIT_HEAP=::arenalab::%s'" % visit,
        ],
        linkopts = [
            "-Wl,--as-needed",
            "-Wl,--version-script=$(location %s)" % exports,
            "-Wl,-z,now",
            "-Wl,-z,defs",
            "-static-libgcc",
            "-ldl",
        ],
        linkshared = True,
        tags = ["own_malloc"],
        deps = deps + [
            exports,
            "//tools/replay:worker",
        ],
    )

def all_workers(name):
    """A filegroup of every worker defined above its call in this package."""
    native.filegroup(
        name = name,
        srcs = [
            ":" + rule
            for rule in native.existing_rules()
            if rule.split("_")[0] in ["replay", "thread", "bench"]
        ],
        tags = ["own_malloc"],
    )

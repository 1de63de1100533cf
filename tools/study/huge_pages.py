#!/usr/bin/env python3
"""Arenas in huge pages: resident bytes and page faults of real runs.

    tools/study/huge_pages.py [--python VERSION]       two minutes on two cores

Each workload runs at a fifth of its size in four ways: on the interpreter's own
1 MiB arenas, on these with MADV_HUGEPAGE, on the clone with 2 MiB arenas (as 3.15 has
them where it is built for huge pages), and on these with MADV_HUGEPAGE. huge_arenas.c,
preloaded, does the advice. After the program has ended, and in phase_shift at its last
valley, the process reads its own counters. Writes huge_pages.json into
workloads/study/, a row a workload and way. Kernels differ: `thp` says how this one
was set.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import exactness
import interpreters
import raw_results

WORKLOADS = ["phase_shift", "class_trees", "lru_cache", "json_round_trips", "strings"]
# Name, allocator of `arenalab exec` or None, arena bytes, advice.
WAYS = [
    ("1 MiB arenas", None, 1 << 20, False),
    ("1 MiB arenas, MADV_HUGEPAGE", None, 1 << 20, True),
    ("2 MiB arenas", "pymalloc{arena_bytes:2097152}", 2 << 20, False),
    ("2 MiB arenas, MADV_HUGEPAGE", "pymalloc{arena_bytes:2097152}", 2 << 20, True),
]
# The program as it is, which says at its last sleep and at its end what it weighs.
_DRIVER = """\
import json, resource, runpy, sys, time
def weigh(moment):
    with open("/proc/self/smaps_rollup") as file:
        kib = {line.split(":")[0]: int(line.split()[1]) for line in file if line.endswith("kB\\n")}
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    found[moment] = {"anonymous": kib["Anonymous"] << 10, "huge": kib["AnonHugePages"] << 10,
                     "most_rss": int(status["VmHWM"].split()[0]) << 10,
                     "minor_faults": resource.getrusage(resource.RUSAGE_SELF).ru_minflt}
found = {}
time.sleep = lambda seconds: weigh("last_valley")
path, out = sys.argv[1], sys.argv[2]
sys.argv[:] = [path] + sys.argv[3:]
sys.path.insert(0, path.rpartition("/")[0])
runpy.run_path(path, run_name="__main__")
weigh("end")
with open(out, "w") as file:
    json.dump(found, file)
"""


def measure(python, name, way, library):
    label, allocator, arena_bytes, advised = way
    size = max(1, exactness.default_size(name) // 5)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "found.json")
        program = [python, "-c", _DRIVER, raw_results.workload(name), out, "--size", str(size)]
        environment = dict(os.environ, PYTHONHASHSEED="0")
        if advised:  # `exec` puts its own library beside this one
            environment.update(ARENA_BYTES=str(arena_bytes), LD_PRELOAD=library)
        if allocator:
            program = [raw_results.ARENALAB, "exec", "-a", allocator, "--"] + program
        subprocess.run(program, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       env=environment)
        with open(out) as file:
            found = json.load(file)
    return {"workload": name, "size": size, "way": label,
            # Only phase_shift sleeps where it is at a valley.
            "last_valley": found.get("last_valley") if name == "phase_shift" else None,
            "end": found["end"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", metavar="VERSION", help="default: the newest found")
    arguments = parser.parse_args()
    found = interpreters.interpreters()
    version = arguments.python or list(found)[-1]
    with open("/sys/kernel/mm/transparent_hugepage/enabled") as file:
        thp = file.read().strip()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        library = os.path.join(folder, "huge_arenas.so")
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, os.path.join(
            raw_results.ROOT, "tools/study/huge_arenas.c")], check=True)
        for name in WORKLOADS:
            for way in WAYS:
                rows.append(dict(measure(found[version], name, way, library), python=version,
                                 thp=thp))
                sys.stderr.write("%(workload)s, %(way)s: %(end)s\n" % rows[-1])
    raw_results.write("huge_pages", rows)


if __name__ == "__main__":
    main()

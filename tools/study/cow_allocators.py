#!/usr/bin/env python3
"""What forked children write on other allocators: `arenalab cow -- arenalab exec ...`.

    tools/study/cow_allocators.py [--python VERSION] [PROGRAM [ARGUMENT ...]]

The default is workloads/prefork.py at a fifth of its size, on the interpreter as it is
and on each allocator. Causes are known of pymalloc's arenas only; memory is known of
all. Writes cow_allocators.json into workloads/study/, a row an allocator.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import interpreters
import raw_results

DEFAULT = [raw_results.workload("prefork"), "--size", "20000"]
ALLOCATORS = (None, "pymalloc", "pymalloc{pool_bytes:2048,arena_bytes:262144}", "mimalloc",
              "jemalloc", "system")


def measure(python, allocator, program):
    command = [python] + program
    if allocator:
        command = [raw_results.ARENALAB, "exec", "-a", allocator, "--"] + command
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "cow.json")
        done = subprocess.run([raw_results.ARENALAB, "cow", "--json", out, "--"] + command,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, universal_newlines=True)
        if done.returncode != 0:
            sys.exit("cow_allocators: %s: %s" % (allocator, done.stderr[-400:]))
        with open(out) as file:
            children = json.load(file)["children"]
    # The launcher of arenalab, a shell script, forks too.
    last = [child["samples"][-1] for child in children
            if child["samples"] and child["command"].startswith(python)]
    return {"allocator": allocator or "as it is", "children": len(last),
            **{key: statistics.median(sample[key] for sample in last) for key in (
                "rss_bytes", "pss_bytes", "private_bytes", "private_dirty_bytes", "shared_bytes")}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", metavar="VERSION", help="default: the newest found")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    found = interpreters.interpreters()
    version = arguments.python or list(found)[-1]
    rows = []
    for allocator in ALLOCATORS:
        rows.append(dict(measure(found[version], allocator, arguments.program or DEFAULT),
                         python=version))
        sys.stderr.write("%s\n" % rows[-1])
    raw_results.write("cow_allocators", rows)


if __name__ == "__main__":
    main()

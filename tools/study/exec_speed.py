#!/usr/bin/env python3
"""Python's speed and memory on each allocator, side by side.

    tools/study/exec_speed.py [--rounds N] [--size-percent P] [--python VERSION] [WORKLOAD...]

Each workload runs in interleaved rounds as it is (twice: the A/A arm), through the
pass-through, on the clone of its own generation and on mimalloc, jemalloc and the
C library's malloc (`arenalab exec --json`). Writes exec_speed.json beside the other raw results:
one row a workload, interpreter and allocator, medians of the rounds. Measure on a
quiet machine.
"""
import argparse
import json
import os
import subprocess
import sys

import exactness
import interpreters
import prediction
import raw_results

ALLOCATORS = "native,pass-through,pymalloc,mimalloc,jemalloc,system"


def measure(version, python, name, percent, rounds):
    size = max(1, exactness.default_size(name) * percent // 100)
    said = subprocess.run(
        [raw_results.ARENALAB, "exec", "-a", ALLOCATORS, "--rounds", str(rounds), "--json", "--",
         python, raw_results.workload(name), "--size", str(size)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(os.environ, PYTHONHASHSEED="0"),
        universal_newlines=True, check=True).stdout
    table = json.loads(said)
    for arm in table["arms"]:
        yield {"workload": name, "size": size, "python": version, "allocator": arm["name"],
               "rounds": rounds, "cpu_ratio": arm["cpu_ratio"],
               "again_cpu_ratio": table["again_cpu_ratio"], "median": arm["median"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--size-percent", type=int, default=100, metavar="P")
    parser.add_argument("--python", action="append", metavar="VERSION",
                        help="default: the newest, and Debian's")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    arguments = parser.parse_args()
    found = interpreters.interpreters()
    wanted = arguments.python or [
        version for version, path in found.items()
        if version == list(found)[-1] or path.startswith("/usr/bin/")]
    rows = []
    for version in wanted:
        for name in arguments.workloads or prediction.WORKLOADS:
            if not exactness.applies(version, found[version], name):
                continue
            for row in measure(version, found[version], name, arguments.size_percent,
                               arguments.rounds):
                rows.append(row)
                sys.stderr.write("%s %-18s %-12s CPU %.3f [%.3f-%.3f]\n" % (
                    row["python"], row["workload"], row["allocator"], *row["cpu_ratio"]))
    raw_results.write("exec_speed", rows)


if __name__ == "__main__":
    main()

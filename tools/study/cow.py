#!/usr/bin/env python3
"""What forked children copy, on every interpreter found, with and without
gc.freeze() before the forks.

    tools/study/cow.py [PROGRAM [ARGUMENT ...]]

The default is workloads/prefork.py at a fifth of its size. Writes
workloads/study/cow.json, a row a run: `sum` of `arenalab cow --json` over all
children, and the median of their written memory at the end.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

import interpreters
import raw_results

DEFAULT = [raw_results.workload("prefork"), "--size", "20000"]


def measure(version, path, program, freeze):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "cow.json")
        command = [raw_results.ARENALAB, "cow", "--json", out]
        command += ["--gc-freeze"] if freeze else []
        done = subprocess.run(command + ["--", path] + program, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, universal_newlines=True)
        if done.returncode != 0:
            sys.exit("cow: %s: %s" % (path, done.stderr))
        with open(out) as file:
            found = json.load(file)
    dirty = [child["samples"][-1]["private_dirty_bytes"] for child in found["children"]]
    total = found["sum"]
    return {"python": version, "program": os.path.basename(program[0]), "gc_freeze": freeze,
            "children": len(dirty), "private_dirty_bytes_median": statistics.median(dirty),
            "frames_seen": found["frames_seen"], "pages_at_fork": total["pages_at_fork"],
            "copied": total["copied"], "by_cause": total["by_cause"],
            "by_block_bytes": total["by_block_bytes"], "by_type": total["by_type"][:12]}


def main():
    program = sys.argv[1:] or DEFAULT
    rows = []
    for version, path in interpreters.interpreters().items():
        for freeze in (False, True):
            if freeze and tuple(map(int, version.split(".")[:2])) < (3, 7):
                continue
            rows.append(measure(version, path, program, freeze))
            print("%(python)-8s freeze %(gc_freeze)-5s children %(children)d  copied %(copied)6d of "
                  "%(pages_at_fork)7d pages  %(by_cause)s" % rows[-1], flush=True)
    raw_results.write("cow", rows)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Records workloads on every interpreter and verifies each address.

    tools/study/exactness.py [--size-percent P] [WORKLOAD...]

Writes workloads/study/exactness.json: one row for each process recorded, with
what `arenalab verify --json` says of it. Every process of a run is verified,
children of forks too. P scales each workload's default size.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import interpreters
import raw_results

KEYS = ("requests", "served", "compared", "mismatches", "status", "geometry", "reason")


def default_size(name):
    """The default of a workload's --size, from its own source."""
    with open(raw_results.workload(name)) as file:
        return int(re.search(r'"--size", type=int, default=(\d+)', file.read()).group(1))


def verified(trace):
    """What verify says of one trace; it may say `mismatch`, that is a result."""
    answer = subprocess.run([raw_results.ARENALAB, "verify", "--json", trace],
                            stdout=subprocess.PIPE, universal_newlines=True)
    try:
        said = json.loads(answer.stdout)
    except ValueError:
        return {"status": "no answer, exit status %d" % answer.returncode}
    return {key: said.get(key) for key in KEYS}


def measure(version, python, name, percent):
    """Rows of one run: its first process, then those forked from it."""
    size = max(1, default_size(name) * percent // 100)
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "run.trace")
        subprocess.run([raw_results.ARENALAB, "record", "-o", trace, "--", python,
                        raw_results.workload(name), "--size", str(size)],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        children = sorted(set(glob.glob(os.path.join(folder, "*.trace"))) - {trace})
        for place, path in enumerate([trace] + children):
            row = {"python": version, "workload": name, "size": size,
                   "process": "first" if place == 0 else "child %d" % place}
            row.update(verified(path))
            yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size-percent", type=int, default=100, metavar="P")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    arguments = parser.parse_args()
    names = arguments.workloads or sorted(
        os.path.basename(path)[:-3] for path in glob.glob(raw_results.workload("*")))
    rows = []
    for version, python in interpreters.interpreters().items():
        for name in names:
            wanted = raw_results.APPLICATIONS.get(name)
            if wanted and not interpreters.has(python, wanted):
                continue
            for row in measure(version, python, name, arguments.size_percent):
                rows.append(row)
                sys.stderr.write("%(python)s %(workload)s %(process)s: %(status)s\n" % row)
    raw_results.write("exactness", rows)


if __name__ == "__main__":
    main()

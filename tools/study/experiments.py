#!/usr/bin/env python3
"""The experiments of `arenalab experiment`, on every interpreter found.

    tools/study/experiments.py [NAME ...]

The figures of each go into workloads/study/, a file `experiments_` and its name,
one row a measurement. `speed` and E6 also measure one recorded program. Takes some
minutes; on a machine that does other work meanwhile the times are noise.
"""
import argparse
import json
import os
import subprocess
import tempfile

import interpreters
import raw_results

NAMES = ("X1", "X2", "X3", "E6", "C1", "speed")
RECORDED = "json_round_trips"


def measure(name, folder):
    """The rows of one experiment."""
    out = os.path.join(folder, name + ".json")
    command = [raw_results.ARENALAB, "experiment", name, "--json", out]
    for path in interpreters.interpreters().values():
        command += ["--python", path]
    if name in ("E6", "speed"):
        command += ["--trace", record(folder)]
    subprocess.run(command, check=True)
    with open(out) as file:
        return json.load(file)["measured"]


def record(folder):
    """A recording of the program on the newest interpreter."""
    trace = os.path.join(folder, "run.trace")
    if not os.path.exists(trace):
        python = list(interpreters.interpreters().values())[-1]
        subprocess.run([raw_results.ARENALAB, "record", "-o", trace, "--", python,
                        raw_results.workload(RECORDED)],
                       check=True, stdout=subprocess.DEVNULL)
    return trace


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"which (all: {' '.join(NAMES)})")
    names = parser.parse_args().names or NAMES
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        parser.error(f"no experiment is called {unknown[0]}: {' '.join(NAMES)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            raw_results.write("experiments_" + name, measure(name, folder))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""One program in 1, 2, 4 and 8 workers of each model, on every interpreter found.

    tools/study/workers.py [--rounds N]

Writes workers.json into workloads/study/, a row an interpreter, a model and a number of
workers; medians over the rounds. Times want a quiet machine; memory does not.
"""
import argparse
import json
import os
import subprocess
import tempfile

import interpreters
import raw_results

PROGRAM = [raw_results.workload("json_round_trips"), "--size", "1000"]


def measure(version, path, rounds):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "workers.json")
        subprocess.run([raw_results.ARENALAB, "workers", "--json", out, "--rounds", str(rounds),
                        "--", path] + PROGRAM, check=True)
        with open(out) as file:
            rows = json.load(file)["rows"]
    return [dict(python=version, program="json_round_trips", rounds=rounds, **row)
            for row in rows]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(5)")
    rounds = parser.parse_args().rounds
    rows = []
    for version, path in interpreters.interpreters().items():
        rows += measure(version, path, rounds)
    raw_results.write("workers", rows)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Replays a workload on every allocator and keeps what each holds.

    tools/study/memory.py [--python VERSION] [--size N] [WORKLOAD...]

Writes workloads/study/memory.json: one row for each workload, with the limits
and each allocator's summary at the peak, the last valley and the end, in bytes,
as results.json has them (tools/replay/RESULTS.md).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import interpreters
import raw_results

NAMES = ["phase_shift", "lru_cache", "json_round_trips"]


def at_last_valley(results, series):
    sample = results["moments"]["last_valley"]
    return None if sample is None or series is None else series[sample]


def row_of(name, command, results):
    """What the tables need of one results file."""
    limits = results["limits"]
    return {
        "workload": name, "command": command, "python": results["trace"]["python"],
        "requests": results["trace"]["requests"], "options": results["options"],
        "requested_at_last_valley": at_last_valley(
            results, results["timeline"]["requested_bytes"]),
        "small_at_last_valley": at_last_valley(
            results, results["timeline"]["requested_small_bytes"]),
        "limits_at_last_valley": {key: at_last_valley(results, series)
                                  for key, series in limits.items() if isinstance(series, list)},
        "allocators": [{"name": allocator["name"], "version": allocator["version"],
                        "summary": allocator["summary"]}
                       for allocator in results["allocators"]],
    }


def measure(python, name, size):
    command = ["python3", "workloads/%s.py" % name] + (["--size", str(size)] if size else [])
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "run.trace")
        output = os.path.join(folder, "run.json")
        program = [python, raw_results.workload(name)] + command[2:]
        for step in (["record", "-o", trace, "--"] + program,
                     ["replay", trace, "--repetitions", "0", "-o", output]):
            subprocess.run([raw_results.ARENALAB] + step, check=True,
                           stdout=subprocess.DEVNULL)
        with open(output) as file:
            return row_of(name, " ".join(command), json.load(file))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", metavar="VERSION", help="default: the newest found")
    parser.add_argument("--size", type=int, metavar="N")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    arguments = parser.parse_args()
    found = interpreters.interpreters()
    version = arguments.python or list(found)[-1]
    if version not in found:
        sys.exit("memory.py: no Python %s here, only %s" % (version, ", ".join(found)))
    raw_results.write("memory", [measure(found[version], name, arguments.size)
                                 for name in arguments.workloads or NAMES])


if __name__ == "__main__":
    main()

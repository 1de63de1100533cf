#!/usr/bin/env python3
"""Times workloads with and without the tracer.

    tools/study/tracer_cost.py [--pairs N] [--cores LIST] [--python VERSION] [WORKLOAD...]

Writes tracer_cost.json in workloads/study/: one row for each workload and
interpreter with the wall times, in seconds, of N rounds. A round is two runs of
the command alone and one of `arenalab record -- COMMAND`, in random order, one
straight after the other; what is timed is what a user waits for, from start to
the finished trace. The ratio of a row is the median of its rounds' ratios; the
second run alone over the first is the A/A arm, the noise that a ratio has to
stand out from. One extra round, first and not kept, warms the caches.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import interpreters
import raw_results

NAMES = ["json_round_trips", "class_trees", "strings", "source_to_ast"]


def seconds(command):
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - began


def events_of(trace):
    """How many events the trace holds, as `trace info` counts them."""
    said = subprocess.run([raw_results.ARENALAB, "trace", "info", "--json", trace], check=True,
                          stdout=subprocess.PIPE, universal_newlines=True).stdout
    return json.loads(said)["events"]


def measure(version, python, name, pairs, rng):
    bare = [python, raw_results.workload(name)]
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "run.trace")
        traced = [raw_results.ARENALAB, "record", "-f", "-o", trace, "--"] + bare
        times = {"bare_s": [], "again_s": [], "traced_s": []}
        arms = [("bare_s", bare), ("again_s", bare), ("traced_s", traced)]
        for pair in range(pairs + 1):
            rng.shuffle(arms)
            for arm, command in arms:
                spent = seconds(command)
                if pair > 0:
                    times[arm].append(round(spent, 4))
        return dict(python=version, workload=name, events=events_of(trace),
                    trace_bytes=os.path.getsize(trace), **times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=5, metavar="N")
    parser.add_argument("--cores", metavar="LIST", help="such as 0,1; default all")
    parser.add_argument("--python", action="append", metavar="VERSION", help="default: all")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    arguments = parser.parse_args()
    if arguments.cores:
        os.sched_setaffinity(0, {int(core) for core in arguments.cores.split(",")})
    rng, rows = random.Random(0), []
    for version, python in interpreters.interpreters().items():
        if arguments.python and version not in arguments.python:
            continue
        for name in arguments.workloads or NAMES:
            rows.append(measure(version, python, name, arguments.pairs, rng))
            sys.stderr.write("%s %s\n" % (version, name))
    raw_results.write("tracer_cost", rows)


if __name__ == "__main__":
    main()

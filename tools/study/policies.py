#!/usr/bin/env python3
"""Policies of pymalloc that CPython does not have, under a real interpreter.

    tools/study/policies.py [--size-percent P] [--python VERSION] [--instructions]
                            [WORKLOAD...]

Each workload is recorded once, to know at which request its small requests are at
their peak and at their last valley. Then it runs on each policy by `arenalab exec`
and the kernel is asked there. With --instructions it also runs under callgrind at a
twentieth of the size: instructions do not depend on how busy the machine is.
Writes policies.json beside the other raw results: one row a workload and policy; `held` is what
the policy's process weighs without what is not pymalloc's (the native process minus
the clone's replay), `live` the bytes requested and not freed, small requests only.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

import exactness
import interpreters
import prediction
import raw_results

WORKLOADS = ["phase_shift", "lru_cache", "class_trees", "source_to_ast", "json_round_trips",
             "strings"]
POLICIES = [
    "pymalloc",
    "pymalloc{cpython-3.9}",
    "pymalloc{madvise_free_pools:1}",
    "pymalloc{arena_choice:address}",
    "pymalloc{arena_choice:address,madvise_free_pools:1}",
    "pymalloc{keep_arenas:4}",
    "pymalloc{free_list:address,pool_choice:fullest}",
    "pymalloc{free_list:address,pool_choice:address,arena_choice:address,madvise_free_pools:1}",
    "pymalloc{pool_bytes:4096,arena_bytes:262144,arena_choice:address}",
    "pymalloc{pool_bytes:2048,arena_bytes:262144}",
    "pymalloc{pool_bytes:4096,arena_bytes:262144,keep_arenas:0,arena_choice:address,"
    "pool_choice:fullest,free_list:address}",
]


def instructions(program, allocator):
    """What callgrind counts in one run; allocator None: as it is."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"] + program
    if allocator:
        command = [raw_results.ARENALAB, "exec", "-a", allocator, "--"] + command
    said = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, env=prediction.ENVIRONMENT,
                          universal_newlines=True, timeout=1200).stderr
    return int(re.search(r"Collected : (\d+)", said).group(1))


def measure(version, python, name, percent, count):
    size = max(1, exactness.default_size(name) * percent // 100)
    program = [python, raw_results.workload(name), "--size", str(size)]
    small = [python, raw_results.workload(name), "--size", str(max(1, size // 20))]
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "run.trace")
        output = os.path.join(folder, "run.json")
        prediction.quietly([raw_results.ARENALAB, "record", "-o", trace, "--"] + program)
        prediction.quietly([raw_results.ARENALAB, "replay", trace, "--repetitions", "0", "-a",
                            "pymalloc", "-o", output])
        with open(output) as file:
            results = json.load(file)
        samples = {moment: results["moments"][moment] for moment in prediction.MOMENTS
                   if results["moments"][moment] is not None}
        states = prediction.state_requests(
            trace, [results["timeline"]["request"][sample] for sample in samples.values()])
    at = {moment: max(1, states[results["timeline"]["request"][sample]])
          for moment, sample in samples.items()}
    replayed = results["allocators"][0]["rss_bytes"]
    live = results["timeline"]["requested_small_bytes"]
    native, _ = prediction.measured(program, "pass-through", set(at.values()))
    base = instructions(small, None) if count else None
    for policy in POLICIES:
        really, faults = prediction.measured(program, policy, set(at.values()))
        row = {"workload": name, "size": size, "python": version, "policy": policy,
               "minor_faults": faults}
        for moment, sample in samples.items():
            rest = native[str(at[moment])] - replayed[sample]
            row[moment] = {"process": really[str(at[moment])],
                           "held": really[str(at[moment])] - rest, "live": live[sample],
                           "native_process": native[str(at[moment])]}
        if count:
            row["instructions"] = instructions(small, policy)
            row["native_instructions"] = base
        yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size-percent", type=int, default=100, metavar="P")
    parser.add_argument("--python", metavar="VERSION", help="default: the newest found")
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    arguments = parser.parse_args()
    found = interpreters.interpreters()
    version = arguments.python or list(found)[-1]
    rows = []
    for name in arguments.workloads or WORKLOADS:
        for row in measure(version, found[version], name, arguments.size_percent,
                           arguments.instructions):
            rows.append(row)
            valley = row.get("last_valley", row["peak"])
            sys.stderr.write("%-18s %-70s %7.1f MiB %5.1f x live%s\n" % (
                row["workload"], row["policy"], valley["held"] / 2 ** 20,
                valley["held"] / valley["live"],
                "  instructions %.3f" % (row["instructions"] / row["native_instructions"])
                if arguments.instructions else ""))
    raw_results.write("policies", rows)


if __name__ == "__main__":
    main()

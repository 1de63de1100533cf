#!/usr/bin/env python3
"""The corpus on every allocator: whose memory it is, and how far from the limits.

    tools/study/replays.py [TRACE ...]      some minutes on two cores

Writes replays.json into workloads/study/, a row a trace of workloads/corpus with
the figures of results.json (tools/replay/RESULTS.md) at its peak, last valley and
end, in bytes. Three replays a trace: Python's requests on every allocator; all of
the process's requests, for how much Python's are of them; and 3.9's 4 KiB pools, for
what meshing would leave of them.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

import raw_results

CORPUS = os.path.join(raw_results.ROOT, "workloads", "corpus")
MOMENTS = ("peak", "last_valley", "end")
ALLOCATORS = "pymalloc,mimalloc,jemalloc,system"
SERIES = ("held_bytes", "committed_bytes", "rss_bytes", "rss_recorded_bytes")


def replayed(trace, *words):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "run.json")
        subprocess.run([raw_results.ARENALAB, "replay", trace, "--repetitions", "0", "--samples",
                        "200", "-o", out, *words], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(out) as file:
            return json.load(file)


def at(series, sample):
    return None if series is None else series[sample]


def meshed(results, sample):
    mesh = results["limits"]["mesh"]
    number = mesh["samples"].index(sample)
    return {key: mesh[key][number] for key in ("pairs", "eights")}


def moment_of(moment, results, process, small_pools):
    sample = results["moments"][moment]
    if sample is None:
        return None
    other = process["moments"][moment]
    clone = results["allocators"][0]
    retention = clone["arenas"]["retention"][moment]
    return {
        "small": results["timeline"]["requested_small_bytes"][sample],
        "requested": results["timeline"]["requested_bytes"][sample],
        "process_requested": process["timeline"]["requested_bytes"][other],
        "process_rss": at(process["timeline"]["process_rss_bytes"], other),
        "waterfall": dict(zip(clone["waterfall"]["parts"], clone["waterfall"]["bytes"][sample])),
        "live_objects": results["timeline"]["live_objects"][sample],
        "retention": {key: retention[key] for key in (
            "arenas", "releasable", "blocks_for_half", "blocks_for_nine_tenths", "wait_requests")},
        "page_load": results["limits"]["page_load"][sample],
        "class_repack": results["limits"]["class_repack"][sample],
        "oracle": results["limits"]["oracle"]["by_lifetime"]["page_bytes"][sample],
        "mesh_16k": meshed(results, sample),
        "mesh_4k": meshed(small_pools, small_pools["moments"][moment]),
        "held_4k": small_pools["allocators"][0]["held_bytes"][small_pools["moments"][moment]],
        "allocators": {allocator["name"]: {key: at(allocator[key], sample) for key in SERIES}
                       for allocator in results["allocators"]},
    }


def measure(trace):
    results = replayed(trace, "-a", ALLOCATORS)
    process = replayed(trace, "-a", "pymalloc", "--scope", "process", "--no-oracle")
    small_pools = replayed(trace, "-a", "pymalloc", "--geometry", "cpython-3.9", "--no-oracle")
    row = {"trace": os.path.basename(trace)[:-len(".trace")],
           "python": results["trace"]["python"], "requests": results["trace"]["requests"]}
    for moment in MOMENTS:
        row[moment] = moment_of(moment, results, process, small_pools)
    return row


def main():
    traces = sys.argv[1:] or sorted(glob.glob(os.path.join(CORPUS, "*.trace")))
    rows = []
    for trace in traces:
        rows.append(measure(trace))
        sys.stderr.write(rows[-1]["trace"] + "\n")
    raw_results.write("replays", rows)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How far phase_shift is from what meshing, and giving back pages, would leave of it.

    tools/study/phase_shift_limits.py [--python VERSION]     a minute on two cores

The program is recorded at its full size and replayed with 16 KiB and with 4 KiB pools;
2 KiB ones are swept. Writes phase_shift_limits.json into workloads/study/, a row a
pool size, bytes at the last valley.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import interpreters
import raw_results
import replays

GENERATIONS = {16384: "cpython-3.11", 4096: "cpython-3.9"}


def limits(trace, pool_bytes, generation):
    results = replays.replayed(trace, "-a", "pymalloc", "--geometry", generation, "--no-oracle")
    sample = results["moments"]["last_valley"]
    clone = results["allocators"][0]
    pages = clone["arenas"]["pages"]["last_valley"]
    return {"pool_bytes": pool_bytes, "live": results["timeline"]["requested_small_bytes"][sample],
            "held": clone["held_bytes"][sample], "committed": clone["committed_bytes"][sample],
            "free_pages_committed": pages["free_pages_committed_bytes"],
            **replays.meshed(results, sample)}


def swept(trace, folder, live):
    out = os.path.join(folder, "sweep.json")
    subprocess.run([raw_results.ARENALAB, "sweep", trace, "--sweep", "pool_bytes=2048", "--sweep",
                    "arena_bytes=262144", "--json", out], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    with open(out) as file:
        row = next(row for row in json.load(file)["rows"] if "2048" in row["settings"])
    return {"pool_bytes": 2048, "live": live, "held": row["last_valley_held_bytes"],
            "committed": int(row["last_valley_committed_bytes"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", metavar="VERSION", help="default: the newest found")
    arguments = parser.parse_args()
    found = interpreters.interpreters()
    version = arguments.python or list(found)[-1]
    if version not in found:
        sys.exit("phase_shift_limits: no Python %s here, only %s" % (version, ", ".join(found)))
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "run.trace")
        subprocess.run([raw_results.ARENALAB, "record", "-o", trace, "--", found[version],
                        raw_results.workload("phase_shift")], check=True,
                       env=dict(os.environ, PYTHONHASHSEED="0"), stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        rows = [limits(trace, size, name) for size, name in GENERATIONS.items()]
        rows.append(swept(trace, folder, rows[0]["live"]))
    raw_results.write("phase_shift_limits", [dict(row, python=version) for row in rows])


if __name__ == "__main__":
    main()

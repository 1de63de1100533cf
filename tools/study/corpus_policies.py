#!/usr/bin/env python3
"""Every pymalloc that might have been, over the corpus: geometry, alignment, policies.

    tools/study/corpus_policies.py            a minute or two on two cores
    tools/study/corpus_policies.py --check    the same, and is it what was published?

Computed by `arenalab sweep`, nothing is timed: the figures are the same on every
machine. Writes corpus_policies.json into workloads/study/, a row a trace and a
setting, in bytes. --check writes nothing, prints the tables made from the new
figures and ends with status 1 where one figure differs from the published ones.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

import raw_results
import study_tables

CORPUS = os.path.join(raw_results.ROOT, "workloads", "corpus")
# Each a sweep; all settings start from the recorded generation, 3.11's.
SWEEPS = [
    ["alignment=8,16", "pool_bytes=4096,16384", "arena_bytes=262144,1048576"],
    ["pool_bytes=2048", "arena_bytes=262144"],
    ["arena_choice=address,recent,emptiest"],
    ["keep_arenas=0,4,16"],
    ["madvise_free_pools=1"],
    ["lanes=lifetime"],
    ["lanes=lifetime", "pool_bytes=4096", "arena_bytes=262144"],
]
KEPT = ("peak_committed_bytes", "last_valley_committed_bytes", "peak_held_bytes",
        "last_valley_held_bytes", "arenas_created", "arenas_released")


def measure():
    """{(trace, settings): row}; settings "" is the base."""
    found = {}
    # A forked worker's heap began in its parent: it is no heap of its own to vary.
    traces = sorted(path for path in glob.glob(os.path.join(CORPUS, "*.trace"))
                    if not path.endswith("_worker.trace"))
    with tempfile.TemporaryDirectory() as folder:
        for number, sweep in enumerate(SWEEPS):
            out = os.path.join(folder, "%d.json" % number)
            command = [raw_results.ARENALAB, "sweep", *traces, "--json", out]
            for key in sweep:
                command += ["--sweep", key]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            with open(out) as file:
                for row in json.load(file)["rows"]:
                    name = os.path.basename(traces[row["trace"]])[:-len(".trace")]
                    settings = row["settings"].partition(",")[2]
                    found[name, settings] = dict(
                        trace=name, settings=settings, **{key: int(row[key]) for key in KEPT})
    return list(found.values())


def check(rows):
    """Prints the tables; the exit status."""
    for table in (study_tables.pools_table, study_tables.alignment_table,
                  study_tables.policies_over_corpus_table):
        print(table({"rows": rows}))
    published = raw_results.read("corpus_policies")["rows"]
    differ = sum(row not in published for row in rows) + max(0, len(published) - len(rows))
    print("%d of %d rows are the published ones" % (len(rows) - differ, len(published)))
    return 1 if differ else 0


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    rows = measure()
    if sys.argv[1:]:
        sys.exit(check(rows))
    raw_results.write("corpus_policies", rows)


if __name__ == "__main__":
    main()

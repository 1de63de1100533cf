#!/usr/bin/env python3
"""The study, workloads/study/STUDY.md: measures its pieces, makes its tables.

    tools/study/study.py              everything, an hour or two on two quiet cores
    tools/study/study.py computed     only what is the same on every machine, two minutes
    tools/study/study.py NAME ...     these pieces; `list` names them

Each piece is a program of this folder that writes one raw result of the same name into
workloads/study/; afterwards `tables.py --write` puts the tables where they belong.
"""
import os
import subprocess
import sys

import raw_results

# Piece, its command, what it needs: the machine does not matter to what is computed;
# bytes and counts want the interpreters; times want a quiet machine besides.
PIECES = [
    ("corpus_policies", [], "computed"),
    ("replays", [], "bytes"),
    ("lifetimes", [], "bytes"),
    ("memory", ["--python", "3.12.1", "phase_shift", "class_trees", "source_to_ast"],
     "bytes"),
    ("phase_shift_held", [], "bytes"),
    ("phase_shift_limits", ["--python", "3.12.1"], "bytes"),
    ("policies", ["--size-percent", "40", "--python", "3.12.1", "--instructions", "phase_shift",
                  "lru_cache", "class_trees", "source_to_ast"], "bytes"),
    ("prediction", ["--size-percent", "40", "--python", "3.12.1"], "bytes"),
    ("huge_pages", ["--python", "3.12.1"], "bytes"),
    ("cow", [], "bytes"),
    ("cow_allocators", ["--python", "3.12.1"], "bytes"),
    ("experiments", ["C1"], "bytes"),
    ("gate", ["--kinds", "exact,command"], "bytes"),
    ("workers", [], "times"),
    ("gate", ["--kinds", "throughput"], "times"),
]


def main():
    wanted = sys.argv[1:]
    known = {name for name, _, _ in PIECES} | {need for _, _, need in PIECES}
    if wanted == ["list"]:
        for name, words, need in PIECES:
            print("%-9s tools/study/%s" % (need, " ".join([name + ".py"] + words)))
        return
    if not set(wanted) <= known:
        sys.exit("study: no piece %s; there are %s" % (
            ", ".join(sorted(set(wanted) - known)), ", ".join(sorted(known))))
    folder = os.path.join(raw_results.ROOT, "tools", "study")
    for name, words, need in PIECES:
        if not wanted or name in wanted or need in wanted:
            subprocess.run([os.path.join(folder, name + ".py")] + words, check=True)
    subprocess.run([os.path.join(folder, "tables.py"), "--write"], check=True,
                   stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()

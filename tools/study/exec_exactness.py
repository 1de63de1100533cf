#!/usr/bin/env python3
"""Holds the clone under a real interpreter against that interpreter's own pymalloc.

    tools/study/exec_exactness.py [--runs N] [--size-percent P] [--python VERSION] [PROGRAM...]

Each workload runs N times as it is and once on the clone of its generation,
both with address randomisation off, hash seed 0 and -s -S, and prints
sys._debugmallocstats() at its end. (Not -I: it ignores PYTHONHASHSEED, and then
3.7 to 3.9 do not agree with themselves.) Where the N runs agree, the clone's must
be the same text. Writes workloads/study/exec_exactness.json: one row a program and
interpreter. Exit status 1 where a text differs.

Before the run on the clone, `arenalab exec` looks where the interpreter's own
mappings end (tools/exec/frontier.h), so that arenas lie alike.
"""
import argparse
import glob
import os
import subprocess
import sys

import exactness
import interpreters
import raw_results

# Runs a program as __main__ and then prints the allocator's statistics.
_DRIVER = """\
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
sys._debugmallocstats()
"""
ENVIRONMENT = dict(os.environ, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")


def statistics(python, program, size, on_clone):
    """What _debugmallocstats printed, or None where the program failed."""
    command = [python, "-s", "-S", "-c", _DRIVER, raw_results.workload(program), "--size",
               str(size)]
    if on_clone:
        command = [raw_results.ARENALAB, "exec", "--stats-file", "/dev/null", "--"] + command
    done = subprocess.run(["setarch", "-R"] + command, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          universal_newlines=True, timeout=600)
    return done.stderr if done.returncode == 0 else None


def differing(one, other):
    """The lines of `other` that are not those of `one`."""
    return [line for line, was in zip(other.splitlines(), one.splitlines()) if line != was]


def measure(version, python, program, percent, runs):
    size = max(1, exactness.default_size(program) * percent // 100)
    native = [statistics(python, program, size, False) for _ in range(runs)]
    row = {"python": version, "program": program, "size": size, "runs": runs,
           "native_texts": len(set(native)), "equal": None, "differing": []}
    if native[0] is None:
        row["native_texts"] = 0
    elif len(set(native)) == 1:
        clone = statistics(python, program, size, True)
        row["equal"] = clone == native[0]
        row["differing"] = differing(native[0], clone or "")
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=10, metavar="N")
    parser.add_argument("--size-percent", type=int, default=10, metavar="P")
    parser.add_argument("--python", action="append", metavar="VERSION", help="default: all")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    arguments = parser.parse_args()
    names = arguments.programs or sorted(
        os.path.basename(path)[:-3] for path in glob.glob(raw_results.workload("*")))
    rows = []
    for version, python in interpreters.interpreters().items():
        if arguments.python and version not in arguments.python:
            continue
        for name in names:
            # -S hides what is installed beside the standard library.
            if name in raw_results.APPLICATIONS:
                continue
            row = measure(version, python, name, arguments.size_percent, arguments.runs)
            rows.append(row)
            sys.stderr.write("%s %-18s native runs %s; clone %s\n" % (
                version, name, "agree" if row["native_texts"] == 1 else
                "give %d texts" % row["native_texts"],
                {None: "not held against them", True: "equal", False: "DIFFERS: %s" % row["differing"]}[
                    row["equal"]]))
    raw_results.write("exec_exactness", rows)
    return 1 if any(row["equal"] is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

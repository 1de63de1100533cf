#!/usr/bin/env python3
"""Records programs on every interpreter and verifies each address.

    tools/study/exactness.py [--size-percent P] [--jobs N] [--python VERSION] [PROGRAM...]

Programs: each workload, at P percent of its default size; modules of CPython's
own regression suite, where it is installed; and, from 3.12 on, interpreters
with a pymalloc of their own. Writes workloads/study/exactness.json: one row a
run, with what `arenalab verify --run` says of all its processes. A regression
module runs three times, traced once: what became of each of its tests must not
depend on that; tests whose two untraced runs differ are listed and set aside.

Exit status 1 where an address or a test's outcome differs.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import interpreters
import raw_results
import regression_suite

ISOLATED = "isolated_interpreters"
LONGEST_RUN_S = 300
# The same for both arms: nothing of a run may depend on an earlier one.
ENVIRONMENT = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")


def default_size(name):
    """The default of a workload's --size, from its own source."""
    with open(raw_results.workload(name)) as file:
        return int(re.search(r'"--size", type=int, default=(\d+)', file.read()).group(1))


def objects(text):
    """The JSON objects that stand one after another in a text."""
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        yield value


def summed(reports):
    """One row's worth of the reports on a run's processes.

    What a child inherited was counted in its parent. A process that was started
    with PYTHONMALLOC or -X dev has no pymalloc, or not under the hooks, and counts
    as `other_allocator`.
    """
    why, covered = {}, 0
    for report in reports:
        if (report["reason"] or "").startswith("pymalloc was not beneath the hooks"):
            covered += 1
        elif report["status"] != "equal":
            reason = report["reason"] or report["status"]
            why[reason] = why.get(reason, 0) + 1
    return {"processes": len(reports), "other_allocator": covered, "not_equal": why,
            "requests": sum(report["requests"] for report in reports),
            "compared": sum(report["compared"] - report["inherited_compared"]
                            for report in reports),
            "states": max([report["states"] for report in reports] or [0]),
            "mismatches": sum(report["mismatches"] for report in reports),
            "geometry": reports[0]["geometry"] if reports else ""}


def run(command, folder):
    """Runs a program quietly in a folder of its own; its output is dropped."""
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          timeout=LONGEST_RUN_S).returncode


def verified(command):
    """Records a command, verifies the run."""
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "run.trace")
        work = os.path.join(folder, "work")
        os.mkdir(work)
        run([raw_results.ARENALAB, "record", "-o", trace, "--"] + command, work)
        said = subprocess.run([raw_results.ARENALAB, "verify", "--run", "--json", trace],
                              stdout=subprocess.PIPE, universal_newlines=True).stdout
        return summed(list(objects(said)))


def regression(python, version, module):
    """A regression module's row: its addresses and its tests' outcomes."""
    with tempfile.TemporaryDirectory() as folder:
        def outcomes(place):
            return os.path.join(folder, place)

        def command(place):
            return regression_suite.command(python, interpreters.number(version), module,
                                            outcomes(place), folder)
        row = verified(command("traced"))
        for place in ("first", "second"):
            work = os.path.join(folder, place + ".work")
            os.mkdir(work)
            run(command(place), work)
        row.update(regression_suite.compared(*(
            regression_suite.outcomes_in(outcomes(place))
            for place in ("traced", "first", "second"))))
        return row


def measure(version, python, name, percent):
    row = {"python": version, "program": name}
    try:
        if name in dict(regression_suite.MODULES):
            row.update(regression(python, version, name))
        elif name == ISOLATED:
            row.update(verified([python, os.path.join(raw_results.ROOT, "tools/study",
                                                      ISOLATED + ".py")]))
        else:
            row["size"] = max(1, default_size(name) * percent // 100)
            row.update(verified([python, raw_results.workload(name), "--size",
                                 str(row["size"])]))
    except subprocess.TimeoutExpired:
        row.update(summed([]), not_equal={"longer than %d s" % LONGEST_RUN_S: 1})
    return row


def applies(version, python, name):
    """Whether the interpreter has what the program needs."""
    if name == ISOLATED:
        return interpreters.number(version) >= (3, 12)
    if name in dict(regression_suite.MODULES):
        return regression_suite.installed(python, interpreters.number(version), name)
    wanted = raw_results.APPLICATIONS.get(name)
    return not wanted or interpreters.has(python, wanted)


def good(row):
    """Every address equal and every test's outcome as without the tracer."""
    return (row["compared"] > 0 and not row["not_equal"] and row["mismatches"] == 0
            and not row.get("changed"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size-percent", type=int, default=100, metavar="P")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="runs at a time")
    parser.add_argument("--python", action="append", metavar="VERSION", help="default: all")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    arguments = parser.parse_args()
    names = arguments.programs or sorted(
        os.path.basename(path)[:-3] for path in glob.glob(raw_results.workload("*"))) + [
            ISOLATED] + [module for module, _ in regression_suite.MODULES]
    found = interpreters.interpreters()
    rows = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        pending = [pool.submit(measure, version, python, name, arguments.size_percent)
                   for version, python in found.items()
                   if not arguments.python or version in arguments.python
                   for name in names if applies(version, python, name)]
        for run_of in pending:
            row = run_of.result()
            rows.append(row)
            sys.stderr.write("%s %-26s %4d processes %12d compared, %d differ%s\n" % (
                row["python"], row["program"], row["processes"], row["compared"],
                row["mismatches"], "" if good(row) else "  NOT GOOD: %s %s" % (
                    row["not_equal"], row.get("changed", ""))))
    raw_results.write("exactness", rows)
    return 0 if all(good(row) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

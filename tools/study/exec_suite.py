#!/usr/bin/env python3
"""CPython's own regression suite with Python on another allocator.

    tools/study/exec_suite.py [--allocator LIST] [--python VERSION] [MODULE...]

Each module runs twice as it is and once on each allocator: what became of each
of its tests must not depend on that; tests whose two runs as they are differ
are listed and set aside. Writes workloads/study/exec_suite.json: one row a
module, interpreter and allocator. Exit status 1 where a test's outcome differs.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import exactness
import interpreters
import raw_results
import regression_suite

ALLOCATORS = "pymalloc,mimalloc,jemalloc,system,pass-through"


def outcomes(python, version, module, allocator):
    """{test id: outcomes} of a module; allocator None: as it is."""
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "outcomes")
        work = os.path.join(folder, "work")
        os.mkdir(work)
        command = regression_suite.command(python, version, module, place, folder)
        if allocator:
            command = [raw_results.ARENALAB, "exec", "-a", allocator, "--"] + command
        try:
            exactness.run(command, work)
        except subprocess.TimeoutExpired:
            return {"the module": ["longer than %d s" % exactness.LONGEST_RUN_S]}
        return regression_suite.outcomes_in(place)


def measure(version, python, module, allocators):
    number = interpreters.number(version)
    first, second = (outcomes(python, number, module, None) for _ in range(2))
    for allocator in allocators:
        row = {"python": version, "module": module, "allocator": allocator}
        row.update(regression_suite.compared(outcomes(python, number, module, allocator),
                                             first, second))
        yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--allocator", default=ALLOCATORS, metavar="LIST", help=ALLOCATORS)
    parser.add_argument("--python", action="append", metavar="VERSION",
                        help="default: the newest, and Debian's")
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    arguments = parser.parse_args()
    found = interpreters.interpreters()
    wanted = arguments.python or [
        version for version, path in found.items()
        if version == list(found)[-1] or path.startswith("/usr/bin/")]
    # Beside the study's: what asks the interpreter about its allocator.
    regression_suite.MODULES.extend((name, []) for name in ("test_sys", "test_capi.test_mem")
                                    if name not in dict(regression_suite.MODULES))
    names = arguments.modules or [name for name, _ in regression_suite.MODULES]
    rows = []
    for version in wanted:
        for name in names:
            if not regression_suite.installed(found[version], interpreters.number(version), name):
                continue
            for row in measure(version, found[version], name, arguments.allocator.split(",")):
                rows.append(row)
                sys.stderr.write("%s %-26s %-12s %4d tests, %d differ%s\n" % (
                    row["python"], row["module"], row["allocator"], row["tests"],
                    len(row["changed"]), " " + ", ".join(row["changed"]) if row["changed"] else ""))
    raw_results.write("exec_suite", rows)
    return 1 if any(row["changed"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

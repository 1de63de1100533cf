"""Python on every allocator, anew: CPython's own suite, and the clone's statistics against the
interpreter's own. Writes their raw results and tables. Long; a part of `./tools/test --long`.
"""
import os
import sys
import unittest

import exec_exactness
import exec_suite
import raw_results
import tables
import xml_report

raw_results.ARENALAB = os.path.abspath("tools/cli/arenalab")

# They ask for pymalloc itself: its table, a count of its blocks over 0.
ABOUT_PYMALLOC = {"test_debugmallocstats", "test_getallocatedblocks"}


class Study(unittest.TestCase):

    def test_every_test_does_what_it_did(self):
        sys.argv = ["tools/study/exec_suite.py"]
        exec_suite.main()
        for row in raw_results.read("exec_suite")["rows"]:
            with self.subTest(python=row["python"], module=row["module"],
                              allocator=row["allocator"]):
                changed = {test.rpartition(".")[2] for test in row["changed"]}
                self.assertEqual(changed - (set() if row["allocator"] == "pymalloc"
                                            else ABOUT_PYMALLOC), set())

    def test_the_clones_statistics_are_the_interpreters(self):
        sys.argv = ["tools/study/exec_exactness.py", "--size-percent", "5"]
        exec_exactness.main()
        sys.argv = ["tools/study/tables.py", "--write"]
        tables.main()
        for row in raw_results.read("exec_exactness")["rows"]:
            with self.subTest(python=row["python"], program=row["program"]):
                # Only what depends on where an arena lies may differ, and seldom does.
                self.assertEqual([line for line in row["differing"]
                                  if "alignment" not in line and "unused pools" not in line], [])


if __name__ == "__main__":
    xml_report.main()

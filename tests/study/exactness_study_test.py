"""The whole study of exactness, every program on every interpreter, anew: writes
workloads/study/exactness.json and the tables that follow from it. Long; a part
of `./tools/test --long`.
"""
import os
import sys
import unittest

import exactness
import raw_results
import tables
import xml_report

raw_results.ARENALAB = os.path.abspath("tools/cli/arenalab")
JOBS = 2 * len(os.sched_getaffinity(0))  # most of a module's time is waiting


class Study(unittest.TestCase):

    def test_every_address_is_the_clones_and_every_program_does_what_it_did(self):
        sys.argv = ["tools/study/exactness.py", "--jobs", str(JOBS)]
        status = exactness.main()
        sys.argv = ["tools/study/tables.py", "--write"]
        tables.main()
        for row in raw_results.read("exactness")["rows"]:
            with self.subTest(python=row["python"], program=row["program"]):
                self.assertTrue(exactness.good(row), row)
        self.assertEqual(status, 0)


if __name__ == "__main__":
    xml_report.main()

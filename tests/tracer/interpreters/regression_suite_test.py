"""A module of CPython's own regression suite, recorded, on every interpreter:
each test ends as it does unrecorded, and every address is the clone's. And
isolated interpreters in parallel threads.

A short module: all of them, those that fork too, tools/study/exactness.py runs.
"""
import os
import unittest

import exactness
import interpreters
import raw_results
import xml_report

raw_results.ARENALAB = os.path.abspath("tools/cli/arenalab")


class RegressionSuite(unittest.TestCase):

    def check(self, module):
        tried = 0
        for version, python in interpreters.interpreters().items():
            if not exactness.applies(version, python, module):
                continue
            tried += 1
            with self.subTest(python=version):
                row = exactness.measure(version, python, module, 100)
                self.assertTrue(exactness.good(row), row)
                self.assertGreater(row["tests"], 2)
                self.assertGreater(row["compared"], 100000)
        if not tried:
            self.skipTest("no interpreter here has test." + module)

    def test_generators(self):
        self.check("test_generators")

    def test_isolated_interpreters_in_parallel_threads(self):
        tried = 0
        for version, python in interpreters.interpreters().items():
            if not exactness.applies(version, python, exactness.ISOLATED):
                continue
            tried += 1
            with self.subTest(python=version):
                row = exactness.measure(version, python, exactness.ISOLATED, 100)
                self.assertTrue(exactness.good(row), row)
                # The main one, four in threads, three one after another.
                self.assertEqual(row["states"], 8)
        if not tried:
            self.skipTest("no interpreter of 3.12 or later here")

if __name__ == "__main__":
    xml_report.main()

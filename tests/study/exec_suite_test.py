"""A module of CPython's own suite with Python on the clone: every test as without."""
import os
import unittest

import exec_suite
import interpreters
import raw_results
import regression_suite
import xml_report

raw_results.ARENALAB = os.path.abspath("tools/cli/arenalab")
MODULE = "test_generators"


class Suite(unittest.TestCase):

    def test_generators_on_the_clone_and_on_mimalloc(self):
        for version, python in reversed(list(interpreters.interpreters().items())):
            if regression_suite.installed(python, interpreters.number(version), MODULE):
                for row in exec_suite.measure(version, python, MODULE, ["pymalloc", "mimalloc"]):
                    self.assertGreater(row["tests"], 20)
                    self.assertEqual(row["changed"], [], row)
                return
        self.skipTest("no interpreter here has test." + MODULE)

    def test_a_test_that_differs_is_found(self):
        was = {"test.a": ["Success"], "test.b": ["Success"]}
        row = regression_suite.compared({"test.a": ["Success"], "test.b": ["Failure"]}, was, was)
        self.assertEqual(row["changed"], ["test.b"])


if __name__ == "__main__":
    xml_report.main()

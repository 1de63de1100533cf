"""Runs a Python test program's unittest cases for Bazel, case by case.

A test program ends in

    if __name__ == "__main__":
        xml_report.main()

Each case is printed as it runs, and written to $XML_OUTPUT_FILE in the same
form as GoogleTest's, so that tools/test counts cases rather than programs.
A skipped case keeps its reason. Arguments are unittest's.
"""
import os
import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree


class _Result(unittest.TextTestResult):
    """Remembers (case, seconds, outcome, text) of everything that ran."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.rows = []
        self._began = time.monotonic()

    def startTest(self, test):
        self._began = time.monotonic()
        super().startTest(test)

    def _row(self, test, outcome, text=""):
        self.rows.append((test, time.monotonic() - self._began, outcome, text))

    def addSuccess(self, test):
        super().addSuccess(test)
        self._row(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._row(test, "failure", self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self._row(test, "error", self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._row(test, "skipped", reason)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        # unittest reports no success for a case with a failed subtest.
        if err is not None:
            listed = self.failures if issubclass(err[0], test.failureException) else self.errors
            self._row(subtest, "failure", listed[-1][1])

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._row(test, "failure", "unexpected success")


def _write(rows, path):
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(root, "testsuite", name=os.path.basename(sys.argv[0]),
                                   tests=str(len(rows)))
    for test, seconds, outcome, text in rows:
        class_name, _, name = test.id().partition(".")[2].partition(".")
        case = ElementTree.SubElement(suite, "testcase", name=name or test.id(),
                                      classname=class_name, time="%.3f" % seconds)
        if outcome == "skipped":
            ElementTree.SubElement(case, "skipped", message=text)
        elif outcome != "passed":
            # XML has no place for most control characters.
            text = "".join(c if c >= " " or c in "\n\t" else "?" for c in text)
            ElementTree.SubElement(case, outcome).text = text
    ElementTree.ElementTree(root).write(path, encoding="utf-8")


def main():
    """Runs the calling program's cases; exits 0 only if all passed."""
    runner = unittest.TextTestRunner(resultclass=_Result, verbosity=2)
    program = unittest.main(module="__main__", testRunner=runner, exit=False)
    path = os.environ.get("XML_OUTPUT_FILE")
    if path:
        _write(program.result.rows, path)
    # A program without cases has tested nothing.
    sys.exit(0 if program.result.wasSuccessful() and program.result.rows else 1)

"""Two hundred kills at random moments (crash_test.py has a few)."""
import sys
import unittest

import crash_test
import xml_report


class KillsTest(crash_test.CrashTest):
    KILLS = 200


def load_tests(loader, tests, pattern):
    name = "test_killed_at_any_moment_it_loses_no_stored_record"
    return unittest.TestSuite([KillsTest(name)])


if __name__ == "__main__":
    print("interpreters:", *crash_test.PYTHONS, file=sys.stderr)
    xml_report.main()

"""tools/test_count.py counts what ran, and never calls a failure a success."""
import json
import os
import tempfile
import unittest

import test_count
import xml_report


def result(label, status, **outputs):
    """The build event of a finished test; outputs are files' URIs by name."""
    return {
        "id": {"testResult": {"label": label, "run": 1, "shard": 1}},
        "testResult": {
            "status": status,
            "testActionOutput": [
                {"name": "test." + name, "uri": uri}
                for name, uri in outputs.items()]},
    }


class CasesOfXml(unittest.TestCase):

    def outcomes(self, xml):
        return [outcome for _, outcome, _ in test_count.cases_of_xml(xml)]

    def test_reads_what_googletest_writes(self):
        # Written by GoogleTest 1.12.1, shortened.
        xml = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" disabled="1" errors="0" name="AllTests">
  <testsuite name="S" tests="4" failures="1" disabled="1" skipped="1">
    <testcase name="Passes" status="run" result="completed" classname="S" />
    <testcase name="Skips" status="run" result="skipped" classname="S">
      <skipped message="x_test.cc:5&#x0A;no browser"><![CDATA[x_test.cc:5
no browser
]]></skipped>
    </testcase>
    <testcase name="Fails" status="run" result="completed" classname="S">
      <failure message="x_test.cc:9" type=""><![CDATA[x_test.cc:9]]></failure>
    </testcase>
    <testcase name="DISABLED_Off" status="notrun" result="suppressed" classname="S" />
  </testsuite>
</testsuites>"""
        self.assertEqual(self.outcomes(xml),
                         ["passed", "skipped", "failed", "skipped"])
        self.assertEqual(test_count.cases_of_xml(xml)[1][2], "no browser")

    def test_half_a_file_counts_nothing(self):
        self.assertEqual(self.outcomes("<testsuites><testcase name='a'/>"), [])
        self.assertEqual(self.outcomes(""), [])


class CasesOfTarget(unittest.TestCase):
    two = "<t><testcase name='a'/><testcase name='b'/></t>"

    def outcomes(self, *args):
        return [case[1] for case in test_count.cases_of_target("//t", *args)]

    def test_a_crash_after_passed_cases_is_a_failure(self):
        self.assertEqual(self.outcomes(True, self.two, ""), ["passed"] * 2)
        self.assertEqual(self.outcomes(False, self.two, ""),
                         ["passed", "passed", "failed"])

    def test_a_crash_without_xml_is_one_failure(self):
        self.assertEqual(self.outcomes(False, "", ""), ["failed"])

    def test_a_script_may_say_that_it_skipped(self):
        one = "<t><testcase name='t'/></t>"
        self.assertEqual(self.outcomes(True, one, "x\nSKIPPED: no node\n"),
                         ["skipped"])
        # Only by a line of its own, and never over a failure.
        self.assertEqual(self.outcomes(True, one, "it SKIPPED: me"), ["passed"])
        self.assertEqual(self.outcomes(False, "", "SKIPPED: no node"),
                         ["failed"])


class CasesOfRun(unittest.TestCase):

    def test_what_could_not_be_built_is_a_failure(self):
        events = [
            {"id": {"targetCompleted": {"label": "//a:lib"}}, "completed": {}},
            {"id": {"targetCompleted": {"label": "//a:ok"}},
             "completed": {"success": True}},
            {"id": {"pattern": {"pattern": ["//b/..."]}},
             "aborted": {"reason": "LOADING_FAILURE", "description": "no b"}},
        ]
        self.assertEqual(test_count.cases_of_run(events),
                         [("//a:lib", "failed", "not built"),
                          ("pattern //b/...", "failed", "no b")])

    def test_the_last_attempt_of_a_flaky_test_stands_and_is_told(self):
        cases = test_count.cases_of_run(
            [result("//t", "FAILED"), result("//t", "PASSED")])
        self.assertEqual([case[:2] for case in cases],
                         [("//t", "passed"), ("//t", "flaky")])
        cases = test_count.cases_of_run(
            [result("//t", "FAILED"), result("//t", "FAILED")])
        self.assertEqual(cases, [("//t", "failed", "")])

    def test_a_failed_test_is_counted_once(self):
        cases = test_count.cases_of_run([
            result("//t", "FAILED"),
            {"id": {"targetCompleted": {"label": "//t"}}, "completed": {}}])
        self.assertEqual(len(cases), 1)

    def test_log_and_xml_are_read_from_their_uris(self):
        with tempfile.TemporaryDirectory(prefix="a b") as folder:
            path = os.path.join(folder, "test.xml")
            with open(path, "w") as file:
                file.write(CasesOfTarget.two)
            uri = "file://" + path.replace(" ", "%20")
            cases = test_count.cases_of_run([result("//t", "PASSED", xml=uri)])
        self.assertEqual([name for name, _, _ in cases], ["//t a", "//t b"])


class Count(unittest.TestCase):

    def count(self, status, events):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "plain.status"), "w") as file:
                file.write("%d\n" % status)
            if events is not None:
                with open(os.path.join(folder, "plain.json"), "w") as file:
                    file.write(events)
            return test_count.count(folder)

    def test_bazel_failing_before_any_test_is_a_failure(self):
        self.assertEqual(self.count(37, None), (0, 1, 0))
        self.assertEqual(self.count(1, ""), (0, 1, 0))

    def test_events_cut_off_in_a_line_keep_the_rest(self):
        line = json.dumps(result("//t", "PASSED"))
        self.assertEqual(self.count(8, line + "\n" + line[:40]), (1, 1, 0))

    def test_nothing_to_test_under_a_filter_is_no_failure(self):
        self.assertEqual(self.count(4, ""), (0, 0, 0))

    def test_a_failed_case_is_not_counted_again_for_bazel(self):
        self.assertEqual(
            self.count(3, json.dumps(result("//t", "FAILED"))), (0, 1, 0))


if __name__ == "__main__":
    xml_report.main()

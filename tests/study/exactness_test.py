"""What the study says of a run follows from its processes' reports; by hand."""
import json
import unittest

import exactness
import regression_suite
import xml_report


def report(**changes):
    return dict({"status": "equal", "reason": None, "requests": 100, "compared": 60,
                 "inherited_compared": 0, "states": 1, "mismatches": 0,
                 "geometry": "cpython-3.8"}, **changes)


class Summed(unittest.TestCase):

    def test_what_a_child_inherited_counts_once(self):
        row = exactness.summed([report(), report(compared=90, inherited_compared=50)])
        self.assertEqual((row["compared"], row["requests"], row["processes"]), (100, 200, 2))
        self.assertTrue(exactness.good(row))

    def test_one_bad_process_spoils_the_run(self):
        for bad in (report(status="mismatch", mismatches=2),
                    report(status="cannot", reason="only 1 of 60 could be compared")):
            row = exactness.summed([report(), bad])
            self.assertFalse(exactness.good(row), bad)
            self.assertEqual(sum(row["not_equal"].values()), 1)

    def test_another_allocator_is_no_failure_and_no_proof(self):
        other = report(status="cannot", compared=0,
                       reason="pymalloc was not beneath the hooks but `debug`")
        row = exactness.summed([report(), other])
        self.assertEqual(row["other_allocator"], 1)
        self.assertTrue(exactness.good(row))
        self.assertFalse(exactness.good(exactness.summed([other])))

    def test_a_run_that_recorded_nothing_is_not_good(self):
        self.assertFalse(exactness.good(exactness.summed([])))

    def test_objects_stand_one_after_another(self):
        text = json.dumps({"a": 1}, indent=2) + "\n" + json.dumps({"b": "}{"}) + "\n"
        self.assertEqual(list(exactness.objects(text)), [{"a": 1}, {"b": "}{"}])
        self.assertEqual(list(exactness.objects("")), [])


class Compared(unittest.TestCase):

    PLAIN = {"t.A.one": ["Success"], "t.A.two": ["Skip"]}

    def test_the_same_outcomes_change_nothing(self):
        self.assertEqual(
            regression_suite.compared(self.PLAIN, self.PLAIN, dict(self.PLAIN)),
            {"tests": 2, "changed": [], "unstable": []})

    def test_a_test_that_fails_is_missing_or_is_new_when_recorded_is_told(self):
        for traced, changed in [
                (dict(self.PLAIN, **{"t.A.one": ["Failure"]}), ["t.A.one"]),
                ({"t.A.two": ["Skip"]}, ["t.A.one"]),
                (dict(self.PLAIN, **{"t.A.new": ["Success"]}), ["t.A.new"])]:
            self.assertEqual(regression_suite.compared(traced, self.PLAIN, self.PLAIN)
                             ["changed"], changed)

    def test_what_differs_without_the_recorder_is_set_aside(self):
        other = dict(self.PLAIN, **{"t.A.one": ["Failure"], "t.A.three": ["Success"]})
        self.assertEqual(
            regression_suite.compared(other, self.PLAIN, other),
            {"tests": 1, "changed": [], "unstable": ["t.A.one", "t.A.three"]})


if __name__ == "__main__":
    xml_report.main()

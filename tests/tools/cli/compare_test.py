"""`arenalab compare` as a gate meets it: streams and exit statuses."""
import json

import verb_case
import xml_report


def results(held, trace="0123456789abcdef"):
    return json.dumps({
        "schema": "arenalab.results/1",
        "trace": {"file": "a.trace", "hash": trace},
        "options": {"scope": "python", "touch": "header"},
        "allocators": [{"name": "pymalloc",
                        "summary": {"peak_held_bytes": held}}]})


class CompareTest(verb_case.VerbCase):

    def setUp(self):
        super().setUp()
        self.base = self.write("base.json", results(1000))

    def compare(self, held, *flags, status=0, **fields):
        new = self.write("new.json", results(held, **fields))
        return self.run_verb("compare", *flags, self.base, new, status=status)

    def test_a_regression_is_1(self):
        self.assertIn("1 regression,", self.compare(1001, status=1))
        self.compare(1000)
        self.assertIn("1 improvement,", self.compare(999))

    def test_a_budget_is_what_may_be_lost(self):
        self.compare(1010, "--budget", "peak_held_bytes=+1%")
        self.compare(1011, "--budget", "peak_held_bytes=+1%", status=1)
        self.compare(1011, "--budget", "peak_held_bytes=+1%", "--budget",
                     "jw1=0", status=1)

    def test_inconclusive_is_4_only_when_asked(self):
        self.compare(2000, trace="f" * 16)
        self.assertIn("nothing is decided", self.compare(
            2000, "--fail-on-inconclusive", status=4, trace="f" * 16))

    def test_a_wrong_budget_is_2(self):
        self.compare(1000, "--budget", "peak=1%", status=2)
        self.assertIn("no metric is called `peak`", self.errors)
        self.compare(1000, "--format", "html", status=2)

    def test_what_is_no_results_file_is_3(self):
        self.run_verb("compare", self.base, self.write("x", "{"), status=3)
        self.run_verb("compare", self.path("missing"), self.base, status=3)

    def test_json_and_markdown_are_alone_on_stdout(self):
        parsed = json.loads(self.compare(1001, "--format", "json", status=1))
        self.assertEqual(parsed["verdict"], "regression")
        self.assertEqual(json.loads(self.compare(1001, "--json", status=1)),
                         parsed)
        self.assertTrue(self.compare(1001, "--format", "markdown",
                                     status=1).startswith("### "))
        self.assertEqual(self.errors, "")


if __name__ == "__main__":
    xml_report.main()

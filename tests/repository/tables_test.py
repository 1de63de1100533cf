"""Each published table is what the raw results in workloads/study/ say."""
import os
import unittest

import raw_results
import source_tree
import tables
import xml_report


class Published(unittest.TestCase):

    def test_tables_are_what_the_raw_results_say(self):
        for page in tables.PAGES:
            text = source_tree.read(page)
            self.assertEqual(text, tables.filled(text),
                             page + ": run tools/study/tables.py --write")

    def test_the_readme_has_every_table(self):
        text = "".join(source_tree.read(page) for page in tables.PAGES)
        for name in tables.TABLES:
            self.assertIn("<!-- table: %s -->" % name, text)

    def test_every_raw_result_names_its_command_and_machine(self):
        for name in sorted(os.listdir(raw_results.FOLDER)):
            if name.endswith(".json"):
                results = raw_results.read(name[:-5])
                self.assertTrue(results["command"].startswith("tools/study/"), name)
                self.assertIn("load_average", results["machine"], name)
                self.assertTrue(results["rows"], name)


class Formulas(unittest.TestCase):
    """By hand, from rows small enough to do so."""

    def test_exactness_adds_up_what_was_compared(self):
        row = {"python": "3.9.1", "process": "first", "status": "equal", "compared": 1000,
               "mismatches": 0}
        other = dict(row, python="3.10.2", compared=234)
        child = dict(other, process="child 1", compared=300)  # 234 of them the parent's
        self.assertEqual(
            tables.exactness_line({"rows": [row, other, child]}),
            "1,234 addresses of 2 runs on 2 interpreters, and 1 processes forked in them: "
            "**0 differ**")

    def test_exactness_hides_no_process_that_differs(self):
        row = {"python": "3.9.1", "process": "first", "status": "equal", "compared": 10,
               "mismatches": 0}
        rows = [row, dict(row, status="mismatch", mismatches=3),
                dict(row, status="cannot", compared=0, mismatches=None)]
        line = tables.exactness_line({"rows": rows})
        self.assertIn("**3 differ**", line)
        self.assertIn("2 of 3 processes not equal", line)

    def test_a_pair_is_divided_by_its_own_partner(self):
        row = {"traced_s": [2.0, 6.0, 3.0], "bare_s": [1.0, 4.0, 2.0],
               "trace_bytes": 300, "events": 200}
        self.assertEqual(tables.ratios(row), [2.0, 1.5, 1.5])
        line = tables.cost_line({"rows": [row, dict(row, traced_s=[1.0, 4.0, 2.0])]})
        # Medians 1.5 and 1.0; their median 1.25.
        self.assertIn("**1.25 times** the wall time (1.00 to 1.50; median of 3 pairs, 2", line)
        self.assertIn("1.5 to 1.5 bytes", line)

    def test_memory_is_resident_where_measured_else_the_models(self):
        row = {"allocators": [
            {"name": "pymalloc", "summary": {"last_valley_rss_bytes": None,
                                             "last_valley_committed_bytes": 5}},
            {"name": "jemalloc", "summary": {"last_valley_rss_bytes": 7,
                                             "last_valley_committed_bytes": 9}}]}
        self.assertEqual(tables.memory_of(row), {"pymalloc": 5, "jemalloc": 7})
        self.assertEqual(tables.mib(3 << 19), "1.5 MiB")
        self.assertEqual(tables.mib(None), "n/a")


if __name__ == "__main__":
    xml_report.main()

"""Each published table is what the raw results in workloads/study/ say."""
import os
import re
import unittest

import raw_results
import source_tree
import cost_tables
import exec_tables
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

    ROW = {"python": "3.9.1", "program": "strings", "processes": 1, "compared": 1000,
           "mismatches": 0, "not_equal": {}, "other_allocator": 0, "geometry": "cpython-3.9"}

    def test_exactness_adds_up_what_was_compared(self):
        other = dict(self.ROW, python="3.10.2", compared=234, processes=1999)
        self.assertEqual(
            tables.exactness_line({"rows": [self.ROW, other]}),
            "1,234 addresses of 2 runs with 2,000 processes on 2 interpreters: **0 differ**")

    def test_exactness_hides_nothing_that_differs(self):
        rows = [self.ROW, dict(self.ROW, mismatches=3, not_equal={"mismatch": 2}),
                dict(self.ROW, not_equal={"incomplete": 1}, changed=["test.a.B.c"])]
        line = tables.exactness_line({"rows": rows})
        self.assertIn("**3 differ**", line)
        self.assertIn("3 processes not equal", line)
        self.assertIn("1 tests behave otherwise", line)

    def test_a_cell_says_how_many_differ_and_fail(self):
        self.assertEqual(tables.cell(self.ROW), "1,000 / 0")
        self.assertEqual(tables.cell(dict(self.ROW, mismatches=3, not_equal={"mismatch": 2})),
                         "1,000 / 3 (**2 fail**)")
        self.assertEqual(tables.cell(None), "–")

    def test_every_generation_of_the_clone_says_how_it_was_checked(self):
        names = re.findall(r'kName = "([^"]+)"',
                           source_tree.read("allocators/pymalloc/generation.h"))
        self.assertEqual([name for name, _, _ in tables.GENERATIONS], names)

    def test_no_generation_counts_addresses_of_another(self):
        table = tables.generations_table()
        self.assertRegex(table, r"\| classic \|.*\| none here \| – \| – \|")

    def test_a_pair_is_divided_by_its_own_partner(self):
        row = {"traced_s": [2.0, 6.0, 3.0], "bare_s": [1.0, 4.0, 2.0],
               "trace_bytes": 300, "events": 200}
        self.assertEqual(cost_tables.ratios(row), [2.0, 1.5, 1.5])
        line = cost_tables.cost_line({"rows": [row, dict(row, traced_s=[1.0, 4.0, 2.0])]})
        # Medians 1.5 and 1.0; their median 1.25.
        self.assertIn("**1.25 times** the wall time (1.00 to 1.50; median of 3 rounds, 2", line)
        self.assertIn("1.5 to 1.5 bytes", line)
        # Of 1.5, 0.5 and 1.0.
        self.assertEqual(cost_tables.noise(dict(row, again_s=[1.5, 2.0, 2.0])), 1.0)

    def test_the_tools_side_by_side(self):
        row = {"workload": "w", "python": "3.13.0", "processes": 1, "lost": 3,
               "events": 100, "trace_bytes": 90, "shared_bytes": 2 ** 25,
               "allocations": 50, "heaptrack_allocations": 40, "heaptrack_bytes": 160,
               "verify_status": 0, "lint_status": 0, "witness_mem_obj": 9,
               "recorded_with_witness": 8}
        for arm, seconds in (("bare", 2.0), ("again", 2.0), ("count", 2.1), ("traced", 2.2),
                             ("heaptrack", 8.0), ("stacks", 2.86)):
            row[arm + "_s"] = row[arm + "_cpu_s"] = [seconds]
        killed = {"python": "3.13.0", "killed_after": 200, "kept": 200, "heaptrack_kept": 100}
        table = cost_tables.tools_table({"rows": [row, killed]})
        for text in ("1.05 (worst 1.05)", "1.10 (worst 1.10)", "0.90 (worst 0.90)", "32 MiB",
                     "100.0 %", "1 of 1 verify, 1 lint; 0 of 1 as an independent", "3 events",
                     "4.0 (worst 4.0)", "2.00 (worst 2.00)", "50.0 %", "20.0 % of the requests",
                     "arenalab --stacks | and the whole Python stack; over a plain recording | "
                     "1.30 (worst 1.30)"):
            self.assertIn(text, table)
        self.assertNotIn("--types", table)

    def test_python_on_other_allocators_beside_python_as_it_is(self):
        median = {"cpu_s": 2.0, "wall_s": 2.5, "peak_bytes": 2 ** 21, "last_valley_bytes": None,
                  "minor_faults": 1234}
        def run(workload, ratio, **rest):
            row = {"workload": workload, "python": "3.9.1", "again_cpu_ratio": 1.01, "rounds": 7}
            return [dict(row, allocator="native", cpu_ratio=[1, 1, 1], median=median, **rest),
                    dict(row, allocator="pymalloc", cpu_ratio=[ratio, 0, 9], median=median, **rest)]
        results = {"command": "c", "date": "d", "machine": {"load_average": 1.0},
                   "rows": run("a", 0.9) + run("b", 1.1) + run("c", 1.0)}
        table = exec_tables.speed_table(results)
        self.assertIn("| a | 3.9.1 | 2.00 | 1.010 | 0.900 |", table)
        self.assertIn("| **median** | | | 1.010 | 1.000 |", table)
        self.assertIn("| **worst** | | | 1.010 | 1.100 |", table)
        self.assertNotIn("not to be quoted", table)
        results["machine"]["load_average"] = 5.0
        self.assertIn("not to be quoted", exec_tables.speed_table(results))
        self.assertIn("| b | 3.9.1 | 2.50; 2.0; –; 1,234 | 2.50; 2.0; –; 1,234 |",
                      exec_tables.memory_table(results))

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

"""`arenalab experiment`: what each prints follows from what it measured, and the
counts are those that are known of each release."""
import glob
import json
import os
import subprocess

import verb_case
import xml_report


def interpreters():
    """{"3.11": path} of programs, no scripts; the first of each version."""
    home = os.environ.get("HOME", "")
    found = {}
    for path in ["/usr/bin/python3"] + sorted(glob.glob(
            os.path.join(home, ".pyenv/versions/3.*/bin/python3"))):
        done = subprocess.run(
            [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2],"
                         "sys.executable)"], stdout=subprocess.PIPE)
        if done.returncode == 0:
            version, executable = done.stdout.decode().split(None, 1)
            found.setdefault(version, os.path.realpath(executable.strip()))
    return found


INTERPRETERS = interpreters()


class ExperimentTest(verb_case.VerbCase):

    def measure(self, name, *arguments, pythons=None):
        """The rows of a quick run on these interpreters, and what it prints."""
        chosen = []
        for version in pythons or INTERPRETERS:
            chosen += ["--python", INTERPRETERS[version]]
        out = self.path(name + ".json")
        text = self.run_verb("experiment", name, "--quick", "--rounds", "2",
                             "--json", out, "-f", *chosen, *arguments)
        with open(out) as results:
            self.results = json.load(results)
        return self.results["measured"], text

    def needs_interpreter(self):
        if not INTERPRETERS:
            self.skipTest("no python3 on this machine")

    def test_list_names_them_all_and_an_unknown_one_is_refused(self):
        names = [line.split()[0]
                 for line in self.run_verb("experiment", "list").splitlines()]
        self.assertEqual(names, ["X1", "X2", "X3", "E5", "E6", "C1",
                                 "reference", "speed"])
        self.run_verb("experiment", "X9", status=3)
        self.assertIn("'X9': there is none", self.errors)

    def test_reference_sets_each_figure_beside_the_reported_one(self):
        rows, text = self.measure("reference", pythons=[])
        self.assertIn("reported", text)
        measured = {row["what"]: row for row in rows}
        for pools, share in (("4 KiB", 0.26), ("16 KiB", 0.06)):
            row = measured["the report's shape, whole free pools of held, "
                           "%s pools" % pools]
            self.assertAlmostEqual(
                row["free_pools_bytes"] / row["held_bytes"], share, delta=0.05)
            self.assertAlmostEqual(
                row["free_pools_bytes"] / row["held_bytes"], row["formula"],
                delta=0.05)
        fixed = measured["minor faults, 5 runs, fixed layout"]
        self.assertEqual(fixed["least"], fixed["most"])

    def test_what_is_no_python_is_refused(self):
        self.run_verb("experiment", "X1", "--python", "/bin/ls", status=3)
        self.assertIn("no CPython", self.errors)

    def test_c1_collecting_copies_what_was_built_without_the_collector(self):
        self.needs_interpreter()
        rows, text = self.measure("C1", pythons=list(INTERPRETERS)[:2])
        self.assertIn("gc.freeze", text)
        for row in rows:
            kib = row["private_dirty_kib"]
            # 30,000 tuples of 56 or 64 bytes in a list, each counted when it is looked at.
            self.assertGreater(kib["iterate"], kib["nothing"] + 1500, row)
            self.assertGreaterEqual(kib["iterate, t[0]"], kib["iterate"], row)
            if row["collector_while_building"] == "off":
                self.assertGreater(kib["gc.collect"], kib["nothing"] + 1500, row)
            if "gc.freeze, gc.collect" in kib:
                self.assertLess(kib["gc.freeze, gc.collect"], kib["nothing"] + 1000, row)

    def test_x1_creates_an_arena_an_iteration_before_3_9_and_two_after(self):
        self.needs_interpreter()
        rows, text = self.measure("X1")
        for row in rows:
            keeps = row["allocator"] not in ("clone 3.11, keep none",) and (
                row["geometry"] in ("cpython-3.9", "cpython-3.10", "cpython-3.11")
                or row["allocator"] == "clone 3.8, keep one")
            expected = (2, 0) if keeps else (1001, 1000)
            self.assertEqual((row["arenas_created"], row["arenas_released"]),
                             expected, row)
            self.assertIn(row["allocator"], text)
        real = [row for row in rows if row["allocator"].startswith("CPython")]
        self.assertEqual(len(real), len(INTERPRETERS))

    def test_x2_lists_the_walk_and_the_fingers(self):
        self.needs_interpreter()
        rows, _ = self.measure("X2")
        names = [row["allocator"] for row in rows]
        self.assertEqual(names[-2:], ["clone 3.7 (walk)", "clone 3.8 (fingers)"])
        for row in rows:
            self.assertEqual(len(row["free_seconds"]), len(row["arenas"]))

    def test_x3_gives_back_two_thirds_of_small_arenas_and_no_large_one(self):
        self.needs_interpreter()
        versions = [v for v in ("3.9", "3.11") if v in INTERPRETERS]
        if not versions:
            self.skipTest("neither 3.9 nor 3.11 on this machine")
        rows, _ = self.measure("X3", pythons=versions)
        for row in rows:
            small = row["python"].startswith("3.9")
            given_back = row["given_back_percent"]
            if row["keep_every"] == 0:
                self.assertGreater(given_back, 80, row)
            elif row["keep_every"] == 1000 or not small:
                self.assertLess(given_back, 10, row)
            else:
                self.assertTrue(55 < given_back < 80, row)
            # The recording, replayed on its own generation, is the program.
            own = row["replayed"]["cpython-3.9" if small else "cpython-3.11"]
            self.assertAlmostEqual(own["arenas_after"], row["arenas_after"],
                                   delta=2)

    def test_e6_pins_more_in_larger_arenas(self):
        rows, text = self.measure("E6", pythons=[])
        few = [row for row in rows if row["load"] == "1 of 10,000 stays"]
        self.assertEqual(len(few), 4)
        own, pools, arenas, both = (row["held_after_mib"] for row in few)
        self.assertLess(own, arenas)
        self.assertLess(pools, both)
        self.assertIn("%.1f" % own, text.split("Meaning")[1])

    def test_speed_measures_every_stream_against_itself_too(self):
        self.needs_interpreter()
        version = sorted(INTERPRETERS)[0]
        trace = self.import_trace("t", verb_case.ORDER)
        rows, _ = self.measure("speed", "--trace", trace, pythons=[version])
        self.assertEqual([row["stream"] for row in rows],
                         ["same-size churn", "mixed", "random free",
                          "recorded trace"])
        for row in rows:
            for arm in ("native_ns", "native_again_ns", "clone_ns", "null_ns"):
                self.assertEqual(len(row[arm]), 2, row)


if __name__ == "__main__":
    xml_report.main()

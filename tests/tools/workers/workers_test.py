"""`arenalab workers`: a program of known memory in each model, and what is said
where a model cannot run it."""
import glob
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import xml_report

ARENALAB = os.path.abspath("tools/cli/arenalab")
MIB = 1 << 20
HELD = 24  # MiB, of each worker
PROGRAM = """
import sys, time
print("nobody sees this")
kept = b"x" * (int(sys.argv[1]) << 20)
time.sleep(0.2)
if __name__ != "__main__":
    raise RuntimeError(__name__)
if sys.argv[2:] == ["leave"]:
    sys.exit(0)
if sys.argv[2:] == ["fail"]:
    raise ValueError("on purpose")
"""


def interpreters():
    found = [shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin")]
    found += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.13*/bin/python")))[:1]
    return [path for path in found if path]


def version(path):
    said = subprocess.check_output([path, "-c", "import sys; print('%d %d' % sys.version_info[:2])"])
    return tuple(map(int, said.split()))


class Workers(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.program = os.path.join(folder.name, "program.py")
        self.json = os.path.join(folder.name, "workers.json")
        with open(self.program, "w") as out:
            out.write(PROGRAM)

    def run_workers(self, *options, python=None, program=None, arguments=(str(HELD),)):
        """(exit status, stdout, stderr), and self.rows by model and count."""
        done = subprocess.run(
            [ARENALAB, "workers", *options, "--json", self.json, "-f", "--",
             python or interpreters()[0], program or self.program, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True, timeout=300)
        self.rows = {}
        if os.path.exists(self.json):
            with open(self.json) as file:
                self.rows = {(row["model"], row["workers"]): row
                             for row in json.load(file)["rows"]}
            os.remove(self.json)
        return done.returncode, done.stdout, done.stderr

    def test_memory_grows_by_what_each_worker_holds(self):
        status, said, errors = self.run_workers("--models", "threads,fork", "--n", "1,3")
        self.assertEqual(status, 0, errors)
        self.assertNotIn("nobody sees this", said + errors)
        for model in "threads", "fork":
            one, three = self.rows[model, 1], self.rows[model, 3]
            for field in "peak_pss_bytes", "end_pss_bytes":
                grown = (three[field] - one[field]) / MIB
                self.assertGreater(grown, 2 * HELD - 2, model)
                self.assertLess(grown, 2 * HELD + 30, model)
            self.assertEqual(three["processes"], 1 if model == "threads" else 4)
            self.assertGreaterEqual(three["work_seconds"], 0.2)
            self.assertAlmostEqual(three["runs_per_second"], 3 / three["work_seconds"])
            self.assertRegex(said, r"(?m)^%s +3 +\d+ ms +\d+\.\d\d s" % model)

    def test_servers_and_interpreters(self):
        for path in interpreters():
            new = version(path) >= (3, 12)
            models = ["interpreters"] if new else ["spawn", "forkserver", "interpreters"]
            with self.subTest(path):
                status, said, errors = self.run_workers(
                    "--models", ",".join(models), "--n", "2", "--pin", python=path,
                    arguments=(str(HELD), "leave"))
                self.assertEqual(status, 0, errors)
                row = self.rows["interpreters", 2]
                if new:
                    self.assertGreater(row["end_pss_bytes"], 2 * HELD * MIB)
                    self.assertEqual(row["processes"], 1)
                    continue
                self.assertIn("3.12", row["error"])
                self.assertIn("n/a: interpreters with a lock", said)
                for model in "spawn", "forkserver":
                    self.assertGreater(self.rows[model, 2]["end_pss_bytes"], 2 * HELD * MIB)
                    self.assertGreaterEqual(self.rows[model, 2]["processes"], 4)

    def test_a_program_that_fails_is_told_apart(self):
        status, said, errors = self.run_workers("--models", "threads,fork", "--n", "2",
                                                arguments=("1", "fail"))
        self.assertEqual(status, 3, errors)
        self.assertEqual(said.count("n/a: ValueError: on purpose"), 2, said)

    def test_what_cannot_be_run_is_refused_in_one_line(self):
        for wanted, found in (
                ((2, "no model processes"), self.run_workers("--models", "processes")),
                ((2, "from 1 to 256"), self.run_workers("--n", "0")),
                ((3, "cannot be read"), self.run_workers(program="nowhere.py")),
                ((3, "is no Python"), self.run_workers(python="/bin/true"))):
            self.assertEqual(found[0], wanted[0], found)
            self.assertIn(wanted[1], found[2])
            self.assertEqual(found[2].count("\n"), 1, found[2])


if __name__ == "__main__":
    xml_report.main()

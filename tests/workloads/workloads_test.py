"""Each workload runs on each interpreter found, and does what it says.

Which interpreters were used is printed first.
"""
import glob
import os
import re
import subprocess
import unittest

import interpreters
import phase_shift_held
import raw_results
import xml_report

WORKLOADS = sorted(glob.glob("workloads/*.py"))
# A size at which every branch of the program is reached.
TINY = {"sympy_algebra": 8, "django_requests": 60, "source_to_ast": 8}


def run(python, program, *arguments):
    """The finished process of `python program arguments`, nothing raised."""
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0")
    environment.pop("PYTHONPATH", None)
    return subprocess.run([python, program] + list(arguments), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, env=environment,
                          timeout=120)


class Workloads(unittest.TestCase):
    """Cases are added below: one for each program and interpreter."""


def add_case(name, program, version, python):
    def case(self):
        size = str(TINY.get(name, 200))
        first = run(python, program, "--size", size)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stderr, "")
        self.assertRegex(first.stdout, r"\A%s: .*\d.*\n\Z" % name)
        # The line depends on the work: again the same, and larger another.
        self.assertEqual(run(python, program, "--size", size).stdout, first.stdout)
        larger = run(python, program, "--size", str(2 * int(size)))
        self.assertNotEqual(larger.stdout, first.stdout)

    setattr(Workloads, "test_%s_on_%s" % (name, version.replace(".", "_")), case)


class PhaseShift(unittest.TestCase):

    def test_holds_many_times_its_live_bytes_at_the_end(self):
        for version, python in FOUND.items():
            with self.subTest(python=version):
                held, live = phase_shift_held.held(python, "--size", "40000")
                print("phase_shift on %s: %.1f times its live bytes" % (version, held / live))
                # At a quarter of the default size the interpreter's own live
                # bytes weigh four times as much, and it is still above this.
                self.assertGreater(held / live, 6)


class Table(unittest.TestCase):

    def test_the_readme_names_each_program_once(self):
        with open("workloads/README.md", encoding="utf-8") as file:
            rows = re.findall(r"^\| \[`(\w+\.py)`\]\(\1\)", file.read(), re.MULTILINE)
        self.assertEqual(sorted(rows), [os.path.basename(path) for path in WORKLOADS])

    def test_each_program_says_what_it_reveals(self):
        for path in WORKLOADS:
            with open(path, encoding="utf-8") as file:
                self.assertIn("\nReveals: ", file.read(1500), path)


def add_skip(name, module):
    def case(self):
        self.skipTest("no interpreter here has " + module)

    setattr(Workloads, "test_%s" % name, case)


FOUND = interpreters.interpreters()
for a_version, a_python in sorted(FOUND.items()):
    print("interpreter: %s %s" % (a_version, a_python))
for a_program in WORKLOADS:
    a_name = os.path.basename(a_program)[:-3]
    wanted = raw_results.APPLICATIONS.get(a_name)
    able = {v: p for v, p in FOUND.items() if wanted is None or interpreters.has(p, wanted)}
    if not able:
        add_skip(a_name, wanted)
    for a_version, a_python in able.items():
        add_case(a_name, a_program, a_version, a_python)

if __name__ == "__main__":
    xml_report.main()

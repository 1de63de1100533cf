"""Each workload runs on each interpreter found, and does what it says.

Interpreters: `python3` of PATH, /usr/bin/python3 and $HOME/.pyenv/versions/*.
Which ones were used is printed first.
"""
import glob
import os
import re
import subprocess
import unittest

import xml_report

WORKLOADS = sorted(glob.glob("workloads/*.py"))
# A size at which every branch of the program is reached.
TINY = {"sympy_algebra": 8, "django_requests": 60, "source_to_ast": 8}
# What a program wants beside the standard library.
APPLICATIONS = {"django_requests": "django", "sympy_algebra": "sympy"}

VERSION = "import sys; print('%d.%d.%d %s' % (sys.version_info[:3] + (sys.executable,)))"


def interpreters():
    """{version: path} of every CPython 3.6 or newer; one path a version."""
    home = os.environ.get("HOME", "")
    found = {}
    for path in ["python3", "/usr/bin/python3"] + sorted(
            glob.glob(os.path.join(home, ".pyenv/versions/*/bin/python3"))):
        try:
            answer = subprocess.run([path, "-c", VERSION], stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, universal_newlines=True)
        except OSError:
            continue
        version, _, executable = answer.stdout.strip().partition(" ")
        if answer.returncode == 0 and tuple(map(int, version.split("."))) >= (3, 6):
            found.setdefault(version, executable)
    return found


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
        # The program's own run, with the interpreter's statistics at its end.
        script = ("import sys; sys.argv[1:] = ['--size', '40000']\n"
                  "sys.path.insert(0, 'workloads'); import phase_shift as p\n"
                  "class Clock:\n"
                  "    left = len(p.PHASES)\n"
                  "    def sleep(self, seconds):\n"
                  "        self.left -= 1\n"
                  "        if not self.left: sys._debugmallocstats()\n"
                  "p.time = Clock()\n"
                  "p.main()\n")
        for version, python in FOUND.items():
            with self.subTest(python=version):
                said = run(python, "-c", script).stderr
                arenas = re.search(r"(\d+) arenas \* (\d+) bytes/arena", said)
                live = re.search(r"# bytes in allocated blocks\s*=\s*([\d,]+)", said)
                held = int(arenas.group(1)) * int(arenas.group(2))
                ratio = held / int(live.group(1).replace(",", ""))
                print("phase_shift on %s: %.1f times its live bytes" % (version, ratio))
                # A quarter of the default size: the interpreter's own live
                # bytes weigh four times as much, and it is still above this.
                self.assertGreater(ratio, 6)


class Table(unittest.TestCase):

    def test_the_readme_names_each_program_once(self):
        with open("workloads/README.md", encoding="utf-8") as file:
            rows = re.findall(r"^\| \[`(\w+\.py)`\]\(\1\)", file.read(), re.MULTILINE)
        self.assertEqual(sorted(rows), [os.path.basename(path) for path in WORKLOADS])

    def test_each_program_says_what_it_reveals(self):
        for path in WORKLOADS:
            with open(path, encoding="utf-8") as file:
                self.assertIn("\nReveals: ", file.read(1500), path)


def has(python, module):
    return run(python, "-c", "import " + module).returncode == 0


def add_skip(name, module):
    def case(self):
        self.skipTest("no interpreter here has " + module)

    setattr(Workloads, "test_%s" % name, case)


FOUND = interpreters()
for a_version, a_python in sorted(FOUND.items()):
    print("interpreter: %s %s" % (a_version, a_python))
for a_program in WORKLOADS:
    a_name = os.path.basename(a_program)[:-3]
    wanted = APPLICATIONS.get(a_name)
    able = {v: p for v, p in FOUND.items() if wanted is None or has(p, wanted)}
    if not able:
        add_skip(a_name, wanted)
    for a_version, a_python in able.items():
        add_case(a_name, a_program, a_version, a_python)

if __name__ == "__main__":
    xml_report.main()

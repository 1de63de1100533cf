"""Marks in a trace: from within the program, by tracer/mark/arenalab_mark.py, and
from outside, by `arenalab mark`."""
import os
import subprocess

import traced_run
import xml_report
from traced_run import ARENALAB, on_every_interpreter

MODULE = os.path.abspath("tracer/mark")

INSIDE = """\
import signal, sys, gc, os
sys.path.insert(0, %r)
import arenalab_mark
made = [arenalab_mark.mark("one"), arenalab_mark.mark("zw\\u00f6lf")]
kept = [[] for i in range(1000)]
arenalab_mark.pytest_runtest_logstart("t.py::test_a", None)
arenalab_mark.pytest_runtest_logfinish("t.py::test_a", None)
arenalab_mark.on_signal(signal.SIGUSR1)
os.kill(os.getpid(), signal.SIGUSR1)
arenalab_mark.on_collection()
gc.collect()
del gc.callbacks[:]
print(made)
""" % MODULE

# Says when it is up; waits until its input ends.
OUTSIDE = """\
import sys
kept = [str(i) for i in range(5000)]
sys.stdout.write("up\\n"); sys.stdout.flush()
sys.stdin.read()
more = [str(i) for i in range(5000)]
"""


class MarkTest(traced_run.TracedRun):

    def marks(self):
        return [line.split(" t=")[0][5:] for line in self.lines()
                if line.startswith("mark ")]

    @on_every_interpreter
    def test_marks_of_the_program_stand_in_its_order(self, python):
        self.record(python, self.write(INSIDE))
        self.assertEqual(self.output, "[True, True]\n")
        self.assertEqual(self.marks(), [
            "one", "zw\u00f6lf", '"test t.py::test_a"', '"end t.py::test_a"',
            '"signal 10"', '"gc start 2"', '"gc stop 2"', "finalise"])
        lines = [line.split()[0] + " " + line.split()[1]
                 for line in self.lines()]
        between = lines[lines.index("mark zw\u00f6lf"):
                        lines.index('mark "test')]
        self.assertGreater(sum(line.startswith("malloc") for line in between),
                           1000)
        self.assertIn("equal", self.verify())

    def test_the_module_does_nothing_where_nothing_is_recorded(self):
        program = self.write(INSIDE + "print('ctypes' in sys.modules)\n")
        output = subprocess.check_output(
            [traced_run.PYTHONS[0], program], env=self.environment({}))
        self.assertEqual(output, b"[False, False]\nFalse\n")

    def test_marks_from_outside(self):
        process = subprocess.Popen(
            [ARENALAB, "record", "--types", "-f", "-o", self.trace, "--",
             traced_run.PYTHONS[0], self.write(OUTSIDE)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.environment({}))
        self.assertEqual(process.stdout.readline(), b"up\n")
        children = "/proc/%d/task/%d/children" % (process.pid, process.pid)
        with open(children) as text:
            child = text.read().split()[0]
        self.assertEqual(self.arenalab("mark", child, "filled up"), "")
        process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0)
        lines = self.lines()
        mark = next(i for i, line in enumerate(lines)
                    if line.startswith('mark "filled up"'))
        # What is resident and what lives is read there.
        self.assertTrue(lines[mark + 1].startswith("memory "))
        finalise = next(i for i, line in enumerate(lines)
                        if line.startswith("mark finalise"))
        held = [line for line in lines[mark:finalise]
                if line.startswith("held ")]
        self.assertGreater(sum(line.endswith("type=str") for line in held),
                           1000)

    def test_a_process_that_is_not_recorded_is_refused(self):
        text = self.arenalab("mark", str(os.getpid()), "x", status=3)
        self.assertIn("is not being recorded", text)
        self.assertIn("there is no such process",
                      self.arenalab("mark", "99999999", "x", status=3))


if __name__ == "__main__":
    xml_report.main()

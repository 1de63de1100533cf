"""Ends of a program that nobody plans, and what is short then: killed at any
moment, crashed, out of memory, descriptors or disk. The program ends or goes on
as it would without us, and what was stored is in the trace."""
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import xml_report
from traced_run import ARENALAB, PYTHONS, TracedRun

# Says after each batch how many objects of 777 bytes it has made so far: they
# are stored by then.
COUNTING = """\
import os
kept = []
for n in range(1, 100000):
    kept.append([bytes(777) for i in range(500)])
    if n > 20: kept.pop(0)
    os.write(1, b'%d\\n' % (500 * n))
"""


class CrashTest(TracedRun):
    KILLS = 4

    def objects(self, trace=None):
        """How many requests of bytes(777) the trace has."""
        return sum(line.split()[2:3] == ["810"] and
                   line.startswith(("malloc", "calloc"))
                   for line in self.lines(trace))

    def test_killed_at_any_moment_it_loses_no_stored_record(self):
        rng, program = random.Random(7), self.write(COUNTING)
        for turn in range(self.KILLS):
            python = PYTHONS[turn % len(PYTHONS)]
            wrapped = "echo $$ >%s/pid; exec %s %s" % (self.folder, python,
                                                       program)
            process = self.start("sh", "-c", wrapped, options=["-f"])
            process.stdout.readline()
            time.sleep(rng.random() * 0.3)
            with open(os.path.join(self.folder, "pid")) as pid:
                os.kill(int(pid.read()), signal.SIGKILL)
            output, _ = process.communicate(timeout=300)
            self.assertEqual(process.returncode, 128 + signal.SIGKILL)
            said = [int(n) for n in output.split(b"\n")[:-1]]
            self.assertIn(": legal", self.lint())
            self.assertIn("equal", self.verify())
            self.assertGreaterEqual(self.objects(), max(said or [0]), turn)

    def twice(self, *command, limits=(), **environment):
        """(status, output) of the command alone and recorded; they are equal."""
        def limit():
            for what, value in limits:
                resource.setrlimit(what, (value, value))
        alone = subprocess.run(command, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, cwd=self.folder,
                               env=self.environment(environment),
                               preexec_fn=limit)
        status = alone.returncode
        status = 128 - status if status < 0 else status
        self.record(*command, status=status, **environment)
        self.assertEqual(self.output, alone.stdout.decode())
        return status

    def test_a_crash_and_a_hard_exit_stay_what_they_are(self):
        python = PYTHONS[-1]
        keep = "x = [bytes(777) for i in range(3000)]\n"
        for last, status in (
                ("import ctypes; ctypes.string_at(0)", 128 + signal.SIGSEGV),
                ("import os; os.abort()", 128 + signal.SIGABRT),
                ("import os; os._exit(9)", 9)):
            self.assertEqual(self.twice(python, "-c", keep + last), status)
            self.assertGreaterEqual(self.objects(), 3000, last)
            self.assertIn("equal", self.verify())

    def limited(self, limit, code, python=PYTHONS[0]):
        """Runs the code under `ulimit LIMIT`, alone and recorded."""
        return self.twice("bash", "-c", "ulimit %s; exec %s -c \"$0\"" % (
            limit, python), code)

    def test_out_of_memory_is_still_a_memory_error(self):
        self.assertEqual(self.limited("-v 400000", """\
try:
    x = [bytes(100000) for i in range(10000)]
except MemoryError:
    x = None
    print('no memory')
y = [str(i) for i in range(1000)]
print(len(y))
"""), 0)
        self.assertEqual(self.output, "no memory\n1000\n")
        self.assertIn(": legal", self.lint())
        self.assertIn("equal", self.verify())

    def test_a_program_with_no_descriptor_to_spare_is_recorded(self):
        self.assertEqual(self.limited("-n 6", """\
import os
held = []
try:
    while True: held.append(os.open('/dev/null', os.O_RDONLY))
except OSError as error:
    print(len(held), error.strerror)
x = [str(i) for i in range(30000)]
"""), 0)
        self.assertIn("Too many open files", self.output)
        self.assertIn("equal", self.verify())

    def test_a_deleted_folder_is_the_recorders_trouble(self):
        folder = os.path.join(self.folder, "gone")
        self.trace = os.path.join(folder, "t.trace")
        process = self.start(PYTHONS[0], "-c", """\
import sys
print('begun', flush=True)
sys.stdin.readline()
x = [str(i) for i in range(300000)]
print('done')
""", stdin=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"begun\n")
        self.wait_for_bytes(1)
        shutil.rmtree(folder)
        output, errors = process.communicate(b"\n", timeout=300)
        self.assertEqual(output, b"done\n")
        self.assertEqual(process.returncode, 125, errors)
        self.assertIn(b"was removed while", errors)

    def test_a_full_disk_ends_the_trace_not_the_program(self):
        self.trace = "/dev/full"
        self.record(PYTHONS[0], "-c", "x = [str(i) for i in range(300000)];"
                    "print('done')", status=125)
        self.assertEqual(self.output, "done\n")
        self.assertIn("No space left on device", self.errors)

    def test_a_recorder_that_stands_still_holds_the_program_unless_lossy(self):
        program = self.write("""\
import sys, time
print('begun', flush=True)
sys.stdin.readline()
for n in range(120): x = [str(i) for i in range(40000)]
print('done', flush=True)
""")
        process = self.start(PYTHONS[0], program, options=["-f", "--lossy"],
                             stdin=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"begun\n")
        process.send_signal(signal.SIGSTOP)
        process.stdin.write(b"\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"done\n")
        process.send_signal(signal.SIGCONT)
        _, errors = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0, errors)
        shout = re.search(rb"warning: ([\d,]+) events were lost", errors)
        self.assertGreater(int(shout[1].replace(b",", b"")), 100000)
        self.assertIn("lost.ring", self.meta())
        for verb, status in ((("trace", "info"), 0), (("trace", "dump"), 0),
                             (("trace", "lint"), 1), (("stats",), 0)):
            self.assertRegex(self.arenalab(*verb, self.trace, status=status),
                             r"(events were (lost|dropped)|lost something)")
        # Status 3 where what was dropped shows in the addresses, 0 where what
        # was kept agrees; it says in either case that something was lost.
        verified = subprocess.run([ARENALAB, "verify", self.trace], timeout=300,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertIn(verified.returncode, (0, 3))
        self.assertRegex(verified.stdout, rb"lost")


if __name__ == "__main__":
    print("interpreters:", *PYTHONS, file=sys.stderr)
    xml_report.main()

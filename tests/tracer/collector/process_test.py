"""Processes of a run: children, killed programs, killed collectors, programs
without Python, full disks, exit statuses."""
import os
import re
import resource
import signal
import subprocess
import sys

import xml_report
from traced_run import ARENALAB, PYTHONS, TracedRun, on_every_interpreter

BUSY = """\
import sys, time
print('begun', flush=True)
end = time.time() + %s
while time.time() < end:
    x = [str(i) for i in range(20000)]
print('done')
"""

# Until a file of this name lies in its folder.
UNTIL_ENOUGH = """\
import os
print('begun', flush=True)
while not os.path.exists('enough'):
    x = [str(i) for i in range(20000)]
print('done')
"""


def of_child(name):
    """Whether a trace's name has the process number in it."""
    return re.search(r"\.\d+\.trace$", name) is not None


class ProcessTest(TracedRun):

    @on_every_interpreter
    def test_forked_children_leave_traces_that_name_their_parent(self, python):
        program = self.write("""\
import os, multiprocessing, sys
def work(n):
    return sum(len(str(i)) for i in range(20000))
if __name__ == '__main__':
    pid = os.fork()
    if pid == 0:
        work(1)
        os._exit(0)
    os.waitpid(pid, 0)
    with multiprocessing.get_context('fork').Pool(2) as pool:
        pool.map(work, [1, 2, 3])
        pool.close()
        pool.join()
""")
        for name in self.traces():
            os.unlink(name)
        self.record(python, program)
        children = [name for name in self.traces() if of_child(name)]
        self.assertEqual(len(children), 3, self.errors)
        parents = []
        for name in children:
            self.assertIn("equal", self.verify(name))
            self.assertIn(": legal", self.lint(name))
            self.assertGreater(len(self.lines(name)), 10000)
            parents.append(self.meta(name)["parent"])
        parents.sort()
        self.assertEqual(parents, ["t.trace 0", "t.trace 1", "t.trace 2"])
        forks = [line.split()[1:3] for line in self.lines()
                 if line.startswith("fork ")]
        self.assertEqual([number for number, _ in forks], ["0", "1", "2"])

    @on_every_interpreter
    def test_spawned_and_executed_processes_leave_traces_of_their_own(
            self, python):
        program = self.write("""\
import subprocess, sys, os
code = 'x = [str(i) for i in range(30000)]'
subprocess.check_call([sys.executable, '-c', code])
os.system(sys.executable + " -c '" + code + "'")
subprocess.check_call('true')
os.execv(sys.executable, [sys.executable, '-c', code])
""")
        for name in self.traces():
            os.unlink(name)
        self.record(python, program)
        names = self.traces()
        self.assertEqual(len(names), 4, self.errors)
        runs, processes, parents = set(), set(), set()
        for name in names:
            self.assertIn("equal", self.verify(name))
            meta = self.meta(name)
            self.assertNotIn("parent", meta)
            runs.add(meta["run"])
            processes.add(meta["process"])
            parents.add(meta["parent-process"])
        self.assertEqual(len(runs), 1)
        # The first one's is the recorder, the others' are of the run, or a
        # shell of os.system().
        self.assertTrue(processes & parents)

    @on_every_interpreter
    def test_without_children_only_the_first_interpreter_is_recorded(
            self, python):
        self.record("bash", "-c", '"$0" "$1"; "$0" -c "print(2)"', python,
                    self.write("""\
import subprocess, sys, os
subprocess.check_call([sys.executable, '-c', 'print(1)'])
child = os.fork()
x = [str(i) for i in range(30000)]
if child == 0: os._exit(0)
os.waitpid(child, 0)
"""), options=("--no-children",))
        self.assertEqual(self.output, "1\n2\n")
        self.assertEqual(self.traces(), [self.trace])
        self.assertIn("equal", self.verify())
        for name in self.traces():
            os.unlink(name)

    @on_every_interpreter
    def test_a_killed_program_loses_no_stored_record(self, python):
        # It says how many objects it made; then it dies by its own hand.
        self.record(python, "-c",
                    "import os, signal\n"
                    "x = [bytes(777) for i in range(30000)]\n"
                    "os.kill(os.getpid(), signal.SIGKILL)",
                    status=128 + signal.SIGKILL)
        self.assertIn("legal", self.lint())
        self.assertIn("equal", self.verify())
        objects = sum(line.split()[2:3] == ["810"] and
                      line.startswith(("malloc", "calloc"))
                      for line in self.lines())
        self.assertGreaterEqual(objects, 30000)

    def test_a_killed_collector_leaves_the_program_and_a_readable_trace(self):
        process = self.start(PYTHONS[0], "-c", UNTIL_ENOUGH)
        self.assertEqual(process.stdout.readline(), b"begun\n")
        self.wait_for_bytes(100000)
        process.kill()  # not reaped before the program is done
        self.write("", "enough")
        self.assertEqual(process.stdout.read(), b"done\n")
        process.wait()
        process.stderr.close()
        process.stdout.close()
        self.assertIn("incomplete", self.lint())
        self.assertGreater(len(self.lines()), 10000)

    def test_exit_status_and_streams_are_the_commands(self):
        self.record(PYTHONS[0], "-c", "import sys; print('to stdout');"
                    "print('to stderr', file=sys.stderr); sys.exit(7)",
                    status=7)
        self.assertEqual(self.output, "to stdout\n")
        self.assertTrue(self.errors.startswith("to stderr\n"))
        lines = self.errors.splitlines()
        self.assertEqual(lines[-2], self.trace)
        self.assertEqual(lines[-1], "next: arenalab verify " + self.trace)

    def test_no_python_in_the_run_is_125_and_names_what_ran(self):
        self.record("/bin/sh", "-c", "exit 3", status=125)
        self.assertIn("/bin/sh", self.errors)
        self.assertEqual(self.traces(), [])

    def test_what_cannot_be_run_is_126_or_127(self):
        self.record("/no/such/program", status=127)
        self.record("/etc/passwd", status=126)

    def test_a_shell_around_python_is_not_in_the_way(self):
        self.record("env", "A=1", "sh", "-c", "timeout 60 %s -c 'x = 1'; exit 4"
                    % PYTHONS[0], status=4)
        self.assertEqual(len(self.traces()), 1)
        self.assertIn("equal", self.verify())
        self.assertIn("-c", self.meta()["program"])

    def test_an_existing_trace_is_kept_unless_forced(self):
        with open(self.trace, "w") as out:
            out.write("precious")
        process = self.start(PYTHONS[0], "-c", "1")
        _, errors = process.communicate()
        self.assertEqual(process.returncode, 125)
        self.assertIn(b"-f overwrites", errors)
        with open(self.trace) as kept:
            self.assertEqual(kept.read(), "precious")

    def test_the_traces_name_is_made_of_script_host_time_and_process(self):
        program = self.write("pass")
        self.trace = os.path.join(self.folder, "%n-%h-%t-%p-100%%.trace")
        self.record(PYTHONS[0], program)
        name, = map(os.path.basename, self.traces())
        self.assertRegex(name, r"^program-%s-\d{8}-\d{6}-\d+-100%%\.trace$"
                         % re.escape(os.uname().nodename))

    def test_a_signal_to_the_recorder_reaches_the_program(self):
        process = self.start(PYTHONS[0], "-c", """\
import time
try:
    print('begun', flush=True)
    time.sleep(300)
except KeyboardInterrupt:
    print('interrupted')
    raise SystemExit(5)
""")
        self.assertEqual(process.stdout.readline(), b"begun\n")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=300)
        self.assertEqual(output, b"interrupted\n")
        self.assertEqual(process.returncode, 5, errors)
        self.assertIn("equal", self.verify())

    def test_a_second_interrupt_after_the_programs_end_gives_up(self):
        # A trace that nobody reads on: to finish it takes for ever.
        os.mkfifo(self.trace)
        reader = os.open(self.trace, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        process = self.start(PYTHONS[0], "-c", "import random\n"
                             "x = [bytes(random.randrange(500)) for i in range(200000)]\n"
                             "print('done', flush=True)", options=["-f"])
        self.assertEqual(process.stdout.readline(), b"done\n")

        def program_has_ended():
            with open("/proc/%d/task/%d/children" % (process.pid, process.pid)) as children:
                program, = children.read().split()
            with open("/proc/%s/stat" % program) as stat:
                return stat.read().rpartition(") ")[2][0] == "Z"
        self.wait_until(program_has_ended)
        self.assertIsNone(process.poll())

        def given_up():
            process.send_signal(signal.SIGINT)
            return process.poll() is not None
        self.wait_until(given_up)
        self.assertEqual(process.returncode, -signal.SIGINT)
        process.stderr.close()
        process.stdout.close()

    def test_a_program_that_closes_every_descriptor_is_recorded_to_its_end(self):
        self.record(PYTHONS[0], "-c", """\
import os
os.closerange(3, 1000)
x = [str(i) for i in range(50000)]
print('done')
""")
        self.assertEqual(self.output, "done\n")
        self.assertIn("equal", self.verify())
        self.assertGreater(len(self.lines()), 50000)

    def test_no_descriptor_and_no_thread_is_left_in_the_program(self):
        self.record(PYTHONS[0], "-c", "import os; print(sorted("
                    "os.listdir('/proc/self/fd')), os.listdir('/proc/self/task')"
                    " == [str(os.getpid())])")
        # 3 is the one that lists.
        self.assertEqual(self.output, "['0', '1', '2', '3'] True\n")

    def test_a_file_size_limit_of_the_recorder_ends_the_trace_not_the_program(
            self):
        process = self.start(PYTHONS[0], "-c", BUSY % 2)
        self.assertEqual(process.stdout.readline(), b"begun\n")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
        output, errors = process.communicate(timeout=300)
        self.assertEqual(output, b"done\n")
        self.assertEqual(process.returncode, 125)
        self.assertIn(b"cannot write: File too large", errors)
        self.assertIn("incomplete", self.lint())

    def test_a_file_size_limit_of_the_program_is_not_its_death(self):
        limited = "ulimit -%s -f 4; exec %s -c \"print('done')\""
        self.record("bash", "-c", limited % ("SH", PYTHONS[0]), status=125)
        self.assertEqual(self.output, "done\n")
        self.assertIn("file-size limit", self.errors)
        # A soft one is set aside for a moment and stands again.
        self.record("bash", "-c", "ulimit -S -f 4; exec %s -c '%s'" % (
            PYTHONS[0], "import resource; print("
            "resource.getrlimit(resource.RLIMIT_FSIZE)[0])"))
        self.assertEqual(self.output, "4096\n")
        self.assertIn("equal", self.verify())

    def test_waits_for_what_the_command_left_running_and_says_so(self):
        self.record("sh", "-c", "%s -c 'import time; time.sleep(1.5);"
                    "x = [str(i) for i in range(20000)]' >/dev/null & exit 2"
                    % PYTHONS[0], status=2)
        self.assertIn("still run", self.errors)
        self.assertGreater(len(self.lines()), 20000)

    def test_a_child_of_a_bare_clone_call_does_not_touch_its_parents_trace(self):
        # os.fork by the system call: no fork handler runs in it.
        self.record(PYTHONS[0], "-c", """\
import ctypes, os
libc = ctypes.CDLL(None)
pid = libc.syscall(57)
x = [str(i) for i in range(30000)]
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
y = [str(i) for i in range(30000)]
""")
        self.assertIn("equal", self.verify())
        names = self.traces()
        self.assertEqual(len(names), 2)
        child = next(name for name in names if of_child(name))
        self.assertIn("lost.parent", self.meta(child))


if __name__ == "__main__":
    print("interpreters:", *PYTHONS, file=sys.stderr)
    xml_report.main()

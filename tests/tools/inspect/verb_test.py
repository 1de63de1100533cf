"""The verb itself: what it refuses, --watch, --diff, and a target that runs on."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import xml_report
from stopped_program import ARENALAB, StoppedProgram, inspect, interpreters

PYTHON = interpreters()[0]
BUSY = """
import sys
kept = []
print("on", flush=True)
while True:
    kept.append([str(i) * (i % 9) for i in range(3000)])
    if len(kept) > 60:
        del kept[::2]
"""


class Verb(unittest.TestCase):

    def refused(self, said, *arguments, status=3):
        found, out, errors = inspect(*arguments)
        self.assertEqual((found, out), (status, ""), errors)
        self.assertIn(said, errors)
        self.assertEqual(errors.count("\n"), 1, errors)
        return errors

    def test_what_cannot_be_inspected_is_said_in_one_line(self):
        self.refused("4194303: there is no such process", 4194303)
        self.refused("No such file", "nowhere/core")
        self.refused("is no process id, and no core file", "/bin/sh")
        sleep = subprocess.Popen(["sleep", "60"])
        try:
            self.refused("has no pymalloc heap", sleep.pid)
        finally:
            sleep.kill()
            sleep.wait()

    def test_another_users_process(self):
        if os.getuid() != 0:
            self.skipTest("needs root to become another user")
        # The other user cannot see into the folder that holds the program.
        with tempfile.TemporaryDirectory() as folder, \
                StoppedProgram(PYTHON, "start") as program:
            os.chmod(folder, 0o755)
            arenalab = shutil.copy(ARENALAB, folder)
            done = subprocess.run([arenalab, "inspect", str(program.pid)],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  universal_newlines=True, cwd="/",
                                  preexec_fn=lambda: os.setuid(65534))
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("its memory may not be read", done.stderr)

    def test_without_pymalloc(self):
        environment = dict(os.environ, PYTHONMALLOC="malloc")
        process = subprocess.Popen(
            [PYTHON, "-c", "print('on', flush=True); input()"], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            process.stdout.readline()
            self.refused("has no pymalloc heap", process.pid)
        finally:
            process.kill()
            process.communicate()

    def test_a_target_that_runs_on_is_read_and_unharmed(self):
        process = subprocess.Popen([PYTHON, "-c", BUSY], stdout=subprocess.PIPE)
        try:
            process.stdout.readline()
            for _ in range(5):
                status, said, errors = inspect(process.pid)
                self.assertEqual(status, 0, errors)
                self.assertIn("resident", said)
            self.assertIsNone(process.poll())
        finally:
            process.kill()
            process.communicate()

    def test_a_target_that_runs_on_is_held_still_for_a_snapshot(self):
        process = subprocess.Popen([PYTHON, "-c", BUSY], stdout=subprocess.PIPE)
        try:
            process.stdout.readline()
            for _ in range(3):
                with tempfile.TemporaryDirectory() as folder:
                    path = os.path.join(folder, "heap.snap")
                    # Time enough even where many others want the processor.
                    status, said, errors = inspect("--freeze", "--most-ms", "10000", "--json",
                                                   "-o", path, process.pid)
                    self.assertEqual(status, 0, errors)
                    stop = json.loads(said)["standstill"]
                    self.assertEqual(stop["bytes_late"], 0)
                    self.assertGreater(stop["bytes"], 0)
                    heap = json.loads(said)["heaps"][0]
                    self.assertEqual((heap["torn_pools"], heap["pools_read_again"]), (0, 0))
                    statistics = inspect("--debugmallocstats", path)
                    self.assertEqual(statistics[0], 0, statistics[2])
            self.assertIsNone(process.poll())
            with open("/proc/%d/status" % process.pid) as status:
                self.assertIn("TracerPid:\t0", status.read())
        finally:
            process.kill()
            process.communicate()

    def test_the_time_that_a_target_is_held_is_bounded(self):
        # Of 1 ms nothing is left to copy in: detaching is reckoned with 5. Of a
        # minute there is enough for all, on any machine.
        for most, late in (("1", True), ("60000", False)):
            with StoppedProgram(PYTHON, "wave") as program:
                status, said, errors = inspect("--freeze", "--most-ms", most, "--json",
                                               program.pid)
            self.assertEqual(status, 0, errors)
            stop = json.loads(said)["standstill"]
            arenas = json.loads(said)["heaps"][0]["arena_list"]
            self.assertGreater(len(arenas), 0)
            copied = len(arenas) << 20
            self.assertEqual((stop["bytes"], stop["bytes_late"]),
                             (0, copied) if late else (copied, 0))
            self.assertGreater(stop["milliseconds"], 0)

    def test_a_program_that_sleeps_sleeps_on_after_it_was_held(self):
        # In a select with a timeout, in a thread that waits for a lock, and in the
        # C library's sleep; none may see an error or wake early.
        program = ("import ctypes, select, threading, time\n"
                   "lock = threading.Lock(); lock.acquire()\n"
                   "thread = threading.Thread(target=lock.acquire, daemon=True)\n"
                   "thread.start()\n"
                   "poll = select.epoll()\n"
                   "print('on', flush=True)\n"
                   "begin = time.monotonic()\n"
                   "print(poll.poll(1), flush=True)\n"
                   "time.sleep(0.5)\n"
                   "print(time.monotonic() - begin >= 1.5, thread.is_alive(), flush=True)\n")
        process = subprocess.Popen([PYTHON, "-c", program], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, universal_newlines=True)
        process.stdout.readline()
        while process.poll() is None:
            inspect("--freeze", process.pid)
        said, errors = process.communicate()
        self.assertEqual((said, errors, process.returncode), ("[]\nTrue True\n", "", 0))

    def thread_states(self, path, program):
        """(its thread states, the ids of its threads), while it waits for input."""
        process = subprocess.Popen([path, "-c", program], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        try:
            self.assertEqual(process.stdout.readline(), b"on\n")
            status, said, errors = inspect("--json", process.pid)
            self.assertEqual(status, 0, errors)
            threads = set(map(int, os.listdir("/proc/%d/task" % process.pid)))
            self.assertRegex(inspect(process.pid)[1], r"(?m)^  thread states: \d+ in ")
            return json.loads(said)["thread_states"], threads
        finally:
            process.communicate(b"\n")

    def test_thread_states_are_the_threads_of_the_process(self):
        program = ("import threading\n"
                   "stop = threading.Event()\n"
                   "threads = [threading.Thread(target=stop.wait) for _ in range(3)]\n"
                   "for thread in threads: thread.start()\n"
                   "print('on', flush=True)\n"
                   "input()\n"
                   "stop.set()\n")
        for path in interpreters():
            with self.subTest(path):
                states, threads = self.thread_states(path, program)
                self.assertEqual({state["native_id"] for state in states}, threads)
                self.assertEqual(len(states), 4)
                self.assertEqual({(state["interpreter"], state["runs_python"])
                                  for state in states}, {(0, True)})

    def test_thread_states_of_interpreters_within_one(self):
        program = ("try: import _interpreters as made\n"
                   "except ImportError: import _xxsubinterpreters as made\n"
                   "import threading\n"
                   "first, second = made.create(), made.create()\n"
                   "thread = threading.Thread(target=made.run_string, args=(\n"
                   "    second, 'import os; os.write(1, b\"on\\\\n\"); os.read(0, 1)'))\n"
                   "thread.start(); thread.join()\n")
        tried = [path for path in interpreters() if re.search(r"/3\.(8|9|1\d)\.", path)]
        for path in tried:
            with self.subTest(path):
                states, threads = self.thread_states(path, program)
                ids = {state["interpreter"] for state in states}
                self.assertLessEqual({0, 2}, ids)
                self.assertLessEqual(ids, {0, 1, 2})
                self.assertEqual({state["native_id"] for state in states}, threads)
                running = {state["interpreter"] for state in states if state["runs_python"]}
                self.assertEqual(running, {0, 2})
        if not tried:
            self.skipTest("no interpreter that can hold others is here")

    def test_report_makes_a_page_of_an_inspection(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "now.json")
            with StoppedProgram(PYTHON, "wave") as program:
                with open(path, "w") as out:
                    subprocess.run([ARENALAB, "inspect", "--json", str(program.pid)],
                                   stdout=out, check=True)
            done = subprocess.run([ARENALAB, "report", path], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, universal_newlines=True)
            page = os.path.join(folder, "now.report.html")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", page + "\n"))
            with open(path) as file:
                found = json.load(file)
            with open(page) as file:
                html = file.read()
            for sentence in found["verdict"]:
                self.assertIn(sentence.replace("'", "&#39;"), html.replace("'", "&#39;"))
            self.assertEqual(len(found["verdict"]), 3)
            arenas = found["heaps"][0]["arena_list"]
            self.assertEqual(html.count("<rect "), len(arenas))
            self.assertIn("%d live blocks" % arenas[0]["live_blocks"], html)
            self.assertNotIn("<script", html)
            self.assertNotIn("http", html)
            with open(path, "w") as out:
                json.dump({"schema": "arenalab.inspect/1"}, out)
            done = subprocess.run([ARENALAB, "report", path, "-f"], stderr=subprocess.PIPE,
                                  universal_newlines=True)
            self.assertEqual(done.returncode, 3)
            self.assertIn("not what `arenalab inspect --json` writes", done.stderr)

    def test_watch_prints_lines_until_the_process_ends(self):
        with StoppedProgram(PYTHON, "start") as program:
            watch = subprocess.Popen([ARENALAB, "inspect", "--watch", "0.1", str(program.pid)],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     universal_newlines=True)
            lines = [watch.stdout.readline() for _ in range(2)]
        _, errors = watch.communicate(timeout=120)
        self.assertEqual(watch.returncode, 0, errors)
        for line in lines:
            self.assertRegex(line, r"^Rss .*, pymalloc \d+ arenas hold \d.*, live \d.*, "
                                   r"releasable \d.*, top pinner .* [\d,]+; C library live ")
        self.assertTrue(errors)

    def test_diff_names_what_grew(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for kind in ("start", "records"):
                with StoppedProgram(PYTHON, kind) as program:
                    status, said, errors = inspect("--json", program.pid)
                self.assertEqual(status, 0, errors)
                paths.append(os.path.join(folder, kind))
                with open(paths[-1], "w") as out:
                    out.write(said)
            status, said, _ = inspect("--diff", *paths)
            self.assertEqual(status, 0)
            self.assertRegex(said, r"type   Record +\+[\d,]+ bytes +\+2,858 blocks")
            self.assertRegex(said, r"class  \d+ B ")
            self.assertEqual(inspect("--diff", paths[0], paths[0])[1], "Nothing grew.\n")
            with open(paths[1], "w") as out:
                out.write("{}")
            self.refused("is not what", "--diff", *paths)
        self.refused("two files", "--diff", "x", status=2)


if __name__ == "__main__":
    xml_report.main()

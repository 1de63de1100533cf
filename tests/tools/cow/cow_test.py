"""`arenalab cow`: children that do one thing each, and the cause that their copied
pages are given; and that the program does not notice."""
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import xml_report

ARENALAB = os.path.abspath("tools/cli/arenalab")
PAGE = 4096

# One child after the other. Lists stay under the collector's eye, tuples of
# numbers do not.
PROGRAM = """
import gc, os, sys
lists = [[i] for i in range(30000)]
numbers = [i * 1000003 for i in range(30000)]
def child(action):
    pid = os.fork()
    if pid == 0:
        action()
        os._exit(0)
    os.waitpid(pid, 0)
def nothing():
    pass
def look():
    for number in numbers:
        pass
def write():
    for one in lists:
        one[0] = None
def give_up():
    del numbers[::3]
for action in (nothing, gc.collect, look, write, give_up):
    child(action)
print("done")
"""
NOTHING, COLLECT, LOOK, WRITE, GIVE_UP = range(5)


def interpreters():
    """The system's, and one before and one after immortal objects."""
    found = [shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin")]
    for version in ("3.8", "3.13"):
        found += sorted(glob.glob(os.path.expanduser(
            "~/.pyenv/versions/%s*/bin/python" % version)))[:1]
    return [path for path in found if path]


class Cow(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.json = os.path.join(folder.name, "cow.json")

    def run_cow(self, *command, options=()):
        """(exit status, stdout, stderr) and self.found."""
        done = subprocess.run([ARENALAB, "cow", "--json", self.json, "-f", *options, "--",
                               *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=300)
        if os.path.exists(self.json):
            with open(self.json) as file:
                self.found = json.load(file)
        return done.returncode, done.stdout, done.stderr

    def copied(self, child, *causes):
        """Pages; of all causes if none is named."""
        arenas = self.found["children"][child]["arenas"]
        return sum(pages for cause, pages in arenas["by_cause"].items()
                   if not causes or cause in causes)

    def check(self, path):
        status, said, errors = self.run_cow(path, "-c", PROGRAM)
        self.assertEqual((status, said), (0, "done\n"), errors)
        self.assertIn("5 forked children", errors)
        self.assertNotIn("sitecustomize", errors)
        children = self.found["children"]
        self.assertEqual(len(children), 5)
        for child in children:
            self.assertGreater(child["arenas"]["pages_at_fork"], 500)
            first, last = child["samples"][0], child["samples"][-1]
            grown = last["private_dirty_bytes"] - first["private_dirty_bytes"]
            arenas = PAGE * (child["arenas"]["copied"] + child["arenas"]["pages_fresh"])
            self.assertLessEqual(arenas, grown + 64 * PAGE)
        self.assertLess(self.copied(NOTHING), 30)
        self.assertEqual(children[COLLECT]["collections"], 1)
        self.assertEqual(children[LOOK]["collections"], 0)
        # 30,000 lists of 56 or 64 bytes; 30,000 numbers of 32.
        self.assertGreater(self.copied(COLLECT, "collector"), 300)
        self.assertLess(self.copied(COLLECT, "allocator", "references", "put back", "program",
                                    "several", "links"), 40)
        self.assertGreater(self.copied(LOOK, "put back"), 200)
        self.assertGreater(self.copied(LOOK, "put back"), 0.9 * self.copied(LOOK))
        if self.found["frames_seen"]:
            self.assertLess(self.copied(LOOK, "collector"), 5)
        # None in a list's buffer is its content; the number that it held goes.
        self.assertGreater(self.copied(WRITE, "program", "several"), 100)
        self.assertLess(self.copied(WRITE, "collector"), 5)
        # Every page of numbers has some that go, and most that stay.
        self.assertGreater(self.copied(GIVE_UP, "allocator"), 150)
        types = {row["type"] for row in children[WRITE]["arenas"]["by_type"]}
        # The buffers, and the numbers' counts; those of the lists come back.
        self.assertLessEqual({"(no object)", "int"}, types)
        sizes = {row["block_bytes"]: sum(row["by_cause"].values())
                 for row in children[LOOK]["arenas"]["by_block_bytes"]}
        self.assertGreater(sizes[32], 0.8 * sum(sizes.values()))

    def test_each_child_is_told_by_what_it_did(self):
        for path in interpreters():
            with self.subTest(path):
                self.check(path)

    def test_frozen_objects_are_not_copied_by_the_collector(self):
        status, _, errors = self.run_cow(interpreters()[0], "-c", PROGRAM,
                                         options=["--gc-freeze"])
        self.assertEqual(status, 0, errors)
        self.assertEqual(self.found["children"][COLLECT]["collections"], 1)
        self.assertLess(self.copied(COLLECT), 150)
        self.assertGreater(self.copied(LOOK, "put back"), 200)

    def test_exit_statuses_signals_and_other_programs_are_as_without_it(self):
        self.assertEqual(self.run_cow("sh", "-c", "echo out; exit 7")[:2], (7, "out\n"))
        self.assertIn("No process was forked", self.run_cow("true")[2])
        self.assertEqual(self.run_cow("sh", "-c", "kill -TERM $$")[0], 128 + signal.SIGTERM)
        self.assertEqual(self.run_cow("nowhere/program")[0], 127)
        status, said, errors = self.run_cow("sh", "-c", "(echo child; exec sleep 0); echo parent")
        self.assertEqual((status, said), (0, "child\nparent\n"), errors)
        self.assertIn("n/a", errors)
        self.assertTrue(self.found["children"][0]["executed"])

    def test_threads_handlers_and_subprocesses_work(self):
        program = ("import os, signal, subprocess, sys, threading\n"
                   "got = []\n"
                   "signal.signal(signal.SIGURG, lambda number, frame: got.append(number))\n"
                   "thread = threading.Thread(target=lambda: got.append('thread'))\n"
                   "thread.start(); thread.join()\n"
                   "os.kill(os.getpid(), signal.SIGURG)\n"
                   "print(got, subprocess.check_output([sys.executable, '-c', 'print(5)']))\n"
                   "import multiprocessing\n"
                   "context = multiprocessing.get_context('fork')\n"
                   "with context.Pool(2) as pool:\n"
                   "    print(pool.map(abs, [-1, -2, -3]))\n")
        status, said, errors = self.run_cow(interpreters()[0], "-c", program)
        self.assertEqual((status, said), (0, "['thread', %d] b'5\\n'\n[1, 2, 3]\n" %
                                          signal.SIGURG), errors)
        self.assertGreaterEqual(len(self.found["children"]), 2)

    def test_a_child_that_is_stopped_stays_so_until_it_may_go_on(self):
        process = subprocess.Popen(
            [ARENALAB, "cow", "--", "sh", "-c", "echo $$; kill -STOP $$; echo on"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        pid = int(process.stdout.readline())
        deadline = time.monotonic() + 120
        state = ""
        while state not in ("T", "t") and time.monotonic() < deadline:
            with open("/proc/%d/stat" % pid) as stat:
                state = stat.read().rpartition(") ")[2][0]
        time.sleep(0.2)
        self.assertIsNone(process.poll())
        os.kill(pid, signal.SIGCONT)
        self.assertEqual(process.communicate(timeout=120)[0], "on\n")
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    xml_report.main()

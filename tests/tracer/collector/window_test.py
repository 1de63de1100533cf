"""Recordings that begin in the middle of a program, or go into one file after the
other: each opens with the heap as it is there and is verified alone."""
import json
import os
import re
import struct
import subprocess
import time

import traced_run
import xml_report
from traced_run import ARENALAB, PYTHONS, on_every_interpreter

HEAP_BLOCK = 4  # TRACE_FORMAT.md
MODULE = os.path.abspath("tracer/mark")

# Objects of many sizes and ages before the window, some of which end within it.
PROGRAM = """\
import sys
sys.path.insert(0, %r)
import arenalab_mark, json
class Node:
    def __init__(self, i): self.i, self.d = i, {'x': i, 'y': [i]}
keep = [[Node(i) for i in range(1500)] for r in range(3)]
large = [bytes(2000 + i) for i in range(200)]
arenalab_mark.mark('cold')
arenalab_mark.mark('warm')
for r in range(5):
    keep.append([Node(i) for i in range(1000)])
    json.loads(json.dumps([{'a': i, 'b': str(i) * 40} for i in range(200)]))
    keep.pop(r %% 2)
    if r == 3: arenalab_mark.mark('stop')
del large
print('done')
""" % MODULE

FORKING = """\
import sys, os
sys.path.insert(0, %r)
import arenalab_mark
keep = [[str(i) for i in range(r, r + 3000)] for r in range(5)]
def child():
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        keep.pop()
        more = [[i] for i in range(3000)]
        os._exit(0)
    os.waitpid(pid, 0)
child()
arenalab_mark.mark('warm')
keep.pop(0)
child()
keep.append([str(i) for i in range(3000)])
print('done')
""" % MODULE

# Four threads, and libc beneath them; says when it is up, ends with its input.
THREADS = """\
import sys, threading
stop = False
def churn():
    held = []
    while not stop:
        held.append([str(i) + 'x' * (i % 700) for i in range(300)])
        if len(held) > 8: del held[::2]
threads = [threading.Thread(target=churn) for n in range(4)]
for t in threads: t.start()
sys.stdout.write('up\\n'); sys.stdout.flush()
sys.stdin.readline()
stop = True
for t in threads: t.join()
"""

# Goes on until the recording has begun its fourth file, or one after it: a
# collector that had to wait for a processor may write many at once.
ROUNDS = """\
import glob, re, sys
class Node:
    def __init__(self, i): self.i, self.d = i, {'x': i, 'y': [i]}
keep = []
r = 0
while not any(int(re.search('part([0-9]+)', name).group(1)) > 3
              for name in glob.glob(sys.argv[1] + '/*.part*.trace')):
    r += 1
    keep.append([Node(i * r) for i in range(3000)])
    if len(keep) > 5: keep.pop(r * 7 % 5)
print('done')
"""


def part_of(path):
    return int(re.search(r"part(\d+)|$", path)[1] or 1)


class WindowTest(traced_run.TracedRun):

    def marks(self, trace=None):
        return [line.split(" t=")[0][5:] for line in self.lines(trace)
                if line.startswith("mark ")]

    def report(self, trace=None):
        report = json.loads(self.arenalab("verify", "--json", trace or self.trace))
        self.assertEqual(report["status"], "equal", report)
        self.assertEqual(report["mismatches"], 0)
        return report

    @on_every_interpreter
    def test_it_begins_at_a_mark_with_the_heap_of_that_moment(self, python):
        self.record(python, self.write(PROGRAM), options=["--from-mark", "warm"])
        self.assertEqual(self.output, "done\n")
        self.assertEqual(self.marks(), ["warm", "stop", "finalise"])
        self.assertRegex(self.meta()["window"], r"^\d+ mark warm$")
        report = self.report()
        self.assertGreater(report["seeded_blocks"], 15000)
        # The large blocks are malloc's, of which the heap does not tell.
        self.assertGreater(report["unknown_objects"], 199)
        self.assertRegex(self.lint(), r"legal[^\n]*\n.*: \d{3,} blocks from before")

    def test_without_its_heap_it_is_not_verified(self):
        self.record(PYTHONS[0], self.write(PROGRAM), options=["--from-mark", "warm"])
        self.arenalab("verify", "--self-test", self.trace)
        with open(self.trace, "rb") as file:
            whole = file.read()
        kept, at = whole[:16], 16
        while at < len(whole):
            kind, stored = struct.unpack_from("<II", whole, at)
            end = at + 16 + stored
            kept += b"" if kind == HEAP_BLOCK else whole[at:end]
            at = end
        self.assertLess(len(kept), len(whole))
        headless = os.path.join(self.folder, "headless")
        with open(headless, "wb") as file:
            file.write(kept)
        self.assertIn("had arenas already",
                      self.arenalab("verify", headless, status=3))

    def test_it_ends_at_a_mark_and_the_program_goes_on(self):
        self.record(PYTHONS[0], self.write(PROGRAM),
                    options=["--from-mark", "warm", "--until-mark", "stop"])
        self.assertEqual(self.output, "done\n")
        self.assertEqual(self.marks(), ["warm", "stop"])
        events = [line for line in self.lines() if not line.startswith("end ")]
        self.assertTrue(events[-1].startswith("mark stop"), events[-1])
        self.report()
        self.assertIn("legal", self.lint())

    def test_without_its_mark_nothing_is_recorded_and_the_marks_are_named(self):
        self.record(PYTHONS[0], self.write(PROGRAM), status=125,
                    options=["--from-mark", "never"])
        self.assertEqual(self.output, "done\n")
        self.assertIn("no mark `never`", self.errors)
        self.assertIn("cold, finalise, stop, warm", self.errors)
        self.assertEqual(self.traces(), [])

    def test_a_mark_from_outside_begins_it_while_threads_run(self):
        for python in {PYTHONS[0], PYTHONS[-1]}:
            process = self.start(python, self.write(THREADS), stdin=subprocess.PIPE,
                                 options=["-f", "--from-mark", "go"])
            self.assertEqual(process.stdout.readline(), b"up\n")
            children = subprocess.check_output(
                ["ps", "-o", "pid=", "--ppid", str(process.pid)]).split()
            self.arenalab("mark", children[0].decode(), "go")
            self.wait_for(lambda: os.path.exists(self.trace) and
                          os.path.getsize(self.trace) > 200_000)
            process.communicate(b"\n", timeout=120)
            self.assertEqual(process.returncode, 0)
            self.assertEqual(self.marks()[0], "go")
            self.assertGreater(self.report()["seeded_blocks"], 1000)
            self.assertIn("legal", self.lint())

    def wait_for(self, condition):
        end = time.monotonic() + 120
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_a_duration_ends_it_for_all_processes_and_they_go_on(self):
        process = self.start(PYTHONS[0], self.write(THREADS), stdin=subprocess.PIPE,
                             options=["--duration", "0.2"])
        self.assertEqual(process.stdout.readline(), b"up\n")

        def complete():
            done = subprocess.run([ARENALAB, "trace", "lint", self.trace],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return done.returncode == 0 and b"incomplete" not in done.stdout
        self.wait_for(complete)
        self.assertIsNone(process.poll())
        size = os.path.getsize(self.trace)
        process.communicate(b"\n", timeout=120)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(os.path.getsize(self.trace), size)
        self.assertNotIn("finalise", self.marks())
        self.report()

    def test_a_child_is_recorded_if_it_was_forked_within_it(self):
        self.record(PYTHONS[0], self.write(FORKING), options=["--from-mark", "warm"])
        self.assertEqual(self.output, "done\n")
        self.assertEqual(len(self.traces()), 2, self.errors)
        child = next(path for path in self.traces() if path != self.trace)
        self.assertEqual(self.meta(child)["parent"], "t.trace 1")
        self.assertGreater(self.report(child)["seeded_blocks"], 10000)
        self.assertIn("legal", self.lint(child))
        self.assertIn("legal", self.lint())
        self.assertIn("2 equal", self.arenalab("verify", "--run", self.trace))

    def test_each_file_of_a_rotation_is_verified_alone(self):
        self.record(PYTHONS[-1], self.write(ROUNDS), self.folder,
                    options=["--rotate", "60K", "--keep", "3"])
        self.assertEqual(self.output, "done\n")
        files = self.traces()
        self.assertEqual(len(files), 3)
        self.assertNotIn(self.trace, files)
        for path in files:
            self.assertGreater(self.report(path)["seeded_blocks"], 3000)
            self.assertIn("legal", self.lint(path))
            self.assertNotIn("incomplete", self.lines(path))
        self.assertIn("next: arenalab verify " + max(files, key=part_of), self.errors)

    def test_with_types_and_call_sites_each_file_has_its_names(self):
        self.record(PYTHONS[0], self.write(ROUNDS), self.folder,
                    options=["--rotate", "60K", "--types", "--callsites"])
        files = sorted(self.traces(), key=part_of)
        self.assertGreater(len(files), 3)
        for path in files:
            self.report(path)
        for path in files[1:3]:
            text = "\n".join(self.lines(path))
            self.assertIn(" type=Node", text)
            self.assertRegex(text, r" site=\S*program\.py:3:\S*__init__")

    def test_words_that_are_no_rotation_are_refused(self):
        for options in (["--rotate", "64"], ["--rotate", "64m"], ["--rotate", "-1M"],
                        ["--rotate", "infs"], ["--keep", "2"], ["--duration", "0"]):
            done = subprocess.run([ARENALAB, "record", *options, "--", "true"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 2, options)
            self.assertIn(options[0].encode(), done.stderr)


if __name__ == "__main__":
    xml_report.main()

"""Recordings of real programs by every interpreter of this machine: what is
recorded, in which order, and that the program notices nothing."""
import collections
import os
import re
import shutil
import subprocess
import sys

import traced_run
import xml_report
from traced_run import PYTHONS, on_every_interpreter

COUNTING = os.path.abspath("tests/tracer/preload/libcounting_hooks.so")
CHURN = os.path.abspath("tests/tracer/preload/libchurn.so")
COUNTER = os.path.abspath("tracer/preload/libarenalab_count.so")
ONE_TICKET = os.path.abspath("tracer/preload/libarenalab_one_ticket.so")

PROGRAM = """\
import json
class Node:
    def __init__(self, i): self.i, self.d = i, {'x': i, 'y': [i]}
keep = []
for r in range(4):
    keep.append([Node(i) for i in range(8000)])
    json.loads(json.dumps([{'a': i, 'b': str(i) * 40} for i in range(1500)]))
    if r % 2: keep.pop(0)
print('done', bytes(range(5)))
"""


class RecordTest(traced_run.TracedRun):

    @on_every_interpreter
    def test_every_address_is_the_one_that_pymalloc_gives(self, python):
        program = self.write(PROGRAM)
        self.record(python, program)
        self.assertEqual(self.output, "done b'\\x00\\x01\\x02\\x03\\x04'\n")
        events = int(re.search(r"([\d,]+) events", self.errors)[1]
                     .replace(",", ""))
        self.assertGreater(events, 100000)
        self.assertIn("legal", self.lint())
        self.assertIn("equal", self.verify())
        meta = self.meta()
        self.assertEqual(meta["allocator"], "pymalloc")
        self.assertEqual(meta["layers"], "top")
        self.assertTrue(subprocess.check_output(
            [python, "-c", "import sys; print(sys.version)"])
            .decode().startswith(meta["python"] + " "))

    def test_packed_it_is_the_same_trace_in_fewer_bytes(self):
        for python in {PYTHONS[0], PYTHONS[-1]}:
            self.record(python, self.write(PROGRAM))
            packed = os.path.join(self.folder, "packed")
            self.arenalab("trace", "pack", "-f", self.trace, "-o", packed)
            self.assertLess(os.path.getsize(packed),
                            0.7 * os.path.getsize(self.trace))
            self.assertEqual(self.lines(packed), self.lines())
            self.assertIn("legal", self.lint(packed))

            def verdict(trace):
                return self.verify(trace).replace(trace, "")
            self.assertEqual(verdict(packed), verdict(self.trace))
            self.assertIn("equal", verdict(packed))
            again = os.path.join(self.folder, "again")
            self.arenalab("trace", "unpack", "-f", packed, "-o", again)
            self.assertEqual(self.lines(again), self.lines())

    @on_every_interpreter
    def test_counts_are_those_of_an_independent_hook(self, python):
        if traced_run.version_of(python) == (3, 6):
            self.skipTest("3.6 takes the witness's hooks off in its main")
        program = self.write(PROGRAM)
        counts = os.path.join(self.folder, "counts")
        self.record(python, program, LD_PRELOAD=COUNTING, COUNTS=counts)
        counted = {}
        with open(counts) as lines:
            for line in lines:
                layer, requests, frees = line.split()
                counted[layer] = (int(requests), int(frees))
        recorded, layers = collections.Counter(), {}
        for line in self.lines():
            kind, *rest = line.split()
            if kind in ("malloc", "calloc", "realloc"):
                layer = re.search(r"domain=(\w+)", line)
                if kind != "realloc" or layer or rest[0] not in layers:
                    layers[rest[0]] = layer[1] if layer else "obj"
                recorded[layers[rest[0]], 0] += 1
            elif kind == "free":
                recorded[layers.pop(rest[0]), 1] += 1
        for layer in ("mem", "obj"):
            self.assertGreater(counted[layer][0], 1000)
            for i in (0, 1):
                self.assertEqual(recorded[layer, i], counted[layer][i],
                                 (layer, i))

    def test_the_hook_that_only_counts_counts_the_recorded_requests(self):
        # Of a program whose start asks for as much each time.
        program, counts = self.write(PROGRAM), os.path.join(self.folder, "n")
        fixed = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        self.record(PYTHONS[0], program, **fixed)
        recorded = sum(line.split()[0] in ("malloc", "calloc", "aligned",
                                           "realloc", "free")
                       for line in self.lines())
        subprocess.run([PYTHONS[0], program], check=True, env=self.environment(
            {**fixed, "LD_PRELOAD": COUNTER, "ARENALAB_COUNT": counts}),
                       stdout=subprocess.DEVNULL)
        with open(counts) as count:
            self.assertAlmostEqual(int(count.read()), recorded,
                                   delta=recorded * 0.001)

    @on_every_interpreter
    def test_the_hooks_survive_pythonmalloc(self, python):
        program = self.write(PROGRAM)
        for setting, beneath in (("malloc", "malloc"), ("debug", "debug"),
                                 ("pymalloc", "pymalloc")):
            self.record(python, program, PYTHONMALLOC=setting)
            self.assertEqual(self.meta()["allocator"], beneath, setting)
            objects = sum(line.startswith("malloc ") and
                          "domain=" not in line for line in self.lines())
            self.assertGreater(objects, 50000, setting)

    def churn(self, python, function, recorder=None):
        # One heap and no caches, or the addresses of one thread would hardly
        # ever be handed to another, and a wrong order would pass.
        self.record(
            python, "-c", "import ctypes; ctypes.CDLL(%r).%s(8, 40000)" %
            (CHURN, function), recorder=recorder, MALLOC_ARENA_MAX="1",
            GLIBC_TUNABLES="glibc.malloc.tcache_count=0")

    @on_every_interpreter
    def test_threads_of_libc_give_no_double_allocation(self, python):
        for function in ("Churn", "Churn", "ChurnRaw"):
            self.churn(python, function)
            report = self.lint()
            self.assertIn(": legal", report)
            self.assertGreater(int(re.search(r"(\d+) requests", report)[1]),
                               300000)

    def test_a_tracer_that_takes_one_ticket_for_a_realloc_is_found_out(self):
        # The recorder takes the library that lies beside it.
        recorder = os.path.join(self.folder, "tools/cli/arenalab")
        library = os.path.join(self.folder,
                               "tracer/preload/libarenalab_trace.so")
        os.makedirs(os.path.dirname(recorder))
        os.makedirs(os.path.dirname(library))
        shutil.copy(traced_run.ARENALAB, recorder)
        shutil.copy(ONE_TICKET, library)
        # On a machine with one core to spare, threads seldom meet.
        for function in 10 * ("Churn", "ChurnRaw"):
            self.churn(PYTHONS[0], function, recorder=recorder)
            lint = subprocess.run(
                [traced_run.ARENALAB, "trace", "lint", self.trace],
                stdout=subprocess.PIPE)
            if lint.returncode == 1:
                self.assertRegex(lint.stdout, b"double")
                return
        self.fail("lint finds every trace of it legal")

    @on_every_interpreter
    def test_threads_of_python_keep_the_order_of_pymalloc(self, python):
        program = self.write("""\
import threading
def work():
    for i in range(40):
        x = [str(j) * (j % 60) for j in range(500)]
for _ in range(3):
    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads: t.start()
    for t in threads: t.join()
""")
        self.record(python, program)
        self.assertIn("legal", self.lint())
        self.assertIn("equal", self.verify())
        self.assertTrue(any("thread=8" in line for line in self.lines()))

    def test_more_threads_in_all_than_the_ring_has_streams(self):
        program = self.write("""\
import threading
for _ in range(1000):
    t = threading.Thread(target=lambda: b'x' * 100000)
    t.start(); t.join()
""")
        self.record(PYTHONS[0], program)
        self.assertIn("legal", self.lint())
        self.assertNotIn("lost.threads", self.meta())

    @on_every_interpreter
    def test_isolated_interpreters_have_states_of_their_own(self, python):
        if traced_run.version_of(python) < (3, 12):
            self.skipTest("all interpreters share one pymalloc before 3.12")
        program = self.write("""\
import sys, threading
if sys.version_info >= (3, 13):
    import _interpreters
    create, run = lambda: _interpreters.create('isolated'), _interpreters.exec
else:
    import _xxsubinterpreters as _interpreters
    create = lambda: _interpreters.create(isolated=True)
    run = _interpreters.run_string
code = '''
x = [str(i) * (i % 50) for i in range(20000)]
y = {k: [k] * 200 for k in x[:2000]}
del x
'''
ids = [create() for _ in range(3)]
threads = [threading.Thread(target=run, args=(i, code)) for i in ids]
for t in threads: t.start()
z = [str(i) for i in range(100000)]
for t in threads: t.join()
for i in ids: _interpreters.destroy(i)
""")
        self.record(python, program)
        self.assertIn("legal", self.lint())
        self.assertIn("in 4 interpreters", self.verify())
        states = collections.Counter(
            state for line in self.lines()
            for state in re.findall(r" state=(\d+)", line))
        self.assertEqual(len(states), 3)
        self.assertGreater(min(states.values()), 50000)

    @on_every_interpreter
    def test_with_layers_a_block_is_seen_where_it_passes(self, python):
        program = "x = bytes(900000); del x"
        self.record(python, "-c", program)
        self.assertFalse(any("depth=" in line for line in self.lines()))
        big = [line for line in self.lines() if " 900033" in line]
        self.assertEqual(len(big), 1, big)
        self.record(python, "-c", program, options=["--layers"])
        self.assertIn("legal", self.lint())
        big = [line for line in self.lines() if " 900033" in line]
        self.assertEqual([(re.findall(r"domain=(\w+)", line),
                           re.findall(r"depth=(\d)", line)) for line in big],
                         [(["libc"], ["2"]), (["raw"], ["1"]), ([], [])])
        self.assertEqual(
            len(set(re.search(r"addr=(\w+)", line)[1] for line in big)), 1)

    @on_every_interpreter
    def test_the_finalise_mark_stands_once_before_the_end(self, python):
        program = self.write(PROGRAM)
        self.record(python, program)
        lines = self.lines()
        marks = [i for i, line in enumerate(lines)
                 if line.startswith("mark finalise")]
        self.assertEqual(len(marks), 1)
        # What the program kept is given up after it, and it is much.
        self.assertGreater(len(lines) - marks[0], 16000)

    def test_memory_is_sampled_and_time_goes_on(self):
        def samples():
            return [int(line.split()[1]) for line in self.lines()
                    if line.startswith("memory ")]
        # Without marks: the only one is the end's.
        process = self.start(PYTHONS[0], "-c", """\
import os, time
x = b'x' * 50000000
print('begun', flush=True)
while not os.path.exists('enough'):
    y = [str(i) for i in range(2000)]
    time.sleep(0.01)
""")
        self.assertEqual(process.stdout.readline(), b"begun\n")
        self.wait_until(lambda: len(samples()) >= 6)
        self.write("", "enough")
        _, errors = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0, errors)
        samples = samples()
        # With the tracer's own pages left out.
        self.assertTrue(any(56e6 < sample < 75e6 for sample in samples),
                        samples)
        times = [int(t) for line in self.lines()
                 for t in re.findall(r" t=(\d+)", line)]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[-1], 500e6)


if __name__ == "__main__":
    print("interpreters:", *PYTHONS, file=sys.stderr)
    xml_report.main()

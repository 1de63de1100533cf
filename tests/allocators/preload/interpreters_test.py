"""Every interpreter found, on every allocator: it runs, on that allocator, and cannot tell."""
import os
import subprocess
import sys
import unittest

import interpreters
import preloaded_run
import xml_report

# Prints what depends on each block's contents, and what the program sees of us.
PROGRAM = """
import os, sys
words = [str(i) * 3 for i in range(60000)]
table = {word: (word, [i]) for i, word in enumerate(words)}
del words[::2]
grown = bytearray()
for i in range(3000): grown += b'x' * (i % 50)
print(len(words), sum(map(len, table)), len(grown), bytes(5000) == bytes(grown)[:0] + bytes(5000))
print(sorted(name for name in os.environ
             if 'ARENALAB' in name or name in ('LD_PRELOAD', 'PYTHONMALLOC')))
"""
ANSWER = "30000 866670 73500 True\n[]\n"

CHILDREN = """
import os, subprocess, sys
code = "import sys; print('libarenalab_' in open('/proc/self/maps').read())"
for options in ({}, {'env': {}}):
    print(subprocess.check_output([sys.executable, '-c', code], **options).decode().strip())
child = os.fork()
if child == 0:
    kept = [str(i) for i in range(50000)]
    os._exit(len(kept) % 251)
print(os.waitpid(child, 0)[1] >> 8)
"""

THREADS = """
import threading
sums = []
def work(seed):
    kept = {}
    for i in range(40000):
        kept[(i * seed) % 4001] = bytes([i % 256]) * (i % 700)
    sums.append(sum(len(value) + sum(value[:1]) for value in kept.values()))
threads = [threading.Thread(target=work, args=(7,)) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(set(sums)))
"""

NO_MEMORY = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
kept = []
try:
    while True: kept.append((str(len(kept)), bytes(300)))
except MemoryError:
    kept = None
    print('MemoryError')
print(sum(len(str(i)) for i in range(100000)))
"""


# Blocks of every size are made, grown, shrunk and dropped at random, by three threads and a child;
# each holds its own number throughout, and is looked at whenever it is touched.
SOAK = """
import os, random, sys, threading
def soak(seed, turns):
    rng, live = random.Random(seed), {}
    def check(key):
        block, mark = live[key]
        assert block.count(mark) == len(block), (key, len(block))
        return block
    for turn in range(turns):
        key = rng.randrange(3000)
        if key not in live:
            mark = bytes([key % 256])
            live[key] = bytearray(mark * rng.randrange(1, 700)), mark
        elif turn % 3 == 0:
            check(key).extend(live[key][1] * rng.randrange(1, 300))
        elif turn % 3 == 1:
            del check(key)[rng.randrange(1, 400):]
        else:
            check(key)
            del live[key]
    for key in live: check(key)
    return len(live)
turns = int(sys.argv[1]) if len(sys.argv) > 1 else 6000
counts = []
threads = [threading.Thread(target=lambda n: counts.append(soak(n, turns)), args=(n,))
           for n in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
kept = [str(i) * 3 for i in range(20000)]
child = os.fork()
if child == 0:
    soak(9, turns)
    os._exit(all(kept[i] == str(i) * 3 for i in range(20000)) * 5)
print(len(counts), os.waitpid(child, 0)[1] >> 8, all(kept[i] == str(i) * 3 for i in range(20000)))
"""


EARLY = os.path.abspath("tests/allocators/preload/libearly_blocks.so")

# Grown, shrunk and freed once something else serves the domain.
EARLY_BLOCKS = """
import ctypes
early, python = ctypes.CDLL(%r), ctypes.pythonapi
python.PyObject_Realloc.restype = ctypes.c_void_p
python.PyObject_Realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
python.PyObject_Free.argtypes = [ctypes.c_void_p]
for take, mark, sizes in (early.early_small, b'a', (300, 40, 9000)), (
        early.early_large, b'b', (8000, 400, 90)):
    take.restype = ctypes.c_void_p
    block = take()
    least = 100 if mark == b'a' else 5000
    for size in sizes:
        block = python.PyObject_Realloc(block, size)
        least = min(least, size)
        assert ctypes.string_at(block, least) == mark * least
    python.PyObject_Free(block)
print(len([str(i) for i in range(50000)]))
""" % EARLY


class Interpreters(preloaded_run.PreloadedRun):

    @preloaded_run.on_every_interpreter
    def test_run_on_every_allocator(self, python, version):
        for allocator in preloaded_run.EVERY:
            with self.subTest(allocator=allocator):
                self.assertEqual(self.run_program(python, PROGRAM, allocator=allocator)[0], ANSWER)
                self.assertEqual(self.summary["allocator"], allocator)
                self.assertEqual(self.summary["hooks"], "kept")
        # 60,000 strings and more do not fit into fewer: the clone served them.
        self.run_program(python, PROGRAM)
        self.assertGreater(int(self.summary["arenas_created"]), 8)

    @preloaded_run.on_every_interpreter
    def test_run_on_every_allocator_whatever_python_was_told(self, python, version):
        for options, wish in (((), "malloc"), ((), "debug"), (("-I",), None),
                              (("-X", "dev"), None), (("-X", "dev", "-E"), "debug")):
            with self.subTest(options=options, wish=wish):
                environment = {} if wish is None else {"PYTHONMALLOC": wish}
                code = "kept = [str(i) for i in range(60000)]"
                self.run_program(python, code, *options, **environment)
                looks = wish == "debug" and "-E" not in options and (
                    "-I" not in options or version < (3, 7))
                debug = looks or "dev" in options and version >= (3, 7)
                self.assertEqual(self.summary["hooks"], "debug" if debug else "kept")
                self.assertGreater(int(self.summary["arenas_created"]), 2)

    @preloaded_run.on_every_interpreter
    def test_children_run_on_it_too(self, python, version):
        self.assertEqual(self.run_program(python, CHILDREN)[0], "True\nTrue\n51\n")

    @preloaded_run.on_every_interpreter
    def test_every_block_keeps_its_contents(self, python, version):
        self.assertEqual(self.run_program(python, SOAK)[0], "3 5 True\n")

    def test_every_block_keeps_its_contents_on_every_allocator_and_policy(self):
        for allocator in preloaded_run.EVERY:
            with self.subTest(allocator=allocator):
                self.assertEqual(self.run_program(self.newest(), SOAK, allocator=allocator)[0],
                                 "3 5 True\n")
        for settings in ("madvise_free_pools:1", "free_list:address,pool_choice:fullest",
                         "arena_choice:address,keep_arenas:3", "keep_arenas:8,decay_bytes:65536"):
            with self.subTest(settings=settings):
                self.assertEqual(self.run_program(self.newest(), SOAK,
                                                  ARENALAB_PYMALLOC=settings)[0], "3 5 True\n")

    @preloaded_run.on_every_interpreter
    def test_a_block_from_before_is_grown_and_freed_by_its_own_allocator(self, python, version):
        if version >= (3, 12):
            return  # no block can be had before the interpreter has started
        for allocator in ("pymalloc", "pass-through"):
            with self.subTest(allocator=allocator):
                self.assertEqual(self.run_program(python, EARLY_BLOCKS, allocator=allocator,
                                                  behind=EARLY)[0], "50000\n")
        for allocator in ("mimalloc", "system"):
            with self.subTest(allocator=allocator):
                stderr = self.run_program(python, EARLY_BLOCKS, allocator=allocator, behind=EARLY,
                                          status=125)[1]
                self.assertIn("had blocks from this interpreter already", stderr)

    def newest(self):
        found = interpreters.interpreters()
        return found[list(found)[-1]]

    @preloaded_run.on_every_interpreter
    def test_what_it_weighs_at_a_request_when_it_goes_down_and_at_the_end(self, python, version):
        place = os.path.join(self.folder, "measured")
        for allocator in ("pass-through", "pymalloc"):
            self.run_program(python, "kept = [bytes(100) for _ in range(100000)]",
                             allocator=allocator, ARENALAB_MEASURE_AT=place + ":1000,2000")
            with open(place) as file:
                lines = [line.split() for line in file]
            os.remove(place)
            self.assertEqual([line[0] for line in lines], ["1000", "2000", "finalise", "end"])
            # The list still lives when the interpreter begins to go down.
            grown = int(lines[2][1]) - int(lines[1][1])
            self.assertGreater(grown, 100000 * 112 // 1024)

    def test_threads(self):
        for allocator in preloaded_run.EVERY:
            with self.subTest(allocator=allocator):
                self.assertEqual(self.run_program(self.newest(), THREADS, allocator=allocator)[0],
                                 "1\n")

    def test_out_of_memory_is_a_memory_error(self):
        for allocator in preloaded_run.EVERY:
            with self.subTest(allocator=allocator):
                self.assertEqual(self.run_program(self.newest(), NO_MEMORY, allocator=allocator)[0],
                                 "MemoryError\n488890\n")

    def test_isolated_interpreters_have_a_heap_each(self):
        tried = 0
        program = os.path.abspath("tools/study/isolated_interpreters.py")
        with open(program) as file:
            code = file.read().replace("range(40)", "range(4)")
        for version, python in interpreters.interpreters().items():
            if interpreters.number(version) < (3, 12):
                continue
            tried += 1
            for allocator in preloaded_run.EVERY:
                with self.subTest(python=version, allocator=allocator):
                    self.assertEqual(self.run_program(python, code, allocator=allocator)[0], "4\n")
        if not tried:
            self.skipTest("no interpreter of 3.12 or later here")

    def test_the_raw_domain_where_an_allocator_can_serve_it(self):
        for allocator in ("mimalloc", "jemalloc", "system", "pass-through"):
            with self.subTest(allocator=allocator):
                self.assertEqual(self.run_program(self.newest(), PROGRAM, allocator=allocator,
                                                  ARENALAB_SCOPE="raw")[0], ANSWER)
                self.assertEqual(self.summary["scope"], "raw")

    def test_another_generation_and_settings(self):
        for settings in ("cpython-3.9", "classic", "cpython-2.3", "keep_arenas:4",
                         "geometry:cpython-3.8,arena_choice:address"):
            with self.subTest(settings=settings):
                self.assertEqual(self.run_program(self.newest(), PROGRAM,
                                                  ARENALAB_PYMALLOC=settings)[0], ANSWER)
                self.assertIn(settings, self.summary["settings"])

    def test_a_library_by_its_path(self):
        path = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
        if not os.path.exists(path):
            self.skipTest("no " + path)
        output, stderr = self.run_program(self.newest(), PROGRAM, allocator="library", behind=path,
                                          MALLOC_CONF="stats_print:true")
        self.assertEqual(output, ANSWER)
        self.assertIn("jemalloc statistics", stderr)

    def test_a_process_without_an_interpreter_keeps_its_environment(self):
        shown = subprocess.check_output(
            ["env"], env={"LD_PRELOAD": preloaded_run.library("pymalloc"), "ARENALAB_STATS": "1",
                          "PATH": os.environ["PATH"]}).decode()
        self.assertIn("ARENALAB_STATS=1\n", shown)
        self.assertIn("LD_PRELOAD=", shown)


class Refusals(preloaded_run.PreloadedRun):

    def refusal(self, allocator, behind="", **environment):
        output, stderr = self.run_program(sys.executable, "print('ran')", allocator=allocator,
                                          behind=behind, status=125, **environment)
        self.assertEqual(output, "")
        self.assertEqual(stderr.count("\n"), 1)
        self.assertTrue(stderr.startswith("arenalab: %s: " % allocator), stderr)
        return stderr

    def test_pymalloc_under_the_raw_domain(self):
        self.assertIn("without the interpreter's lock",
                      self.refusal("pymalloc", ARENALAB_SCOPE="raw"))

    def test_a_scope_a_setting_and_a_generation_that_are_none(self):
        self.assertIn("mem+obj or raw", self.refusal("system", ARENALAB_SCOPE="all"))
        self.assertIn("no such key", self.refusal("pymalloc", ARENALAB_PYMALLOC="pools:3"))
        self.assertIn("no such generation", self.refusal("pymalloc", ARENALAB_PYMALLOC="3.99"))
        self.assertIn("lanes", self.refusal("pymalloc", ARENALAB_PYMALLOC="lanes:domain"))

    def test_no_library_behind(self):
        self.assertIn("no malloc library is preloaded behind", self.refusal("library"))

    def test_a_free_threaded_build(self):
        fake = os.path.abspath("tests/allocators/preload/libfree_threaded.so")
        done = subprocess.run(["true"], stderr=subprocess.PIPE, universal_newlines=True,
                              env={"LD_PRELOAD": preloaded_run.library("mimalloc") + " " + fake,
                                   "PATH": os.environ["PATH"]})
        self.assertEqual(done.returncode, 125)
        self.assertIn("free-threaded build: its cycle collector", done.stderr)


if __name__ == "__main__":
    xml_report.main()

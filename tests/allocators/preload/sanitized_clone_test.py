"""The clone under real interpreters, compiled with the address and undefined-behaviour
sanitizers. Long; a part of `./tools/test --long`.

Bazel's sanitizer builds leave preload libraries out: they would want the runtime in an
executable that is the interpreter's. So the library is compiled here, from the same
sources, and the runtime preloaded before it. Python's own code is not instrumented: what
is watched is each access of the clone's, and that none of its blocks leaves its memory.
"""
import glob
import os
import subprocess
import tempfile
import unittest

import interpreters
import interpreters_test
import regression_suite
import xml_report

SOURCES = ("allocators/preload/pymalloc.cc", "allocators/arena_source.cc")
# What every preload library shares; BUILD's `installer`.
SHARED = ("exit_report", "finalise_note", "installer", "measure_at", "python_methods",
          "taken_environment")
MODULES = ("test_dict", "test_gc", "test_json", "test_threading")
WORKLOADS = (("class_trees", 300), ("json_round_trips", 500), ("strings", 300))


def compiled(folder):
    """The library's path."""
    path = os.path.join(folder, "libarenalab_pymalloc.so")
    subprocess.run(
        ["g++", "-std=c++20", "-g", "-O1", "-fPIC", "-shared", "-fvisibility=hidden",
         "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined",
         "-fno-omit-frame-pointer", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
         "-ftls-model=initial-exec", "-I.", *SOURCES,
         *("allocators/preload/%s.cc" % name for name in SHARED),
         *sorted(glob.glob("allocators/pymalloc/*.cc")),
         *sorted(glob.glob("allocators/interpreter/*.cc")),
         "-Wl,--version-script=allocators/preload/exports.lds", "-ldl", "-o", path],
        check=True)
    return path


class SanitizedClone(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        runtime = subprocess.check_output(["g++", "-print-file-name=libasan.so"],
                                          universal_newlines=True).strip()
        cls.library = compiled(cls.folder)
        cls.faults = os.path.join(cls.folder, "faults")
        options = "log_path=%s:detect_leaks=0:allocator_may_return_null=1:exitcode=99" % cls.faults
        cls.environment = dict(
            os.environ, LD_PRELOAD=runtime + " " + cls.library, ASAN_OPTIONS=options,
            UBSAN_OPTIONS="log_path=%s:print_stacktrace=1" % cls.faults,
            PYTHONDONTWRITEBYTECODE="1", ARENALAB_STATS=os.path.join(cls.folder, "report"))

    def run_quietly(self, command):
        """The finished process; what the sanitizers found is in self.found()."""
        return subprocess.run(["setarch", "-R", *command], env=self.environment, cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=1800)

    def found(self):
        """Their reports, this process's and its children's; taken away."""
        text = ""
        for path in glob.glob(self.faults + "*"):
            with open(path) as file:
                text += file.read()
            os.remove(path)
        return text

    def run_clean(self, command):
        done = self.run_quietly(command)
        self.assertEqual(self.found(), "", command)
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, text[-2000:])
        with open(self.environment["ARENALAB_STATS"]) as file:
            lines = [line for line in file if line.startswith("arenalab exec: ")]
        os.remove(self.environment["ARENALAB_STATS"])
        self.assertIn("allocator=pymalloc", lines[-1])
        return text

    def test_the_library_is_instrumented(self):
        symbols = subprocess.check_output(["nm", "-D", self.library], universal_newlines=True)
        self.assertIn("__asan_report_load8", symbols)
        self.assertIn("__ubsan_handle", symbols)

    def test_a_fault_is_seen(self):
        code = ("import ctypes\nc = ctypes.CDLL(None)\nc.malloc.restype = ctypes.c_void_p\n"
                "c.memset(ctypes.c_void_p(c.malloc(8)), 1, 64)\n")
        self.assertEqual(self.run_quietly(["python3", "-c", code]).returncode, 99)
        self.assertIn("heap-buffer-overflow", self.found())

    def test_programs_on_every_interpreter(self):
        for version, python in interpreters.interpreters().items():
            with self.subTest(python=version):
                self.assertEqual(
                    self.run_clean([python, "-c", interpreters_test.SOAK]), "3 5 True\n")
                self.assertEqual(
                    self.run_clean([python, "-c", interpreters_test.THREADS]), "1\n")
                for name, size in WORKLOADS:
                    self.run_clean([python, os.path.abspath("workloads/%s.py" % name),
                                    "--size", str(size)])

    def test_modules_of_cpythons_own_suite(self):
        for version, python in interpreters.interpreters().items():
            number = interpreters.number(version)
            for module in MODULES:
                if not regression_suite.installed(python, number, module):
                    continue
                with self.subTest(python=version, module=module):
                    outcomes = os.path.join(self.folder, "outcomes")
                    # Whether it passes is exec_suite's question; here, whether it is clean.
                    self.run_quietly(regression_suite.command(python, number, module, outcomes,
                                                              self.folder))
                    self.assertEqual(self.found(), "")
                    self.assertGreater(len(regression_suite.outcomes_in(outcomes)), 10)
                    os.remove(outcomes)


if __name__ == "__main__":
    xml_report.main()

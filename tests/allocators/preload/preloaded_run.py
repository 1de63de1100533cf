"""A Python program run with one of the libraries preloaded."""
import functools
import os
import re
import subprocess
import tempfile
import unittest

import interpreters

FOLDER = os.path.abspath("allocators/preload")
EVERY = ("pymalloc", "mimalloc", "jemalloc", "system", "pass-through")


def library(name):
    return os.path.join(FOLDER, "libarenalab_%s.so" % name)


def on_every_interpreter(test):
    """The test, as a subtest for each interpreter found; it says which."""
    @functools.wraps(test)
    def each(self):
        for version, python in interpreters.interpreters().items():
            with self.subTest(python=version):
                test(self, python, interpreters.number(version))
    return each


class PreloadedRun(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.summary = {}

    def run_program(self, python, code, *options, allocator="pymalloc", behind="", status=0,
                    prefix=(), **environment):
        """Runs `python -c code`; returns (stdout, stderr); self.summary is the last line of the
        report at exit as a dict, empty where there is none."""
        report = os.path.join(self.folder, "report")
        if os.path.exists(report):
            os.remove(report)
        whole = dict(os.environ, LD_PRELOAD=(library(allocator) + " " + behind).strip(),
                     ARENALAB_STATS=report, PYTHONDONTWRITEBYTECODE="1")
        whole.update(environment)
        done = subprocess.run([*prefix, python, *options, "-c", code], env=whole, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True)
        self.assertEqual(done.returncode, status, done.stderr)
        self.summary = {}
        if os.path.exists(report):
            with open(report) as file:
                last = file.read().splitlines()[-1]
            self.assertTrue(last.startswith("arenalab exec: "), last)
            self.summary = dict(re.findall(r"(\S+)=(\S+)", last))
        return done.stdout, done.stderr

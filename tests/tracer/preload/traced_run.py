"""What the tests of the preload library and the collector share: the
interpreters of this machine, `arenalab record`, and what a trace holds."""
import functools
import os
import re
import subprocess
import tempfile
import time
import unittest

ARENALAB = os.path.abspath("tools/cli/arenalab")


def interpreters():
    """Every CPython 3.6 or later: Debian's, and pyenv's by version."""
    found = ["/usr/bin/python3"]
    versions = os.path.join(os.environ.get("HOME", ""), ".pyenv", "versions")
    if os.path.isdir(versions):
        for version in sorted(os.listdir(versions)):
            program = os.path.join(versions, version, "bin", "python")
            if re.match(r"3\.([6-9]|1\d)", version) and os.access(
                    program, os.X_OK):
                found.append(program)
    return [program for program in found if os.path.exists(program)]


PYTHONS = interpreters()


def on_every_interpreter(test):
    """A method test(self, python), once for each."""
    @functools.wraps(test)
    def run(self):
        for python in PYTHONS:
            with self.subTest(python=python):
                test(self, python)
    return run


def version_of(python):
    return tuple(map(int, subprocess.check_output(
        [python, "-c", "import sys; print('%d %d' % sys.version_info[:2])"])
        .split()))


class TracedRun(unittest.TestCase):
    """A test case with a folder of its own and a recorder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.trace = os.path.join(self.folder, "t.trace")
        self._dump = (None, [])

    def environment(self, extra):
        environment = {**os.environ, **extra}
        environment.pop("PYTHONPATH", None)
        return environment

    def write(self, text, name="program.py"):
        path = os.path.join(self.folder, name)
        with open(path, "w") as out:
            out.write(text)
        return path

    def start(self, *command, options=(), recorder=None, stdin=None,
              **environment):
        return subprocess.Popen(
            [recorder or ARENALAB, "record", "-o", self.trace, *options, "--", *command],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=self.folder, env=self.environment(environment))

    def record(self, *command, status=0, options=(), recorder=None,
               **environment):
        """Records; self.output and self.errors are the streams."""
        process = self.start(*command, options=("-f", *options),
                             recorder=recorder, **environment)
        output, errors = process.communicate(timeout=300)
        self.output, self.errors = output.decode(), errors.decode()
        self.assertEqual(process.returncode, status, self.errors)

    def wait_for_bytes(self, size):
        """Until so much of the trace is in its file."""
        self.wait_until(lambda: os.path.exists(self.trace)
                        and os.path.getsize(self.trace) >= size)

    def wait_until(self, so):
        """Until so() is true; a busy machine may take long."""
        deadline = time.monotonic() + 120
        while not so():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def traces(self):
        return sorted(os.path.join(self.folder, name)
                      for name in os.listdir(self.folder)
                      if name.endswith(".trace"))

    def arenalab(self, *words, status=0):
        done = subprocess.run([ARENALAB, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        text = done.stdout.decode()
        self.assertEqual(done.returncode, status, text)
        return text

    def lint(self, trace=None):
        return self.arenalab("trace", "lint", trace or self.trace)

    def verify(self, trace=None):
        return self.arenalab("verify", trace or self.trace)

    def lines(self, trace=None):
        """The text form; a trace that is asked for again is not read again."""
        trace = trace or self.trace
        stat = os.stat(trace)
        key = (trace, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if self._dump[0] != key:
            text = self.arenalab("trace", "dump", trace)
            self._dump = (key, text.splitlines())
        return self._dump[1]

    def meta(self, trace=None):
        pairs = (line.split(" ", 2)[1:] for line in self.lines(trace)
                 if line.startswith("meta "))
        return {pair[0]: pair[1] if len(pair) > 1 else "" for pair in pairs}

"""Runs quiet_program.py on an interpreter and waits until it stands still."""
import glob
import os
import resource
import shutil
import subprocess
import tempfile
import time

QUIET = os.path.abspath("tests/tools/inspect/quiet_program.py")
ARENALAB = os.path.abspath("tools/cli/arenalab")
PAUSE = "34 "  # of x86-64


def interpreters():
    """Every CPython 3 of the machine, the system's first."""
    found = [shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin")]
    found += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python")))
    return [path for path in found if path]


def allow_core():
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


class StoppedProgram:
    """With it as a context, .pid stands still; .dump is what it said of itself."""

    def __init__(self, interpreter, kind, *arguments, folder=None):
        """`folder`: where it runs, and may leave a core."""
        self._said = tempfile.NamedTemporaryFile()
        self._process = subprocess.Popen(
            [interpreter, "-S", "-E", QUIET, kind, *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=self._said, cwd=folder,
            preexec_fn=allow_core if folder else None)
        self.pid = self._process.pid

    def wait(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                with open(self._said.name) as said:
                    raise RuntimeError("the program ended: " + said.read())
            with open("/proc/%d/syscall" % self.pid) as syscall:
                if syscall.read().startswith(PAUSE):
                    break
            time.sleep(0.02)
        else:
            raise RuntimeError("the program does not come to rest")
        with open(self._said.name) as said:
            self.dump = said.read()

    def wait_for_end(self):
        self._process.wait(60)

    def end(self):
        self._process.kill()
        self._process.wait()
        self._said.close()

    def __enter__(self):
        try:
            self.wait()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()


def inspect(*arguments):
    """(status, stdout, stderr) of arenalab inspect."""
    done = subprocess.run([ARENALAB, "inspect", *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True)
    return done.returncode, done.stdout, done.stderr

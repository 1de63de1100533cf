"""What the tests of the verbs share: run one, import a trace from text."""
import json
import os
import subprocess
import tempfile
import unittest

ARENALAB = os.path.abspath("tools/cli/arenalab")

# malloc(100) four times, the second and the first freed, malloc three times, on
# CPython 3.8.18: the last block is the one that was linked ahead of need.
ORDER = """\
meta addresses recorded
meta allocator pymalloc
meta geometry cpython-3.8.18
arena+ 0x7f0000000000 262144
malloc 0 100 addr=0x7f0000000030
malloc 1 100 addr=0x7f00000000a0
malloc 2 100 addr=0x7f0000000110
malloc 3 100 addr=0x7f0000000180
free 1
free 0
malloc 0 100 addr=0x7f0000000030
malloc 1 100 addr=0x7f00000000a0
malloc 4 100 addr=0x7f00000001f0
"""


class VerbCase(unittest.TestCase):

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = self._folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content, mode=0o644):
        path = self.path(name)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes)
                      else content.encode())
        os.chmod(path, mode)
        return path

    def run_verb(self, *arguments, status=0, env=None):
        """stdout; stderr is kept in self.errors."""
        done = subprocess.run([ARENALAB, *arguments], cwd=self.folder,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=None if env is None
                              else dict(os.environ, **env))
        self.errors = done.stderr.decode()
        text = done.stdout.decode()
        self.assertEqual(done.returncode, status, text + self.errors)
        return text

    def run_json(self, *arguments, **options):
        return json.loads(self.run_verb(*arguments, **options))

    def import_trace(self, name, text):
        self.run_verb("trace", "import", self.write(name + ".txt", text),
                      "-o", self.path(name))
        return self.path(name)

"""Types of live blocks against the interpreter's own: what type() says of every
object that gc.get_objects() leads to, by address."""
import collections
import re
import subprocess
import tempfile
import unittest

import xml_report
from stopped_program import StoppedProgram, inspect, interpreters

# Where an object may begin in its block (tools/inspect/object_types.h).
OFFSETS = (0, 16, 24, 32)


class Types(unittest.TestCase):

    def check(self, interpreter):
        with tempfile.NamedTemporaryFile("w+") as ids, \
                StoppedProgram(interpreter, "mixed", ids.name) as program:
            truth = [line.split(None, 1) for line in ids.read().splitlines()]
            status, said, errors = inspect("--blocks", program.pid)
        self.assertEqual(status, 0, errors)
        told = {}
        for line in said.splitlines():
            address, _, name, _ = line.split(None, 3)
            told[int(address, 16)] = name.rpartition(".")[2]
        unknown = sum(name == "-" for name in told.values())
        self.assertLess(unknown, 0.02 * len(told), "blocks of which nothing is told")
        right = wrong = missed = 0
        for address, name in truth:
            found = told.get(int(address, 16))
            if found is None or found == "-":
                # Not in pymalloc at all, in a block that was not told, or told to
                # be something else that begins elsewhere in the same block.
                beside = {told.get(int(address, 16) + at) for at in OFFSETS}
                beside |= {told.get(int(address, 16) - at) for at in OFFSETS}
                missed += "-" in beside
                wrong += bool(beside - {None, "-"})
            elif found == name:
                right += 1
            else:
                wrong += 1
        self.assertGreater(right, 10000)
        for kind in ("memory:list", "memory:set") if self.has_ctypes(interpreter) else ():
            mine = [int(address, 16) for address, name in truth if name == kind]
            mine = [address for address in mine if address in told]
            self.assertGreater(len(mine), 300, kind)
            same = sum(told[address] == kind for address in mine)
            self.assertGreaterEqual(same / len(mine), 0.99, kind)
        self.assertGreaterEqual(right / (right + wrong), 0.99, "precision")
        self.assertGreaterEqual(right / (right + wrong + missed), 0.90, "coverage")

    def test_owners_are_the_interpreters_own(self):
        """Interned or not, as the program made them; kept by a free list, as many as
        the interpreter says are on it."""
        for path in interpreters():
            with self.subTest(path), tempfile.NamedTemporaryFile("w+") as strings, \
                    StoppedProgram(path, "owners", strings.name) as program:
                status, said, errors = inspect("--blocks", program.pid)
                self.assertEqual(status, 0, errors)
                told = {}
                free = collections.Counter()
                for line in said.splitlines():
                    address, _, name, owner = line.split(None, 3)
                    told[int(address, 16)] = owner
                    free[name] += owner == "interpreter's free lists"
                truth = [line.split() for line in strings.read().splitlines()]
                right = sum((told[int(address, 16)] == "immortal or interned") ==
                            (kind == "interned") for address, kind in truth)
                self.assertEqual(right, 6000)
                checked = 0
                for kind in ("dict", "list"):
                    row = re.search(r"(\d+) free Py%sObjects" % kind.title(), program.dump)
                    if row:  # 3.13 does not count them
                        checked += 1
                        self.assertEqual(free[kind], int(row.group(1)), kind)
                self.assertEqual(checked, 2)

    @staticmethod
    def has_ctypes(interpreter):
        return subprocess.call([interpreter, "-c", "import ctypes"],
                               stderr=subprocess.DEVNULL) == 0

    def test_each_interpreter(self):
        for path in interpreters():
            with self.subTest(path):
                self.check(path)


if __name__ == "__main__":
    xml_report.main()

"""Types of live blocks against the interpreter's own: what type() says of every
object that gc.get_objects() leads to, by address."""
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
        self.assertGreaterEqual(right / (right + wrong), 0.99, "precision")
        self.assertGreaterEqual(right / (right + wrong + missed), 0.90, "coverage")

    def test_each_interpreter(self):
        for path in interpreters():
            with self.subTest(path):
                self.check(path)


if __name__ == "__main__":
    xml_report.main()

"""Read from outside, every line of sys._debugmallocstats() is what the
interpreter itself says: on each interpreter found, of programs of five kinds."""
import unittest

import xml_report
from stopped_program import StoppedProgram, inspect, interpreters

KINDS = ("start", "lists", "strings", "records", "wave")
FREE_LISTS = " free "  # of types: the interpreter's, not pymalloc's


def pymalloc_part(dump):
    """The interpreter's dump up to the free lists of its types."""
    lines = dump.splitlines()
    first = next(i for i, line in enumerate(lines) if FREE_LISTS in line)
    return "\n".join(lines[:first]).strip()


class Dump(unittest.TestCase):

    def check(self, interpreter):
        programs = [StoppedProgram(interpreter, kind) for kind in KINDS]
        for program in programs:
            self.addCleanup(program.end)
        for kind, program in zip(KINDS, programs):
            with self.subTest(kind), program:
                status, said, errors = inspect("--debugmallocstats", program.pid)
                self.assertEqual((status, errors), (0, ""))
                self.assertGreater(said.count("\n"), 20)
                self.assertEqual(said.strip(), pymalloc_part(program.dump))


for path in interpreters():
    def test(self, path=path):
        self.check(path)
    setattr(Dump, "test_" + "_".join(part for part in path.split("/") if part[:1].isdigit() or
                                     part.startswith("python")), test)


if __name__ == "__main__":
    xml_report.main()

"""Read from outside, every line of sys._debugmallocstats() is what the
interpreter itself says: on each interpreter found, of programs of five kinds."""
import json
import os
import subprocess
import tempfile
import unittest

import xml_report
from stopped_program import StoppedProgram, inspect, interpreters

TITLE = "Small block threshold"
FREE_LISTS = " free "  # of types: the interpreter's, not pymalloc's


def pymalloc_part(dump):
    """The interpreter's dump up to the free lists of its types."""
    lines = dump.splitlines()
    first = next(i for i, line in enumerate(lines) if FREE_LISTS in line)
    return "\n".join(lines[:first]).strip()


def version(interpreter):
    said = subprocess.check_output(
        [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    return tuple(int(part) for part in said.split(b"."))


class Dump(unittest.TestCase):

    KINDS = ("start", "lists", "strings", "records", "wave")

    def check(self, interpreter):
        programs = [StoppedProgram(interpreter, kind) for kind in self.KINDS]
        for program in programs:
            self.addCleanup(program.end)
        for kind, program in zip(self.KINDS, programs):
            with self.subTest(kind), program:
                status, said, errors = inspect("--debugmallocstats", program.pid)
                self.assertEqual((status, errors), (0, ""))
                self.assertGreater(said.count("\n"), 20)
                self.assertEqual(said.strip(), pymalloc_part(program.dump))
                if kind == "wave":
                    self.check_snapshot(program, said, interpreter == interpreters()[0])
                    self.check_by_headers(program, said)

    def check_snapshot(self, program, expected, answers):
        """The clone, seeded from a snapshot, says of itself what the interpreter said."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "heap.snap")
            status, said, errors = inspect("--freeze", "-o", path, program.pid)
            self.assertEqual((status, said, errors), (0, "", path + "\n"))
            status, said, errors = inspect("--debugmallocstats", path)
            self.assertEqual((status, errors), (0, ""))
            # The tree of addresses remembers arenas that are gone; a snapshot does not.
            self.assertEqual(*[text.partition("arena map")[0] for text in (said, expected)])
            if not answers:
                return
            status, said, errors = inspect(path)
            self.assertEqual((status, errors), (0, ""))
            self.assertRegex(said, r"(?m)^  bytes .* [1-9]\d* +\d")
            self.assertIn("no live block is a nothing",
                          inspect(path, "--free", "nothing")[2])

    def check_by_headers(self, program, expected):
        """Without the interpreter's records: the same blocks in the same classes."""
        status, said, errors = inspect("--debugmallocstats", "--by-headers", program.pid)
        self.assertEqual((status, errors), (0, ""))
        rows = [text.split("# arenas allocated total")[0] for text in (said, expected)]
        self.assertEqual(*rows)


class IsolatedInterpreters(unittest.TestCase):

    def test_each_has_a_table_of_its_own(self):
        tried = 0
        for path in interpreters():
            if version(path) < (3, 12):
                continue
            tried += 1
            with self.subTest(path), StoppedProgram(path, "interpreters") as program:
                status, said, errors = inspect("--debugmallocstats", program.pid)
                self.assertEqual((status, errors), (0, ""))
                tables = [TITLE + table.rstrip() for table in said.split(TITLE)[1:]]
                self.assertEqual(len(tables), 2)
                self.assertIn(pymalloc_part(program.dump), tables)
                types = {}
                for heap in json.loads(inspect("--json", program.pid)[1])["heaps"]:
                    strings = {row["name"]: row["blocks"] for row in heap["types"]}["str"]
                    types[strings > 50000] = strings
                self.assertEqual(set(types), {True, False}, types)
        if tried == 0:
            self.skipTest("no interpreter of 3.12 or later is here")


for path in interpreters():
    def test(self, path=path):
        self.check(path)
    setattr(Dump, "test_" + "_".join(part for part in path.split("/") if part[:1].isdigit() or
                                     part.startswith("python")), test)


if __name__ == "__main__":
    xml_report.main()

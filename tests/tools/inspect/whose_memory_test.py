"""Whose memory: the rows are the kernel's Rss to the byte, a burst of threads
is told to be the C library's, and the target's own memory does not change."""
import json
import unittest

import xml_report
from stopped_program import StoppedProgram, inspect, interpreters

PAGE = 4096


def rss(pid):
    with open("/proc/%d/smaps_rollup" % pid) as rollup:
        for line in rollup:
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
    raise ValueError("no Rss")


def whose(pid):
    status, said, errors = inspect("--json", pid)
    assert status == 0, errors
    found = json.loads(said)
    assert found["schema"] == "arenalab.inspect/1"
    return found, {row["key"]: row["rss_bytes"] for row in found["whose"]["rows"]}


class WhoseMemory(unittest.TestCase):

    def test_the_rows_are_the_resident_set(self):
        for path in interpreters():
            with self.subTest(path), StoppedProgram(path, "records") as program:
                before = rss(program.pid)
                found, rows = whose(program.pid)
                self.assertEqual(found["whose"]["rss_bytes"], before)
                self.assertEqual(sum(rows.values()), before)
                # What remains is little, and no page was counted twice.
                self.assertGreaterEqual(rows["unknown"], 0)
                self.assertLess(rows["unknown"], 0.05 * before)
                self.assertTrue(all(bytes >= 0 for bytes in rows.values()), rows)
                for heap in found["heaps"]:
                    parts = dict(heap["waterfall"])
                    self.assertEqual(parts.pop("held"), sum(parts.values()))

    def test_anonymous_memory_of_the_target_does_not_grow(self):
        with StoppedProgram(interpreters()[0], "wave") as program:
            _, first = whose(program.pid)
            for _ in range(3):
                _, again = whose(program.pid)
            for rows in first, again:
                rows.pop("code")  # pages of files may be mapped by being read
            self.assertEqual(first, again)

    def test_a_burst_of_threads_is_the_c_librarys(self):
        with StoppedProgram(interpreters()[0], "burst") as program:
            found, rows = whose(program.pid)
            total = found["whose"]["rss_bytes"]
            self.assertGreater(total, 100 << 20)
            self.assertGreater(rows["c_free"], 0.8 * total)
            self.assertLess(rows["pymalloc_live"] + rows["pymalloc_free"], 8 << 20)
            self.assertRegex(found["whose"]["sentence"],
                             r"^Of \d+ MiB resident, 9\d % \(\d+ MiB\) is the C library's, "
                             r"\d+ MiB of it free")
            self.assertTrue(all(heap["walked"] for heap in found["c_heaps"]))


if __name__ == "__main__":
    xml_report.main()

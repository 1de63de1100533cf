"""Whose memory: the rows are the kernel's Rss to the byte, a burst of threads
is told to be the C library's, and the target's own memory does not change."""
import json
import os
import signal
import subprocess
import unittest

import xml_report
from stopped_program import StoppedProgram, inspect, interpreters

PAGE = 4096


def memory(pid, key):
    with open("/proc/%d/smaps_rollup" % pid) as rollup:
        for line in rollup:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    raise ValueError("no " + key)


def rss(pid):
    return memory(pid, "Rss")


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

    def test_pages_that_forked_processes_share_stay_shared(self):
        # process_vm_readv would give each child copies of its own (Linux 5.19).
        program = ("import os, signal\n"
                   "kept = [bytes(400) for _ in range(100000)]\n"
                   "children = [os.fork() for _ in range(2)]\n"
                   "print(os.getpid(), flush=True)\n"
                   "signal.pause()\n")
        process = subprocess.Popen([interpreters()[0], "-c", program], stdout=subprocess.PIPE,
                                   start_new_session=True, universal_newlines=True)
        try:
            pids = {int(process.stdout.readline()) for _ in range(4)}
            before = {pid: memory(pid, "Pss") for pid in pids}
            self.assertLess(max(before.values()), 25 << 20)
            resident = {pid: rss(pid) for pid in pids}
            status, said, errors = inspect("--json", "--tree", process.pid)
            self.assertEqual(status, 0, errors)
            found = json.loads(said)
            self.assertEqual({row["pid"] for row in found["processes"]}, pids)
            self.assertEqual(found["processes"][0]["pid"], process.pid)
            for row in found["processes"]:
                # Other programs that use the C library come and go, so that its pages
                # are shared by more or fewer; copies would be three times as much.
                self.assertAlmostEqual(row["pss_bytes"], before[row["pid"]],
                                       delta=0.5 * before[row["pid"]])
                self.assertEqual(row["rss_bytes"], resident[row["pid"]])
                self.assertGreater(row["pymalloc"]["live_bytes"], 40 << 20)
            self.assertEqual(found["sum"]["pss_bytes"],
                             sum(row["pss_bytes"] for row in found["processes"]))
            said = inspect("--tree", process.pid)[1]
            self.assertRegex(said, r"^The 4 processes of process \d+ and its descendants have "
                                   r"\d+(\.\d+)? MiB of memory together \(Pss")
            for options in (["--json"], ["--json", "--freeze"]):
                for pid in pids:
                    status, _, errors = inspect(*options, pid)
                    self.assertEqual(status, 0, errors)
            for pid in pids:
                self.assertLess(memory(pid, "Pss"), 1.5 * before[pid])
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

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

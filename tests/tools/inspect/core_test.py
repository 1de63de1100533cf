"""A core file says what the process said: one that the kernel writes when a
program is killed, where the kernel writes it into a file."""
import json
import os
import resource
import signal
import tempfile
import unittest

import xml_report
from dump_test import pymalloc_part
from stopped_program import StoppedProgram, inspect, interpreters


def core_pattern():
    with open("/proc/sys/kernel/core_pattern") as pattern:
        return pattern.read().strip()


class Core(unittest.TestCase):

    def test_a_killed_program_is_read_as_it_was(self):
        if core_pattern().startswith("|") or "/" in core_pattern():
            self.skipTest("the kernel passes cores to %s" % core_pattern())
        if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
            self.skipTest("cores are forbidden here")
        for path in interpreters()[-2:] + interpreters()[:1]:
            with self.subTest(path), tempfile.TemporaryDirectory() as folder:
                with StoppedProgram(path, "records", folder=folder) as program:
                    before = json.loads(inspect("--json", program.pid)[1])
                    os.kill(program.pid, signal.SIGABRT)
                    program.wait_for_end()
                    cores = [name for name in os.listdir(folder) if name.startswith("core")]
                    self.assertEqual(len(cores), 1, os.listdir(folder))
                    core = os.path.join(folder, cores[0])
                    status, said, errors = inspect("--debugmallocstats", core)
                    self.assertEqual((status, errors), (0, ""))
                    self.assertEqual(said.strip(), pymalloc_part(program.dump))
                    after = json.loads(inspect("--json", core)[1])
                    self.assertNotIn("whose", after)
                    self.assertEqual(after["heaps"][0]["types"], before["heaps"][0]["types"])
                    os.truncate(core, os.path.getsize(core) // 3)
                    status, said, errors = inspect(core)
                    self.assertIn(status, (0, 3), errors)


if __name__ == "__main__":
    xml_report.main()

"""`arenalab trace` as a user meets it: exit statuses, streams, files."""
import json
import os
import resource
import subprocess
import tempfile
import unittest

import xml_report

ARENALAB = os.path.abspath("tools/cli/arenalab")

TEXT = """\
meta addresses none
meta python 3.11.2
malloc 0 24
malloc 1 5000 domain=raw
realloc 0 100 t=2500000000
mark finalise
free 0
"""


class TraceTest(unittest.TestCase):

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = self._folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_trace(self, *arguments, given=b"", status=0, **options):
        if isinstance(given, str):
            given = given.encode()
        done = subprocess.run(
            [ARENALAB, "trace", *arguments], input=given, cwd=self.folder,
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE, **options)
        self.errors = done.stderr.decode()
        self.assertEqual(done.returncode, status, self.errors)
        return done.stdout

    def make(self, name="a.trace", text=TEXT):
        self.run_trace("import", "-", "-o", self.path(name), given=text)
        return self.path(name)

    def test_text_goes_in_and_comes_out(self):
        trace = self.make()
        self.assertEqual(self.run_trace("dump", trace).decode(), TEXT)
        self.assertEqual(self.errors, "")

    def test_stdin_and_stdout(self):
        trace = self.run_trace("import", "-", "-o", "-", given=TEXT)
        self.assertTrue(trace.startswith(b"ARENALAB"))
        self.assertEqual(self.run_trace("dump", "-", given=trace).decode(),
                         TEXT)
        self.assertIn(b"requests        4",
                      self.run_trace("info", "-", given=trace))
        self.run_trace("lint", "-", given=trace)
        self.assertEqual(os.listdir(self.folder), [])

    def test_appending_to_a_file_keeps_what_is_there(self):
        trace = self.make()
        with open(self.path("log"), "ab") as log:
            log.write(b"before\n")
            log.flush()
            self.run_trace("dump", trace, stdout=log)
        with open(self.path("log")) as log:
            self.assertEqual(log.read(), "before\n" + TEXT)

    def test_info_counts(self):
        info = json.loads(self.run_trace("info", "--json", self.make()))
        self.assertEqual(info["schema"], "arenalab.trace-info/1")
        self.assertTrue(info["complete"])
        self.assertEqual(info["requests"], 4)
        self.assertEqual(info["events"], 5)
        self.assertEqual(info["by_kind"]["alloc"], 2)
        self.assertEqual(info["by_kind"]["mark"], 1)
        self.assertEqual(info["by_layer"],
                         {"raw": 1, "mem": 0, "obj": 3, "libc": 0})
        self.assertEqual(info["allocated_bytes"], 24 + 5000 + 100)
        self.assertEqual(info["peak_objects"], 2)
        self.assertEqual(info["duration_ns"], 2500000000)
        self.assertEqual(info["marks"], [{"name": "finalise", "request": 3}])
        self.assertEqual(info["meta"]["python"], "3.11.2")
        self.assertEqual(info["file_bytes"],
                         os.path.getsize(self.path("a.trace")))

    def test_info_of_bytes_that_are_no_utf8(self):
        trace = self.make(text='meta program \udcff\nmark "\\xff"\n'.encode(
            "utf-8", "surrogateescape"))
        info = json.loads(self.run_trace("info", "--json", trace))
        self.assertEqual(info["meta"]["program"], "\ufffd")

    def test_lint_says_one_where_something_is_impossible(self):
        self.assertIn(b"legal", self.run_trace("lint", self.make()))
        bad = self.make("bad.trace", "free-unknown 0x10\n")
        out = self.run_trace("lint", bad, status=1)
        self.assertIn(b"request 0: unknown-free: free at 0x10", out)
        report = json.loads(self.run_trace("lint", "--json", bad, status=1))
        self.assertEqual(report["schema"], "arenalab.lint/1")
        self.assertFalse(report["legal"])
        self.assertEqual(report["counts"]["unknown-free"], 1)
        self.assertEqual(report["first"][0]["rule"], "unknown-free")

    def test_an_existing_file_is_kept_without_force(self):
        trace = self.make()
        with open(trace, "rb") as file:
            before = file.read()
        self.run_trace("import", "-", "-o", trace, given="malloc 0 1\n",
                       status=3)
        self.assertIn("-f overwrites it", self.errors)
        with open(trace, "rb") as file:
            self.assertEqual(file.read(), before)
        self.run_trace("import", "-", "-f", "-o", trace, given="malloc 0 1\n")
        self.assertIn(b"malloc 0 1\n", self.run_trace("dump", trace))

    def test_a_link_is_followed(self):
        trace = self.make()
        os.symlink(trace, self.path("link"))
        self.run_trace("import", "-", "-f", "-o", self.path("link"),
                       given="malloc 0 1\n")
        self.assertTrue(os.path.islink(self.path("link")))
        self.assertIn(b"malloc 0 1\n", self.run_trace("dump", trace))

    def test_a_rejected_text_leaves_no_file(self):
        self.run_trace("import", "-", "-o", self.path("x.trace"),
                       given="malloc 0 1\nmalloc 0 1\n", status=3)
        self.assertEqual(self.errors,
                         "arenalab: stdin:2: ID 0 is live already; free it "
                         "first\n")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_full_disk_leaves_no_file(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        text = "".join(f"malloc {i} {i * i % 99991}\n" for i in range(20000))
        with open(self.path("in.txt"), "w") as file:
            file.write(text)
        self.run_trace("import", self.path("in.txt"), "-o",
                       self.path("x.trace"), status=3, preexec_fn=limit)
        self.assertIn("File too large", self.errors)
        self.assertEqual(os.listdir(self.folder), ["in.txt"])

    def test_devices_are_written_to_not_replaced(self):
        trace = self.make()
        self.run_trace("dump", trace, "-o", "/dev/null")
        self.assertFalse(os.path.isfile("/dev/null"))
        for verb in ("dump", "info", "lint"):
            with open("/dev/full", "wb") as full:
                self.run_trace(verb, trace, stdout=full, status=3)
            self.assertIn("No space left on device", self.errors)

    def test_incomplete_and_lost_are_said_and_no_error(self):
        cut = self.make("cut.trace", "malloc 0 1\nincomplete\n")
        for verb in ("info", "dump", "lint"):
            self.run_trace(verb, cut)
            self.assertIn("is incomplete", self.errors)
        lost = self.make("lost.trace", "malloc 0 1\nend lost=7\n")
        self.run_trace("info", lost)
        self.assertIn("7 events were lost", self.errors)
        self.run_trace("lint", lost, status=1)

    def test_bad_input_is_three_bad_usage_two(self):
        for verb in ("info", "dump", "lint"):
            self.run_trace(verb, self.path("absent"), status=3)
            self.run_trace(verb, self.folder, status=3)
            self.run_trace(verb, "-", given="malloc 0 1\n", status=3)
            self.assertIn("arenalab trace import", self.errors)
            self.run_trace(verb, status=2)
        self.run_trace("import", self.path("absent"), "-o",
                       self.path("x.trace"), status=3)
        self.run_trace("import", self.folder, "-o", self.path("x.trace"),
                       status=3)
        self.run_trace("import", "-", status=2)
        self.run_trace(status=2)
        self.run_trace("no-such", status=2)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    xml_report.main()

"""`arenalab stats`: numbers of a small trace, counted by hand."""
import json
import os
import pty
import subprocess

import verb_case
import xml_report

# Live bytes of mem and obj: 100, 700, 728, 628, 668, 68, 28.
TRACE = """\
meta addresses recorded
meta allocator pymalloc
meta geometry cpython-3.8.18
meta python 3.8.18
meta process 77
malloc 9 5000 domain=raw addr=0x5000
arena+ 0x7f0000000000 262144
malloc 0 100 addr=0x7f0000000030
calloc 1 600 addr=0x6000
malloc 2 28 domain=mem addr=0x7f0000001030
free 0
mark half
realloc 3 40 addr=0x7f0000002030
free 1
free 3
memory 8000000 t=2500000000
arena- 0x7f0000000000 262144
fork 0 78
"""


# Two arenas of 256 KiB. The types of what is live at the peak are told later.
ATTRIBUTED = """\
meta geometry cpython-3.8.18
arena+ 0x7f0000000000 262144
arena+ 0x7f0000040000 262144
malloc 0 100 addr=0x7f0000000030 site=a.py:1:f
malloc 1 200 addr=0x7f0000001030 site=a.py:1:f
malloc 2 300 addr=0x7f0000040030 site=a.py:2:g
malloc 3 50 addr=0x7f0000002030
free 3 type=int
held 0x7f0000040030 owner=program type=Node
free 0 type=dict
malloc 0 16 addr=0x7f0000000030 site=a.py:1:f
held 0x7f0000000030 owner=program lag=1 type=list
"""


class StatsOfATraceTest(verb_case.VerbCase):

    def test_counts_by_hand(self):
        trace = self.import_trace("a.trace", TRACE)
        stats = self.run_json("stats", "--json", trace)
        self.assertEqual(stats["schema"], "arenalab.trace-stats/1")
        self.assertEqual(stats["requests"], 8)
        self.assertEqual(stats["by_kind"], {"malloc": 3, "calloc": 1,
                                            "aligned": 0, "realloc": 1,
                                            "free": 3})
        self.assertEqual(stats["by_layer"], {"raw": 1, "mem": 1, "obj": 6,
                                             "libc": 0})
        self.assertEqual(stats["peak"], {"bytes": 728, "objects": 3,
                                         "event": 3})
        self.assertEqual(stats["end"], {"bytes": 28, "objects": 1})
        self.assertEqual(stats["duration_ns"], 2500000000)
        self.assertEqual(stats["peak_rss_bytes"], 8000000)
        # Live then: one block of 32 bytes in one arena.
        self.assertEqual([(row["rss_bytes"], row["free_bytes"])
                          for row in stats["whose"]["rows"]],
                         [(262144, 262112), (0, 0), (7737856, 0)])
        self.assertEqual(stats["whose"]["rss_bytes"], 8000000)
        self.assertEqual(stats["arenas"], {"arena_bytes": 262144,
                                           "acquired": 1, "released": 1,
                                           "high_water": 1})
        self.assertEqual(stats["marks"], [{"name": "half", "event": 5}])
        self.assertEqual(stats["children"], ["78"])

    def test_what_was_live_by_type_and_call_site(self):
        trace = self.import_trace("a.trace", ATTRIBUTED)
        peak, end = self.run_json("stats", "--json", trace)["attribution"]

        def rows(moment, key):
            return [(row["name"], row["objects"], row["bytes"], row["pinners"])
                    for row in moment[key]]
        self.assertEqual((peak["name"], peak["event"]), ("peak", 4))
        # The second arena is nearer to being released: one block away.
        self.assertEqual((peak["objects"], peak["bytes"], peak["pinners"],
                          peak["pinned_arenas"]), (4, 650, 1, 1))
        self.assertEqual(rows(peak, "types"), [
            ("Node", 1, 300, 1), (None, 1, 200, 0), ("dict", 1, 100, 0),
            ("int", 1, 50, 0)])
        self.assertEqual(rows(peak, "sites"), [
            ("a.py:1:f", 2, 300, 0), ("a.py:2:g", 1, 300, 1),
            (None, 1, 50, 0)])
        self.assertEqual(peak["owners"]["program"], 1)
        self.assertEqual((end["name"], end["event"]), ("end", 7))
        # The last `held` is of a block that was born since it was looked at.
        self.assertEqual(rows(end, "types"), [
            ("Node", 1, 300, 1), (None, 2, 216, 0)])
        self.assertEqual(end["owners"]["program"], 1)
        text = self.run_verb("stats", trace)
        self.assertIn("live at the peak, EVENT 4", text)
        self.assertIn("a.py:2:g", text)

    def test_whole_stacks_are_shown_by_their_innermost_frame(self):
        trace = self.import_trace("a.trace", """\
meta geometry cpython-3.11
malloc 1 100 site="a.py:1:f < b.py:2:g < c.py:3:h < d.py:4:i < e.py:5:j"
malloc 2 200 site="a.py:1:f < b.py:9:g"
malloc 3 50 site=k.py:7:k
""")
        end = self.run_json("stats", "--json", trace)["attribution"][-1]
        self.assertEqual(
            [(row["name"], row["objects"], row["bytes"], row.get("stack"))
             for row in end["sites"]],
            [("a.py:1:f", 2, 300, "a.py:1:f < b.py:9:g"),
             ("k.py:7:k", 1, 50, None)])
        self.assertIn("  from b.py:9:g\n", self.run_verb("stats", trace))

    def test_a_trace_without_names_has_no_attribution(self):
        trace = self.import_trace("a.trace", TRACE)
        self.assertEqual(
            self.run_json("stats", "--json", trace)["attribution"], [])

    def test_size_classes_are_the_generations(self):
        trace = self.import_trace("a.trace", TRACE)
        classes = self.run_json("stats", "--json", trace)["classes"]
        self.assertEqual(len(classes), 32 + 1)
        self.assertEqual(classes[6], {"block_bytes": 112, "requests": 1,
                                      "peak_live": 1, "peak_live_bytes": 100,
                                      "live_at_end": 0})
        self.assertEqual(classes[1]["live_at_end"], 1)
        self.assertEqual(classes[-1]["block_bytes"], None)
        self.assertEqual(classes[-1]["peak_live_bytes"], 600)
        # Steps of eight bytes before 3.7.4: 100 bytes are in class 12.
        classic = self.import_trace("c.trace", TRACE.replace(
            "cpython-3.8.18", "classic"))
        classes = self.run_json("stats", "--json", classic)["classes"]
        self.assertEqual(len(classes), 64 + 1)
        self.assertEqual(classes[12]["requests"], 1)

    def test_the_screen_says_the_same(self):
        text = self.run_verb("stats", self.import_trace("a.trace", TRACE))
        self.assertIn("728 B in 3 objects at the peak, EVENT 3; "
                      "at the end 28 B in 1", text)
        self.assertIn("\n  whose     Of 7.63 MiB resident, 97 % (7.38 MiB) is code's, stacks'",
                      text)
        self.assertRegex(text, r"97-112 +1 +1 +100 B +0\n")
        self.assertRegex(text, r"over 512 +1 +1 +600 B +0\n")
        self.assertLess(text.count("\n"), 30)

    def test_an_empty_trace_has_no_table(self):
        text = self.run_verb("stats", self.import_trace(
            "e.trace", "meta addresses none\n"))
        self.assertNotIn("peak live", text)

    def test_what_is_no_trace_is_3(self):
        self.run_verb("stats", self.write("x", "hello"), status=3)
        self.run_verb("stats", self.path("missing"), status=3)
        self.run_verb("stats", status=2)


class StatsOfResultsTest(verb_case.VerbCase):

    def test_shows_what_replay_said(self):
        trace = self.import_trace("a.trace", verb_case.ORDER)
        said = self.run_verb("replay", trace, "-a", "pymalloc,null",
                             "--repetitions", "0", "-o", self.path("r.json"))
        self.assertEqual(self.run_verb("stats", self.path("r.json")).strip(),
                         said.strip())
        stats = self.run_json("stats", "--json", self.path("r.json"))
        self.assertEqual(stats["schema"], "arenalab.results-stats/1")
        self.assertEqual([a["name"] for a in stats["allocators"]],
                         ["pymalloc", "null"])

    def test_a_file_that_lacks_fields_is_3_not_a_crash(self):
        for wrong in ({}, {"schema": "arenalab.results/1"},
                      {"schema": "arenalab.results/1",
                       "allocators": [{"name": "x"}]}):
            self.run_verb("stats", self.write("w.json", json.dumps(wrong)),
                          status=3)


class MapTest(verb_case.VerbCase):

    # 3.8's arenas of 64 pools; a class of 112-byte blocks, 36 a pool. 40 blocks
    # fill one pool and begin another; the last four go again.
    TRACE = "".join(
        ["meta addresses none\nmeta geometry cpython-3.8\n"] +
        ["malloc %d 100\n" % i for i in range(40)] +
        ["mark full\n"] +
        ["free %d\n" % i for i in range(24, 40)] + ["mark half\n"])

    def results(self):
        trace = self.import_trace("m.trace", self.TRACE)
        self.run_verb("replay", trace, "-a", "pymalloc{geometry:cpython-3.8}",
                      "--repetitions", "0", "-o", "m.json")
        return self.path("m.json")

    def test_a_character_a_pool(self):
        results = self.results()
        text = self.run_verb("stats", "--map", "--at", "full", results)
        self.assertIn("1 arenas held: 1 pools full, 1 partly used, 62 free", text)
        self.assertIn("      0 @-" + "." * 62 + " 40\n", text)
        # 24 of 36 live, and a pool that became empty.
        text = self.run_verb("stats", "--map", "--at", "half", results)
        self.assertIn("      0 #." + "." * 62 + " 24\n", text)
        self.assertNotIn("\x1b", text)
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()[1:]))

    def test_colour_is_asked_for_or_not(self):
        results = self.results()
        self.assertIn("\x1b[38;5;", self.run_verb(
            "stats", "--map", "--color", "always", results))
        self.assertNotIn("\x1b", self.run_verb(
            "stats", "--map", results,
            env={"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}))
        self.assertIn("\x1b", self.run_verb(
            "stats", "--map", results, env={"CLICOLOR_FORCE": "1"}))
        self.assertNotIn("\x1b", self.run_verb(
            "stats", "--map", results, env={"CLICOLOR_FORCE": "0"}))

    def on_a_terminal(self, *arguments, **environment):
        """What a terminal is sent, both streams."""
        ours, its = pty.openpty()
        with subprocess.Popen([verb_case.ARENALAB, *arguments], stdin=its, stdout=its,
                              stderr=its, env=dict(os.environ, **environment)):
            os.close(its)
            sent = b""
            try:
                while True:
                    sent += os.read(ours, 65536)
            except OSError:  # nobody has the other end any more
                os.close(ours)
        return sent.decode()

    def test_a_terminal_has_colours_unless_it_or_its_user_has_none(self):
        results = self.results()
        for environment, choice, coloured in (
                ({}, "auto", True), ({"TERM": "dumb"}, "auto", False),
                ({"NO_COLOR": "1"}, "auto", False), ({"NO_COLOR": ""}, "auto", True),
                ({"NO_COLOR": "1"}, "always", True), ({}, "never", False)):
            text = self.on_a_terminal("stats", "--map", "--color", choice, results,
                                      **{"TERM": "xterm", "NO_COLOR": "", "CLICOLOR_FORCE": "",
                                         **environment})
            self.assertIn("arenas held", text)
            self.assertEqual("\x1b" in text, coloured, (environment, choice))

    def test_what_it_cannot_draw_is_said(self):
        results = self.results()
        self.run_verb("stats", "--map", "--at", "nowhere", results, status=3)
        self.assertIn("peak, valley, end", self.errors)
        self.run_verb("stats", "--map", self.path("m.trace"), status=3)
        self.assertIn("arenalab replay", self.errors)
        self.run_verb("stats", "--at", "peak", results, status=2)
        with open(results) as file:
            content = json.load(file)
        data = content["allocators"][0]["map"]["data"]
        for broken in (data[:-8], "*" + data, ""):
            content["allocators"][0]["map"]["data"] = broken
            self.write("b.json", json.dumps(content))
            self.run_verb("stats", "--map", "b.json", status=3)
            self.assertIn("map of the heap is broken", self.errors)


if __name__ == "__main__":
    xml_report.main()

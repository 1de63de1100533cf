"""The clone's statistics are the interpreter's own, line by line: the dumps that
ARENALAB_STATS_AT takes inside a run against `stats --debugmallocstats`."""
import sys

import traced_run
import xml_report
from traced_run import PYTHONS, on_every_interpreter

# Arenas come and go; two threads take turns.
PROGRAM = """\
import json, threading
class Node:
    def __init__(self, i): self.i, self.d = i, {'x': i, 'y': [i]}
keep = []
def work():
    for r in range(3):
        keep.append([Node(i) for i in range(8000)])
        json.loads(json.dumps([{'a': i, 'b': str(i) * 40} for i in range(900)]))
        if r % 2: keep.pop(0)
thread = threading.Thread(target=work)
thread.start()
work()
thread.join()
del keep[:]
"""
ORDINALS = ("0", "3", "1000", "40000", "150000")


class StatisticsTest(traced_run.TracedRun):

    def dumps(self):
        """What the interpreter printed, by ordinal."""
        return {key.partition(".")[2]: value.replace("\\n", "\n")
                for key, value in self.meta().items()
                if key.startswith("debugmallocstats.")}

    def ours(self, at, status=0):
        return self.arenalab("stats", "--debugmallocstats", "--at", at,
                             self.trace, status=status)

    def assert_equal_to_the_dumps(self, ordinals):
        dumps = self.dumps()
        self.assertEqual(set(dumps), set(ordinals))
        for ordinal, dump in dumps.items():
            at = ordinal if ordinal == "finalise" else "state:" + ordinal
            self.assertEqual(self.ours(at).splitlines(), dump.splitlines(),
                             ordinal)
            self.assertEqual(self.ours(at), dump)
        return dumps

    @on_every_interpreter
    def test_every_line_in_the_middle_and_at_the_end_of_a_run(self, python):
        ordinals = (*ORDINALS, "finalise")
        self.record(python, self.write(PROGRAM),
                    ARENALAB_STATS_AT=",".join(ordinals))
        self.assertIn("equal", self.verify())
        dumps = self.assert_equal_to_the_dumps(ordinals)
        # The dumps are of different moments, and tell of arenas that came.
        self.assertEqual(len(set(dumps.values())), len(ordinals))
        for line in dumps["150000"].splitlines():
            if line.startswith("# arenas allocated total"):
                self.assertGreater(int(line.split("=")[1].replace(",", "")), 3)

    def test_another_moment_has_other_statistics(self):
        self.record(PYTHONS[0], self.write(PROGRAM),
                    ARENALAB_STATS_AT="1000")
        around = {self.ours("state:%d" % n) for n in range(995, 1006)}
        self.assertGreater(len(around), 3)
        self.assertIn(self.dumps()["1000"], around)

    def test_nested_requests_do_not_count(self):
        self.record(PYTHONS[0], self.write(PROGRAM),
                    options=("--layers",), ARENALAB_STATS_AT="1000,40000")
        self.assert_equal_to_the_dumps(("1000", "40000"))

    def test_a_request_is_named_by_its_number_in_the_trace_too(self):
        self.record(PYTHONS[0], self.write(PROGRAM),
                    ARENALAB_STATS_AT="1000")
        request, asked, layers = -1, -1, {}
        for line in self.lines():
            kind, *rest = line.split()
            if kind not in ("malloc", "calloc", "aligned", "realloc", "free",
                            "free-unknown"):
                continue
            request += 1
            named = [word[7:] for word in rest if word.startswith("domain=")]
            if named or kind != "free" and rest[0] not in layers:
                layers[rest[0]] = named[0] if named else "obj"
            asked += layers.get(rest[0], "obj") in ("mem", "obj")
            if kind == "free":
                layers.pop(rest[0], None)
            if asked == 1000:
                break
        self.assertEqual(self.ours(str(request)), self.dumps()["1000"])

    def test_a_forked_child_takes_none(self):
        self.record(PYTHONS[0], "-c",
                    "import os; pid = os.fork()\n"
                    "x = [str(i) for i in range(9000)]\n"
                    "if pid: os.waitpid(pid, 0)",
                    ARENALAB_STATS_AT="100,finalise")
        counts = sorted(
            sum(line.startswith("meta debugmallocstats.")
                for line in self.lines(trace)) for trace in self.traces())
        self.assertEqual(counts, [0, 2])
        for trace in self.traces():
            self.assertIn("# arenas allocated current", self.arenalab(
                "stats", "--debugmallocstats", trace))

    def test_without_the_variable_there_are_none(self):
        self.record(PYTHONS[0], "-c", "pass")
        self.assertEqual(self.dumps(), {})

    def test_a_point_that_is_not_there_is_bad_input(self):
        self.record(PYTHONS[0], "-c", "pass")
        for at in ("999999999", "state:999999999", "no-such-mark", "state:x"):
            self.assertIn("--at", self.ours(at, status=3))
        self.arenalab("stats", "--at", "3", self.trace, status=2)


if __name__ == "__main__":
    print("interpreters:", *PYTHONS, file=sys.stderr)
    xml_report.main()

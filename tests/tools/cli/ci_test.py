"""`arenalab ci` end to end: an allocator project's gate over traces, a Python
project's gate over its own program, seeded regressions found and unchanged
states passed; what a pull request's reader gets."""
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree

import verb_case
import xml_report


def pythons():
    """The interpreters of this machine that can be recorded: one is enough."""
    for path in ("/usr/bin/python3",):
        if os.path.exists(path):
            yield path
    found = shutil.which("python3")
    if found:
        yield found


def waves():
    """Four arenas of 1 MiB filled with blocks of 512 bytes and emptied, twice,
    with marks; one block stays for longer."""
    lines = ["meta addresses none", "meta geometry cpython-3.11",
             "meta allocator pymalloc", "meta pointer-bits 64"]
    for wave in range(2):
        lines += ["malloc %d 512" % i for i in range(6000)]
        lines += ["mark full_%d" % wave]
        lines += ["free %d" % i for i in range(6000) if i != 3000]
        lines += ["mark empty_%d" % wave]
        if wave == 0:
            lines += ["free 3000"]
    return "\n".join(lines) + "\n"


class CiCase(verb_case.VerbCase):

    def config(self, text):
        self.write("arenalab.toml", text)

    def ci(self, *arguments, status=0, env=None):
        return self.run_verb("ci", *arguments, status=status, env=env)

    def verdict(self, *arguments, status=0, env=None):
        return json.loads(self.ci("--format", "json", *arguments, status=status,
                                  env=env))


class AllocatorProjectTest(CiCase):

    def gate(self, new, status):
        self.import_trace("waves.trace", waves())
        self.config('[[trace]]\npath = "waves.trace"\nbase = "pymalloc"\n'
                    'new = "%s"\n' % new)
        return self.verdict(status=status)

    def test_a_policy_that_keeps_two_arenas_is_found(self):
        outcome = self.gate("pymalloc{keep_arenas:2}", 1)
        worse = {m["metric"]: m for m in
                 outcome["subjects"][0]["comparison"]["metrics"]
                 if m["verdict"] == "regression"}
        self.assertIn("last_valley_held_bytes", worse)
        # CPython keeps the last arena when all are empty; here it is two.
        self.assertEqual(worse["last_valley_held_bytes"]["new"] -
                         worse["last_valley_held_bytes"]["base"], 1 << 20)

    def test_the_same_rule_spelled_otherwise_is_unchanged(self):
        outcome = self.gate("pymalloc{geometry:cpython-3.11}", 0)
        self.assertEqual(outcome["verdict"], "unchanged")
        self.assertEqual(outcome["counts"]["regression"], 0)
        self.assertEqual(outcome["counts"]["inconclusive"], 0)

    def test_the_reader_gets_the_verdict_and_the_marks(self):
        self.import_trace("waves.trace", waves())
        self.config('[ci]\noutput = "out"\n[[trace]]\npath = "waves.trace"\n'
                    'base = "pymalloc"\nnew = "pymalloc{keep_arenas:2}"\n')
        summary, output = self.path("summary.md"), self.path("output")
        self.ci(status=1, env={"GITHUB_ACTIONS": "true",
                               "GITHUB_STEP_SUMMARY": summary,
                               "GITHUB_OUTPUT": output})
        with open(summary) as text:
            text = text.read()
        self.assertRegex(text, r"^### ❌ arenalab ci: \d+ regression")
        self.assertIn("| ▲ | last_valley_held_bytes |", text)
        with open(output) as text:
            self.assertEqual(text.read(), "verdict=regression\nreport=out\n")
        self.assertIn("::error title=arenalab::waves", self.errors)
        outcome = json.load(open(self.path("out/ci.json")))
        marks = {m["name"]: m for m in outcome["subjects"][0]["marks"]}
        # 6000 blocks of 512 bytes, 31 a pool: 194 pools, four arenas.
        self.assertEqual(marks["full_0"]["held_bytes"] // 2**20, 4)
        self.assertLess(marks["empty_0"]["growth_bytes"], 0)
        junit = xml.etree.ElementTree.parse(self.path("out/junit.xml")).getroot()
        self.assertEqual(int(junit.get("failures")),
                         outcome["counts"]["regression"])
        self.assertEqual(len(junit.findall("testcase/failure")),
                         outcome["counts"]["regression"])
        self.assertEqual(len(junit), int(junit.get("tests")))

    def test_a_baseline_of_the_same_trace_is_exact(self):
        self.import_trace("waves.trace", waves())
        self.config('[[trace]]\npath = "waves.trace"\n')
        self.ci("--save-baseline")
        self.assertEqual(self.verdict()["verdict"], "unchanged")
        path = self.path(".arenalab/baseline.json")
        text = open(path).read()
        base = json.loads(text)
        summary = base["subjects"]["waves"][0]["allocators"][0]["summary"]
        summary["peak_held_bytes"] -= 1  # one byte more than it was
        with open(path, "w") as out:
            json.dump(base, out)
        outcome = self.verdict(status=1)
        self.assertEqual(outcome["counts"]["regression"], 1)


# Threads fill arenas and drop them; with "leak" one block in each arena's worth
# stays.
PROGRAM = '''
import sys, threading
kept = []
def fill():
    blocks = [bytes(400) for i in range(20000)]
    if sys.argv[1:] == ["leak"]:
        kept.extend(blocks[::2000])
for wave in range(2):
    for _ in range(4):
        thread = threading.Thread(target=fill)
        thread.start()
        thread.join()
'''


class PythonProjectTest(CiCase):

    def setUp(self):
        super().setUp()
        self.python = next(pythons(), None)
        if self.python is None:
            self.skipTest("no python3")
        self.write("app.py", PROGRAM)
        self.config('[[program]]\nname = "suite"\ncommand = ["%s", "app.py"]\n'
                    % self.python)

    def leak(self):
        self.config('[[program]]\nname = "suite"\n'
                    'command = ["%s", "app.py", "leak"]\n' % self.python)

    def test_unchanged_passes_and_a_block_for_each_arena_is_found(self):
        self.ci("--save-baseline")
        self.assertEqual(self.verdict()["counts"]["regression"], 0)
        self.leak()
        outcome = self.verdict(status=1)
        worse = [m["metric"] for m in
                 outcome["subjects"][0]["comparison"]["metrics"]
                 if m["verdict"] == "regression"]
        self.assertIn("last_valley_held_bytes", worse)

    def test_another_state_of_the_repository_is_recorded_beside(self):
        if shutil.which("git") is None:
            self.skipTest("no git")

        def git(*words):
            subprocess.run(["git", "-c", "user.email=a@b", "-c", "user.name=a",
                            *words], cwd=self.folder, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        git("init")
        git("add", "app.py", "arenalab.toml")
        git("commit", "-m", "base")
        self.write("app.py", PROGRAM.replace('sys.argv[1:] == ["leak"]', "True"))
        outcome = self.verdict("--baseline-ref", "HEAD", status=1)
        self.assertEqual(outcome["base"], "HEAD, recorded in this run")
        git("worktree", "prune")
        listed = subprocess.run(["git", "worktree", "list"], cwd=self.folder,
                                stdout=subprocess.PIPE).stdout.decode()
        self.assertEqual(listed.count("\n"), 1)
        self.ci("--baseline-ref", "nowhere", status=3)

    def test_a_failing_command_is_no_measurement(self):
        self.write("app.py", "raise SystemExit(7)\n")
        self.ci(status=3)
        self.assertIn("ended with status 7", self.errors)


class ConfigTest(CiCase):

    def test_no_baseline_is_a_notice_unless_one_is_required(self):
        self.import_trace("waves.trace", waves())
        self.config('[[trace]]\npath = "waves.trace"\n')
        self.assertIn("no baseline: nothing was compared", self.ci())
        self.ci("--require-baseline", status=3)

    def test_what_is_wrong_is_said_with_its_line(self):
        for text, said in (
                ("[gate]\nbudgets = []\n", "arenalab.toml:2: unknown key"),
                ("[gate]\nrange = -1\n", "arenalab.toml:2: range is a number"),
                ("[[program]]\nname = 'x'\n", "arenalab.toml:1: a .* command"),
                ("[[trace]]\npath = 'x'\nbase = 'a'\n", "given together"),
                ("[gate\n", "arenalab.toml:1: "),
                ("", "names no"),
        ):
            self.config(text)
            self.ci(status=3)
            self.assertTrue(re.search(said, self.errors), self.errors)
        self.run_verb("ci", "-c", self.path("missing.toml"), status=3)
        self.import_trace("t.trace", waves())
        self.config('[gate]\nbudget = ["speed=1%"]\n[[trace]]\npath = "t.trace"\n')
        self.ci(status=3)
        self.assertIn("no metric is called `speed`", self.errors)


if __name__ == "__main__":
    xml_report.main()

"""The two uses of `arenalab ci`, from end to end: a Python project gates the memory
of its test suite by pytest's plugin, and a patch of CPython is held against main;
and the workflow's own steps, as a shell runs them."""
import json
import os
import re
import subprocess

import interpreters
import verb_case
import xml_report

MARK = os.path.abspath("tracer/mark")
WORKFLOW = os.path.abspath(".github/workflows/arenalab.yml")

APP = '''
CACHE = []
KEPT = 0
def serve(n):
    return len([bytes(400) for _ in range(n)])
def fill(n):
    blocks = [bytes(400) for _ in range(n)]
    if KEPT:
        CACHE.extend(blocks[::KEPT])
    return len(blocks)
'''
SUITE = '''
import app
def test_small():
    assert app.serve(2000) == 2000
def test_cache():
    assert app.fill(20000) == 20000
def test_again():
    assert app.serve(2000) == 2000
'''
# Where pytest is not installed: its two hooks around each test, in its order.
RUNNER = '''
import arenalab_mark, test_app
for name, test in list(vars(test_app).items()):
    if name.startswith("test_"):
        node = "test_app.py::" + name
        arenalab_mark.pytest_runtest_logstart(node, None)
        test()
        arenalab_mark.pytest_runtest_logfinish(node, None)
'''


class SuiteTest(verb_case.VerbCase):

    def test_a_suite_that_begins_to_keep_blocks_is_found_and_its_test_named(self):
        found = list(interpreters.interpreters().values())
        python = next((path for path in found if interpreters.has(path, "pytest")), found[0])
        self.write("app.py", APP)
        self.write("test_app.py", SUITE)
        self.write("run_suite.py", RUNNER)
        command = [python, "-m", "pytest", "-q", "-p", "arenalab_mark", "-p",
                   "no:cacheprovider"]
        if not interpreters.has(python, "pytest"):
            command = [python, "run_suite.py"]
        print("gated by", " ".join(command))
        self.write("arenalab.toml", '[ci]\noutput = "out"\n[gate]\nsamples = 50\n'
                   '[[program]]\nname = "suite"\ncommand = %s\n' % json.dumps(command))
        environment = {"PYTHONPATH": MARK, "PYTHONDONTWRITEBYTECODE": "1"}
        self.run_verb("ci", "--save-baseline", env=environment)
        self.write("app.py", APP.replace("KEPT = 0", "KEPT = 1000"))
        self.run_verb("ci", status=1, env=environment)
        with open(self.path("out/ci.json")) as file:
            outcome = json.load(file)
        subject = outcome["subjects"][0]
        worse = [metric["metric"] for metric in subject["comparison"]["metrics"]
                 if metric["verdict"] == "regression"]
        self.assertIn("last_valley_held_bytes", worse)
        with open(self.path("out/ci.md")) as file:
            page = file.read()
        self.assertIn("| ▲ | last_valley_held_bytes |", page)
        # Held after each test, the worst five; the one that keeps is among them,
        # with some arenas' growth, and it comes before those that keep nothing.
        table = re.findall(r"\| `([^`]+)` \| ([\d.]+) MiB \| ([+-][\d.]+) (\w+) \|", page)
        self.assertLessEqual(len(table), 5)
        named = [row[0] for row in table]
        self.assertIn("end test_app.py::test_cache", named)
        kept = table[named.index("end test_app.py::test_cache")]
        self.assertEqual(kept[3], "MiB")
        self.assertGreaterEqual(float(kept[2]), 3)
        self.expect_page(outcome, "suite")

    def expect_page(self, outcome, name):
        """The subject's page is there, with what it is about, or a note says why not."""
        path = self.path("out/%s.html" % name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                html = file.read()
            self.assertTrue(html.lower().startswith("<!doctype html>"), html[:80])
            self.assertIn("last_valley", html)
            self.assertNotIn("http-equiv=\"refresh\"", html)
        else:
            self.assertIn("the page was not built", json.dumps(outcome))


def pinned(blocks, apart):
    """Blocks of 512 bytes made and freed but for one in `apart`, then all again."""
    lines = ["meta addresses none", "meta geometry cpython-3.11",
             "meta allocator pymalloc", "meta pointer-bits 64"]
    lines += ["malloc %d 512" % i for i in range(blocks)]
    freed = [i for i in range(blocks) if i % apart != apart // 2]
    lines += ["free %d" % i for i in freed] + ["malloc %d 512" % i for i in freed]
    lines += ["free %d" % i for i in range(blocks)]
    return "\n".join(lines) + "\n"


class PatchTest(verb_case.VerbCase):
    """`native:main` against `native:patch`: two CPythons drive their own pymalloc."""

    def gate(self, base, new, status):
        # One block stays in each 950 KiB: in each of 3.10's arenas, in a quarter of 3.9's.
        if not os.path.exists(self.path("pinned.trace")):
            self.import_trace("pinned.trace", pinned(30000, 1900))
        self.write("arenalab.toml", '[ci]\noutput = "out"\n[gate]\nsamples = 20\n[[trace]]\n'
                   'path = "pinned.trace"\nbase = "native:%s"\nnew = "native:%s"\n' % (base, new))
        self.run_verb("ci", status=status)
        with open(self.path("out/ci.json")) as file:
            return json.load(file)

    def test_the_same_interpreter_by_another_path_is_unchanged(self):
        python = list(interpreters.interpreters().values())[0]
        os.mkdir(self.path("patch"))
        os.symlink(python, self.path("patch/python3"))
        outcome = self.gate(python, "./patch/python3", 0)
        self.assertEqual(outcome["verdict"], "unchanged")
        self.assertEqual(outcome["counts"]["regression"], 0)
        self.assertEqual(outcome["counts"]["inconclusive"], 0)

    def test_arenas_four_times_as_large_are_found_in_real_interpreters(self):
        found = interpreters.interpreters()
        small = [v for v in found if (3, 7) <= interpreters.number(v) < (3, 10)]
        large = [v for v in found if (3, 10) <= interpreters.number(v) < (3, 14)]
        if not small or not large:
            self.skipTest("wants a CPython up to 3.9 and one from 3.10 on; here are " +
                          ", ".join(found))
        print("main: %s, patch: %s" % (small[-1], large[-1]))
        outcome = self.gate(found[small[-1]], found[large[-1]], 1)
        worse = {metric["metric"]: metric for metric in
                 outcome["subjects"][0]["comparison"]["metrics"]
                 if metric["verdict"] == "regression"}
        self.assertIn("last_valley_rss_bytes", worse)
        metric = worse["last_valley_rss_bytes"]
        self.assertGreater(metric["new"], 2 * metric["base"])


class WorkflowTest(verb_case.VerbCase):
    """What of the workflow can be held without GitHub."""

    def setUp(self):
        super().setUp()
        with open(WORKFLOW) as file:
            self.text = file.read()
        self.runs = re.findall(r"^ +(?:- )?run: (.+)$", self.text, re.MULTILINE)

    def test_its_shape(self):
        self.assertNotIn("\t", self.text)
        self.assertGreaterEqual(len(self.runs), 4)
        try:
            import yaml
        except ImportError:
            return  # the text is all there is to look at
        workflow = yaml.safe_load(self.text)
        self.assertEqual(workflow[True], "pull_request")  # YAML 1.1 reads `on` so
        self.assertEqual(workflow["permissions"], {"contents": "read"})
        steps = workflow["jobs"]["memory"]["steps"]
        for step in steps:
            self.assertEqual(("run" in step) + ("uses" in step), 1, step)
            self.assertLessEqual(set(step), {"name", "id", "run", "uses", "with", "if"})
        self.assertEqual([step["run"] for step in steps if "run" in step], self.runs)

    def test_each_step_is_a_command_that_a_shell_accepts(self):
        for line in self.runs:
            done = subprocess.run(["bash", "-n", "-c", line], stderr=subprocess.PIPE)
            self.assertEqual((done.returncode, done.stderr), (0, b""), line)

    def test_the_gates_step_passes_and_fails_as_it_should(self):
        gate = next(line for line in self.runs if " ci -c " in line).split()
        self.assertEqual(gate[:2], ["./tools/arenalab", "ci"])
        words = [os.path.abspath(word) if word.startswith(".ci/") else word
                 for word in gate[2:]]
        # The step's own words, on the smallest traces; GitHub's files beside it.
        summary, output = self.path("summary.md"), self.path("output")
        environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary,
                       "GITHUB_OUTPUT": output}
        self.run_verb("ci", *words, "--only", "prefork_worker,template", env=environment)
        with open(output) as file:
            self.assertRegex(file.read(), r"^verdict=unchanged\nreport=.*arenalab-ci\n$")
        with open(summary) as file:
            self.assertIn("0 regressions", file.read())
        kept = re.findall(r"^ +arenalab-ci/\*(\.\w+)$", self.text, re.MULTILINE)
        written = {os.path.splitext(name)[1] for name in os.listdir(self.path("arenalab-ci"))}
        # Uploaded is what is written (a page only where it was built).
        self.assertLessEqual(written - {".trace"}, set(kept))
        self.assertLessEqual(set(kept) - {".html"}, written)


if __name__ == "__main__":
    xml_report.main()

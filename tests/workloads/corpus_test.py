"""The corpus: every address of every program is the clone's, and what the clone
holds for them is what .ci/baseline.json says, to the byte."""
import json
import os
import subprocess

import verb_case
import xml_report

CI = os.path.abspath(".ci/arenalab.toml")
# Small traces of each kind; tools/arenalab ci -c .ci/arenalab.toml does all.
GATED = ["threads", "template", "regex_compile", "prefork_worker", "gc_traversal"]


class CorpusTest(verb_case.VerbCase):

    def test_every_address_is_the_clones_and_all_fit_into_15_mib(self):
        done = subprocess.run([os.path.abspath("tools/corpus"), "check"],
                              env=dict(os.environ, ARENALAB=verb_case.ARENALAB),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = done.stdout.decode() + done.stderr.decode()
        self.assertEqual(done.returncode, 0, said)
        self.assertRegex(said, r"^\d+ traces, \d+ bytes, 0 mismatches\n$")
        self.assertGreaterEqual(int(said.split()[0]), 16)

    def test_the_clone_holds_what_the_baseline_says(self):
        outcome = self.run_json("ci", "-c", CI, "-o", self.path("out"), "--only",
                                ",".join(GATED), "--format", "json",
                                "--require-baseline")
        self.assertEqual([s["name"] for s in outcome["subjects"]], sorted(GATED))
        for subject in outcome["subjects"]:
            for metric in subject["comparison"]["metrics"]:
                if metric["certainty"] == "exact":
                    self.assertEqual(metric["verdict"], "unchanged",
                                     (subject["name"], metric))

    def test_a_name_that_is_not_there_is_no_pass(self):
        self.run_verb("ci", "-c", CI, "-o", self.path("out"), "--only", "thread",
                      status=3)
        self.assertIn("there is no trace or program 'thread'", self.errors)

    def test_a_recording_of_ones_own_is_taken_once(self):
        own = self.import_trace("own.trace", verb_case.ORDER)

        def add(name):
            return subprocess.run(
                [os.path.abspath("tools/corpus"), "add", own, name],
                env=dict(os.environ, ARENALAB=verb_case.ARENALAB,
                         ARENALAB_CORPUS=self.path("corpus")),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE).returncode

        self.assertEqual(add("own"), 0)
        with open(self.path("corpus/provenance.json")) as file:
            line = json.load(file)["traces"]["own"]
        self.assertEqual((line["compared"], line["mismatches"]), (7, 0))
        self.assertEqual(add("own"), 1)  # there is one
        self.assertEqual(add("../own"), 1)


if __name__ == "__main__":
    xml_report.main()

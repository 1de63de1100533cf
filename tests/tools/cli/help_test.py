"""Help: every verb has a purpose and examples, every status is in the table."""
import re

import verb_case
import xml_report


class HelpTest(verb_case.VerbCase):

    def verbs(self):
        listed = self.run_verb("--help").split("Subcommands:\n")[1]
        return re.findall(r"^  (\S+) ", listed, re.M)

    def test_every_verb_has_one_line_and_examples(self):
        verbs = self.verbs()
        self.assertIn("verify", verbs)
        self.assertIn("record", verbs)
        for verb in verbs:
            with self.subTest(verb):
                text = self.run_verb(verb, "--help")
                first, rest = text.split("\n", 1)
                self.assertLess(len(first), 100)
                self.assertTrue(rest.startswith("\n"), text)
                self.assertIn("arenalab " + verb, rest.split("Usage:")[0])

    def test_help_of_a_verb_is_its_own(self):
        self.assertEqual(self.run_verb("help", "verify"),
                         self.run_verb("verify", "--help"))

    def test_topics_are_listed_and_there(self):
        listed = self.run_verb("help").split("Topics")[1]
        topics = re.findall(r"^  (\S+) ", listed, re.M)
        self.assertEqual(topics, ["exit-codes", "traces", "results"])
        for topic in topics:
            self.assertGreater(len(self.run_verb("help", topic)), 300)

    def test_the_statuses_of_the_table_are_those_of_the_program(self):
        table = self.run_verb("help", "exit-codes")
        statuses = [int(n) for n in re.findall(r"^  (\d+) ", table, re.M)]
        self.assertEqual(statuses, [0, 1, 2, 3, 4, 125])

    def test_a_near_miss_is_named(self):
        self.run_verb("verfy", status=2)
        self.assertIn("did you mean `verify`?", self.errors)
        self.run_verb("help", "exit-code", status=2)
        self.assertIn("did you mean `exit-codes`?", self.errors)
        self.run_verb("qqqqqq", status=2)
        self.assertNotIn("did you mean", self.errors)
        self.run_verb(status=2)
        self.run_verb("trace", "inf", "x", status=2)
        self.assertIn("did you mean `info`?", self.errors)
        self.run_verb("replay", "--tuch=fill", "x", status=2)
        self.assertIn("no option `--tuch`; did you mean `--touch`?", self.errors)
        self.run_verb("verify", "a", "b", status=2)
        self.assertIn("one word too many: `b`", self.errors)

    def test_a_wrong_command_line_is_one_line_that_says_where_to_read(self):
        for words, message in (
                (["verify"], "TRACE is required"),
                (["trace"], "a verb is required"),
                (["replay", "--touch", "much", "x"], "--touch: much not in"),
                (["replay", "--repetitions", "-1", "x"], "--repetitions"),
                (["stats", "--debugmallocstats", "--json", "x"],
                 "--json excludes --debugmallocstats"),
                (["stats", "--at", "3", "x"],
                 "--at needs --debugmallocstats or --map")):
            with self.subTest(words):
                self.run_verb(*words, status=2)
                self.assertEqual(self.errors.count("\n"), 1, self.errors)
                self.assertIn(message, self.errors)
                self.assertIn("arenalab " + words[0] + " --help", self.errors)

    def test_a_full_disk_behind_stdout_is_no_success(self):
        trace = self.import_trace("order.trace", verb_case.ORDER)
        for words in (["--help"], ["verify", trace], ["stats", trace],
                      ["trace", "info", trace], ["help", "traces"]):
            with self.subTest(words), open("/dev/full", "wb") as full:
                done = verb_case.subprocess.run(
                    [verb_case.ARENALAB, *words], stdout=full,
                    stderr=verb_case.subprocess.PIPE)
                self.assertEqual(done.returncode, 3)
                self.assertIn(b"cannot write to standard output", done.stderr)

    def test_a_name_that_record_cannot_make_is_refused_before_it_runs(self):
        self.run_verb("record", "-o", "a%q.trace", "--", "/bin/touch", "ran",
                      status=2)
        self.assertIn("-o a%q.trace", self.errors)
        self.assertFalse(verb_case.os.path.exists(self.path("ran")))

    def test_the_short_help_leaves_out_the_examples(self):
        text = self.run_verb("verify", "-h")
        self.assertIn("--self-test", text)
        self.assertNotIn("Examples", text)

    def test_a_program_stands_behind_two_dashes(self):
        for verb in ("record", "run"):
            self.run_verb(verb, "-o", "none.trace", "python3", "-c", "1", status=2)
            self.assertIn("put -- before the program", self.errors)
        self.run_verb("record", "--help")


if __name__ == "__main__":
    xml_report.main()

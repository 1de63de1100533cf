"""`arenalab verify` as a user meets it: what it says, and its exit statuses."""
import verb_case
import xml_report


class VerifyTest(verb_case.VerbCase):

    def test_equal_is_0(self):
        trace = self.import_trace("a.trace", verb_case.ORDER)
        text = self.run_verb("verify", trace)
        self.assertTrue(text.startswith("equal: "), text)
        self.assertRegex(text, r"compared +7\n")
        self.assertEqual(self.errors, "")

    def test_a_mismatch_is_1_and_names_its_event(self):
        trace = self.import_trace("a.trace",
                                  verb_case.ORDER.replace("01f0", "0260"))
        text = self.run_verb("verify", trace, status=1)
        self.assertIn("EVENT 8 of", text)
        self.assertIn("class of 112 bytes", text)
        self.assertIn("expected 0x7f00000001f0 (arena 0 + 0x1f0)", text)
        self.assertIn("recorded 0x7f0000000260 (arena 0 + 0x260)", text)

    def test_what_cannot_be_verified_is_3_and_says_why(self):
        trace = self.import_trace("a.trace", verb_case.ORDER.replace(
            "allocator pymalloc", "allocator malloc"))
        text = self.run_verb("verify", trace, status=3)
        self.assertIn("cannot verify: pymalloc was not beneath", text)
        report = self.run_json("verify", "--json", trace, status=3)
        self.assertEqual(report["status"], "cannot")
        self.assertIn("`malloc`", report["reason"])

    def test_bad_input_is_3_and_a_wrong_command_line_2(self):
        self.run_verb("verify", self.write("no.trace", "text"), status=3)
        self.assertIn("not a trace", self.errors)
        self.run_verb("verify", self.path("missing.trace"), status=3)
        self.run_verb("verify", status=2)
        self.run_verb("verify", "--no-such-flag", "a", status=2)

    def test_another_generation_can_be_named(self):
        trace = self.import_trace("a.trace", verb_case.ORDER)
        self.run_verb("verify", "--geometry", "cpython-3.7.4", trace)
        self.run_verb("verify", "--geometry", "classic", trace, status=1)
        self.run_verb("verify", "--geometry", "cpython-9", trace, status=3)

    def test_json_holds_what_the_text_says(self):
        trace = self.import_trace("a.trace", verb_case.ORDER)
        report = self.run_json("verify", "--json", trace)
        self.assertEqual(report["schema"], "arenalab.verify/1")
        self.assertEqual(
            [report[key] for key in ("status", "requests", "served", "compared",
                                     "frees", "mismatches", "first")],
            ["equal", 9, 7, 7, 2, 0, None])

    def test_a_run_is_as_good_as_its_worst_process(self):
        order = "meta run r\n" + verb_case.ORDER
        first = self.import_trace("a.trace", order)
        self.import_trace("a.2.trace", order)
        text = self.run_verb("verify", "--run", first)
        self.assertIn("2 equal, 14 addresses compared", text)
        self.import_trace("a.3.trace", order.replace("pymalloc", "malloc"))
        text = self.run_verb("verify", "--run", first, status=3)
        self.assertIn("1 cannot, 2 equal", text)
        self.import_trace("a.4.trace", order.replace("01f0", "0260"))
        text = self.run_verb("verify", "--run", "--json", first, status=1)
        self.assertEqual(text.count('"arenalab.verify/1"'), 4)
        self.run_verb("verify", "--run", "--self-test", first, status=2)

    def test_the_self_test_shows_three_mistakes_caught(self):
        trace = self.import_trace("a.trace", verb_case.ORDER)
        text = self.run_verb("verify", "--self-test", trace)
        self.assertEqual(text.count("  caught "), 3, text)
        self.assertTrue(text.endswith("self-test passed\n"), text)
        report = self.run_json("verify", "--self-test", "--json", trace)
        self.assertTrue(report["passed"])

    def test_a_self_test_without_anything_to_change_does_not_pass(self):
        grow = verb_case.ORDER[:verb_case.ORDER.index("free")]
        trace = self.import_trace("a.trace", grow)
        text = self.run_verb("verify", "--self-test", trace, status=3)
        self.assertIn("self-test FAILED", text)


if __name__ == "__main__":
    xml_report.main()

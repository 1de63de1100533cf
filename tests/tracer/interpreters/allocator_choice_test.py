"""What PYTHONMALLOC, -X dev, -E and -I do to a recording, on every interpreter.

Whatever is beneath the hooks, the program's requests are recorded. Where pymalloc is beneath, every address is the clone's;
where it is not, verify refuses and says what was there instead.
"""
import traced_run
import xml_report

# Each string is a request that no free list serves.
PROGRAM = "kept = [str(i) for i in range(20000)]"
ENVIRONMENTS = [None, "pymalloc", "malloc", "debug", "pymalloc_debug", "malloc_debug"]


def beneath(version, options, wish):
    """The allocator that CPython's own rules choose."""
    if "-E" in options or "-I" in options and version >= (3, 7):
        wish = None  # 3.6 looks before it has read -I
    if wish is None:
        return "debug" if "dev" in options and version >= (3, 7) else "pymalloc"
    return "debug" if "debug" in wish else wish


# tracemalloc puts its allocators above ours, in all three domains, and takes them
# away again; large blocks make it serve itself from within a request.
TRACEMALLOC = """\
import tracemalloc
kept = [str(i) for i in range(20000)]
tracemalloc.start()
more = [str(i) for i in range(100000)] + [bytes(5000) for i in range(100)]
counted = tracemalloc.get_traced_memory()[0]
del more[::2]
kept.clear()
tracemalloc.stop()
again = [str(i) for i in range(20000)]
print(counted > 100000 * 48)
"""


class AllocatorChoice(traced_run.TracedRun):

    def one(self, python, version, options, wish):
        environment = {} if wish is None else {"PYTHONMALLOC": wish}
        self.record(python, *options, "-c", PROGRAM, **environment)
        meta = self.meta()
        expected = beneath(version, options, wish)
        self.assertEqual(meta["allocator"], expected)
        if expected == "pymalloc":
            self.assertIn("equal: ", self.verify())
            self.assertNotIn("lost.hooks", meta)
        else:
            text = self.arenalab("verify", self.trace, status=3)
            self.assertIn("not beneath the hooks but `%s`" % expected, text)
        if expected == "debug":
            self.assertIn(": legal", self.lint())
        # What a trace lacks is said by the trace and by `record`.
        lacks = expected == "debug" and version >= (3, 7)
        self.assertEqual("lost.debug" in meta, lacks)
        self.assertEqual("warning" in self.errors, lacks or "lost.hooks" in meta)
        strings = sum(line.startswith("malloc ") and "domain=" not in line
                      for line in self.lines())
        self.assertGreater(strings, 20000)

    @traced_run.on_every_interpreter
    def test_pymalloc_beneath_is_verified_anything_else_is_named(self, python):
        version = traced_run.version_of(python)
        for wish in ENVIRONMENTS:
            for options in [(), ("-E",), ("-I",), ("-X", "dev")]:
                with self.subTest(wish=wish, options=options):
                    self.one(python, version, options, wish)

    @traced_run.on_every_interpreter
    def test_tracemalloc_above_the_hooks_hides_nothing(self, python):
        self.record(python, self.write(TRACEMALLOC))
        self.assertEqual(self.output, "True\n")
        meta = self.meta()
        self.assertNotIn("lost.hooks", meta)
        if traced_run.version_of(python) > (3, 6):
            self.assertIn("tracemalloc", meta["above"])
            self.assertIn(": legal", self.lint())
        self.assertIn("equal: ", self.verify())
        made = sum(line.startswith("malloc ") and "domain=" not in line
                   for line in self.lines())
        self.assertGreater(made, 140000)


if __name__ == "__main__":
    xml_report.main()

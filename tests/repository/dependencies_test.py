"""Who depends on whom, as Bazel itself sees it, keeps to the README's drawing.

Each case reads the labels that one of the genqueries of BUILD wrote: all that
a target needs, directly or not.
"""
import unittest

import xml_report


def packages(query):
    """The packages of this repository and the libraries that a query found."""
    with open("tests/repository/%s_needs" % query) as file:
        labels = file.read().split()
    return {label.partition(":")[0] if label.startswith("//") else label for label in labels
            if not label.startswith(("@bazel_tools", "@local_config", "@platforms"))}


def within(package, folders):
    return any(package == "//" + folder or package.startswith("//" + folder + "/")
               for folder in folders)


class Dependencies(unittest.TestCase):

    def check(self, query, own, folders, libraries=()):
        """`query` found `own`, and nothing outside `folders` and `libraries`."""
        found = packages(query)
        self.assertIn(own, found, "the query is about something else")
        strange = {package for package in found
                   if not within(package, folders + ["third_party"])
                   and package not in libraries and not package.startswith("@rules_cc")}
        self.assertEqual(strange, set())

    def test_the_preload_library_needs_the_ring_the_interpreter_and_the_c_library_only(self):
        found = packages("preload")
        self.assertIn("//tracer/preload", found)
        self.assertEqual({p for p in found if p.startswith("//")} -
                         {"//tracer/preload", "//tracer/ring", "//tracer", "//tracer/object",
                          "//allocators/interpreter"},
                         set())
        self.assertEqual({p for p in found if p.startswith("@debian")}, set())

    def test_allocators_know_neither_traces_nor_python(self):
        self.check("allocators", "//allocators/pymalloc", ["allocators"],
                   {"@debian//:mimalloc", "@debian//:jemalloc"})

    def test_the_trace_format_knows_no_allocator(self):
        self.check("format", "//tracer/format", ["tracer"],
                   {"@debian//:zstd", "@debian//:zlib"})

    def test_the_visualizer_knows_no_allocator_and_no_trace(self):
        found = packages("visualizer")
        self.assertIn("//visualizer", found)
        self.assertEqual({package for package in found if within(package, ["allocators"])}, set())
        self.assertLessEqual({package for package in found if within(package, ["tracer"])},
                             {"//tracer/format"})  # input_error.h

    def test_a_stranger_would_be_seen(self):
        with self.assertRaises(AssertionError):
            self.check("allocators", "//allocators/pymalloc", ["tracer"])


if __name__ == "__main__":
    xml_report.main()

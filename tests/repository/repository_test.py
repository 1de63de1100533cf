"""The rules that every file of the repository keeps to, and that they bite."""
import os
import statistics
import unittest

import source_tree
import tree_checks
import xml_report

# Written by a tool or word for word by someone else.
NOT_OURS = {"LICENSE", "visualizer/package-lock.json"}

# Files that a reader of allocators/README.md is led to write, and that a test
# cuts out of it.
EXAMPLES = {"allocators/page/heap.h", "tests/allocators/readme/page_heap.h"}


def texts():
    """(path, text) of every file of ours that is text."""
    for path in source_tree.paths():
        text = None if path in NOT_OURS else source_tree.read(path)
        if text is not None:
            yield path, text


class Tree(unittest.TestCase):

    def complain(self, check, only=lambda path: True):
        found = ["%s: %s" % (path, said) for path, text in texts() if only(path)
                 for said in [check(path, text)] if said]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_every_file_opens_by_saying_what_it_is(self):
        self.complain(lambda path, text: tree_checks.opening(
            source_tree.language(path), text))

    def test_every_folder_of_the_flow_has_a_readme(self):
        for folder in ("allocators", "tracer", "visualizer", "workloads", "tests", "tools"):
            path = os.path.join(source_tree.ROOT, folder, "README.md")
            self.assertTrue(os.path.exists(path), folder)

    def test_files_are_short(self):
        def source(path):
            return source_tree.language(path) in ("cc", "py", "sh", "js", "bzl", "css")
        self.complain(lambda path, text: tree_checks.length(text), source)
        lengths = [text.count("\n") for path, text in texts() if source(path)]
        self.assertLessEqual(statistics.median(lengths), 120)
        # Nearly all fit on a few screens.
        self.assertLess(sum(n > 400 for n in lengths), 0.05 * len(lengths))

    def test_lines_end_without_spaces_and_files_with_a_newline(self):
        self.complain(lambda path, text: tree_checks.layout(text),
                      lambda path: source_tree.language(path) not in ("json", "txt", "csv"))

    def test_nothing_is_left_for_later_or_of_one_machine(self):
        self.complain(lambda path, text: tree_checks.finished(text),
                      lambda path: not path.startswith("tests/repository/"))

    def test_every_path_that_a_file_names_exists(self):
        def exists(name):
            # What builds and installations write is named too.
            return (name.endswith(".so") or "node_modules" in name or "/dist/" in name
                    or name in EXAMPLES
                    or os.path.exists(os.path.join(source_tree.ROOT, name)))

        def check(path, text):
            return ", ".join(tree_checks.gone(path, text, exists))
        self.complain(check, lambda path: source_tree.language(path) not in ("json", "csv")
                      and not path.startswith("tests/repository/"))

    def test_names_are_not_drawers(self):
        drawers = {"common", "utils", "util", "helpers", "helper", "misc"}
        for path in source_tree.paths():
            parts = set(os.path.splitext(path)[0].split("/"))
            self.assertFalse(parts & drawers, path)


class Checks(unittest.TestCase):
    """Each check fails on a text that breaks it."""

    def test_opening(self):
        said = tree_checks.opening
        self.assertIsNone(said("cc", "// A pool of blocks.\n#pragma once\n"))
        self.assertIsNone(said("sh", "#!/bin/sh\n# Runs all tests.\n"))
        self.assertIsNone(said("py", '#!/usr/bin/env python3\n"""Counts test cases."""\n'))
        self.assertIsNone(said("json", "{}"))
        self.assertIsNotNone(said("cc", "#pragma once\n// A pool of blocks.\n"))
        self.assertIsNotNone(said("cc", "// pool.h\n"))
        self.assertIsNotNone(said("py", "import os\n"))
        self.assertIsNotNone(said("sh", "#!/bin/sh\nset -e now and here\n"))

    def test_length(self):
        self.assertIsNone(tree_checks.length("x\n" * 600))
        self.assertIsNotNone(tree_checks.length("x\n" * 601))

    def test_layout(self):
        self.assertIsNone(tree_checks.layout("a\n\nb\n"))
        for text in ("a \nb\n", "a\n\t\nb\n", "a", "a\n\n"):
            self.assertIsNotNone(tree_checks.layout(text), repr(text))

    def test_finished(self):
        for text in ("see /root/notes", "(/home/me/x)", "// TODO: later"):
            self.assertIsNotNone(tree_checks.finished(text), text)
        for text in ("$HOME/root/x", "net/work/x", "https://h/home/x", "/rooted/x"):
            self.assertIsNone(tree_checks.finished(text), text)

    def test_named_paths(self):
        text = ("// tracer/event.h and (tools/replay/) but not bazel-bin/tools/x.h,\n"
                "workloads/*.py, tests/<name>.cc, //tools/cli:arenalab or atools/y.h.\n"
                "See tests/x_test.cc, allocators/NAME/heap.h.")
        self.assertEqual(tree_checks.named_paths(text),
                         {"tracer/event.h", "tools/replay/", "tests/x_test.cc"})

    def test_gone(self):
        text = "[a](here.md#part) [b](https://x/y.md) [c](../lost.md) tools/lost.py"
        self.assertEqual(
            tree_checks.gone("docs/x.md", text, lambda name: name == "docs/here.md"),
            ["lost.md", "tools/lost.py"])


if __name__ == "__main__":
    xml_report.main()

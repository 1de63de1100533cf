"""Types and call sites of a trace against what the program knows of itself, on
every interpreter of this machine."""
import collections
import os
import re
import subprocess

import traced_run
import xml_report
from traced_run import on_every_interpreter

# Which line asks is found by its comment.
PROGRAM = """\
class Alpha:
    __slots__ = ("a", "b")
class Beta:
    pass
class Gamma(list):
    pass

def alphas(n):
    return [Alpha() for i in range(n)]  # alpha

def betas(n):
    made = []
    for i in range(n):
        made.append(
            Beta())  # beta
    return made

del_me = alphas(5000)
del del_me
del_me = betas(3000)
del del_me

# Types and code objects whose addresses are used again.
for i in range(300):
    made = type("Passing%d" % i, (), {"__slots__": ()})()
    del made
    names = {}
    exec(compile("def passing%d():\\\\n  return [0] * 9, float(7)" % i,
                 "passing", "exec"), names)
    names["passing%d" % i]()

kept = [Gamma() for i in range(200)]
kept.append(kept)  # lives on after the interpreter has gone
import sys
sys.stdout.write("\\\\n".join("%x" % id(g) for g in kept[:200]))
sys.stdout.flush()
globals()["__builtins__"] = None
"""


# Each Alpha knows by its place in `made` which stack asked for it.
STACKS = """\
class Alpha:
    __slots__ = ("a", "b")

def leaf(n, to):
    for i in range(n):
        to.append(
            Alpha())  # leaf
def middle(n, to):
    leaf(n, to)  # middle
def deep(depth, n, to):
    if depth:
        deep(depth - 1, n, to)  # deeper
    else:
        leaf(n, to)  # deepest
def generated(n):
    for i in range(n):
        yield Alpha()  # generated

made = []
middle(100, made)  # one
leaf(50, made)  # two
deep(3, 25, made)  # three
for i in range(40):
    leaf(1, made)  # even
    leaf(1, made)  # odd
made.extend(generated(7))  # five
deep(300, 10, made)  # four
namespace = {"leaf": leaf}
for i in range(30):
    # Code objects that come and go at the same place in the stack.
    exec(compile("def passing%d(to):\\n  leaf(1, to)" % i, "passing", "exec"),
         namespace)
    namespace.pop("passing%d" % i)(made)  # six
del made
"""


def line_of(text, comment):
    lines = text.splitlines()
    return 1 + next(i for i, line in enumerate(lines)
                    if line.endswith("# " + comment))


class Attributed:
    """What the text form of a trace says of each free and each held block."""

    def __init__(self, text):
        self.freed = collections.Counter()
        self.sites = collections.defaultdict(collections.Counter)
        self.held = {}
        self.requests = self.with_site = 0
        site_of = {}
        for line in text.splitlines():
            words = line.split()
            columns = dict(word.split("=", 1) for word in words[1:]
                           if "=" in word)
            if words[0] in ("malloc", "calloc", "realloc"):
                site_of[words[1]] = columns.get("site")
                if columns.get("domain", "obj") in ("obj", "mem"):
                    self.requests += 1
                    self.with_site += "site" in columns
            elif words[0] == "free":
                kind = columns.get("type")
                self.freed[kind] += 1
                self.sites[kind][site_of.pop(words[1], None)] += 1
            elif words[0] == "held":
                self.held[int(words[1], 16)] = (columns["type"],
                                                columns.get("owner"))


class AttributionTest(traced_run.TracedRun):

    def dumped(self, python, *options, text=PROGRAM, **environment):
        program = self.write(text.replace("\\\\n", "\\n"))
        trace = os.path.join(self.folder, "attributed.trace")
        run = subprocess.run(
            [traced_run.ARENALAB, "record", "-f", "-o", trace, *options, "--",
             python, program],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.environment(environment), universal_newlines=True,
            timeout=300)
        self.assertEqual(run.returncode, 0, run.stderr)
        text = subprocess.check_output(
            [traced_run.ARENALAB, "trace", "dump", trace],
            universal_newlines=True, encoding="utf-8", timeout=300)
        self.ids = [int(word, 16) for word in run.stdout.split()]
        self.program, self.trace_of_types = program, trace
        return text

    @on_every_interpreter
    def test_types_and_call_sites_are_what_the_program_knows(self, python):
        text = self.dumped(python, "--types", "--callsites")
        found = Attributed(text)
        self.check_types(found)
        if (3, 8) <= traced_run.version_of(python) <= (3, 13):
            self.check_sites(found)
            self.assertNotIn("meta lost.", text)
        else:
            self.assertEqual(found.with_site, 0)
            self.assertIn("meta lost.sites ", text)
        self.assertIn("equal", subprocess.check_output(
            [traced_run.ARENALAB, "verify", self.trace_of_types],
            universal_newlines=True, timeout=300))

    def check_types(self, found):
        self.assertEqual(found.freed["Alpha"], 5000)
        self.assertEqual(found.freed["Beta"], 3000)
        for i in range(300):
            self.assertEqual(found.freed["Passing%d" % i], 1, i)
        # Of the living, at the end. An object stands behind its GC header.
        for address in self.ids:
            told = [found.held.get(address - offset)
                    for offset in (0, 16, 24, 32)]
            self.assertIn(("Gamma", "program"), told)

    def check_sites(self, found):
        self.assertGreater(found.with_site / found.requests, 0.9)
        (site, count), = found.sites["Alpha"].most_common(1)
        # Until 3.11 a comprehension is a function of its own.
        self.assertEqual(site.rsplit(":", 1)[0], "%s:%d" % (
            self.program, line_of(PROGRAM, "alpha")))
        self.assertEqual(count, 5000)
        self.assertEqual(
            found.sites["Beta"].most_common(1)[0],
            ("%s:%d:betas" % (self.program, line_of(PROGRAM, "beta")), 3000))
        # 300 functions of which each next one may lie where the last one was.
        passing = collections.Counter()
        for sites in found.sites.values():
            passing.update(sites)
        for i in range(300):
            self.assertGreater(passing["passing:2:passing%d" % i], 0, i)

    def check_stacks(self, python):
        text = self.dumped(python, "--types", "--stacks", text=STACKS)
        site_of, found = {}, collections.Counter()
        for line in text.splitlines():
            site = re.search(r' site=("[^"]*"|\S+)', line)
            words = line.split(None, 2)
            if words[0] in ("malloc", "calloc", "realloc"):
                site_of[words[1]] = site[1].strip('"') if site else None
            elif words[0] == "free" and " type=Alpha" in line:
                found[site_of[words[1]]] += 1

        def stack(*frames):
            return " < ".join(
                "%s:%d:%s" % (self.program, line_of(STACKS, comment), function)
                for function, comment in frames)

        leaf, module = ("leaf", "leaf"), "<module>"
        deeper = ("deep", "deeper")
        expected = collections.Counter({
            stack(leaf, ("middle", "middle"), (module, "one")): 100,
            stack(leaf, (module, "two")): 50,
            stack(leaf, ("deep", "deepest"), deeper, deeper, deeper,
                  (module, "three")): 25,
            stack(leaf, (module, "even")): 40,
            stack(leaf, (module, "odd")): 40,
            stack(("generated", "generated"), (module, "five")): 7,
            stack(leaf, ("deep", "deepest"), *[deeper] * 254): 10})
        for i in range(30):
            expected["%s < passing:2:passing%d < %s" % (
                stack(leaf), i, stack((module, "six")))] = 1
        self.assertEqual(found, expected)
        self.assertIn("meta attribution types, stacks\n", text)
        self.assertIn("equal", subprocess.check_output(
            [traced_run.ARENALAB, "verify", self.trace_of_types],
            universal_newlines=True, timeout=300))

    @on_every_interpreter
    def test_whole_stacks_on_every_interpreter_that_has_known_frames(
            self, python):
        if (3, 8) <= traced_run.version_of(python) <= (3, 13):
            self.check_stacks(python)
        else:
            text = self.dumped(python, "--stacks")
            self.assertIn("meta lost.sites ", text)
            self.assertNotIn("meta attribution", text)

    def test_nothing_is_attributed_unless_asked_for(self):
        text = self.dumped(traced_run.PYTHONS[0])
        found = Attributed(text)
        self.assertEqual(set(found.freed), {None})
        self.assertEqual((found.with_site, found.held), (0, {}))
        self.assertNotIn("lost.", text)
        self.assertNotIn("meta attribution", text)


if __name__ == "__main__":
    xml_report.main()

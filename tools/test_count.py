#!/usr/bin/env python3
"""Counts the test cases of finished `bazel test` runs and prints the verdict.

Usage: test_count.py FOLDER

FOLDER holds, for each run, NAME.json (Bazel's build events, one JSON object a
line) and NAME.status (Bazel's exit status). Cases come from each target's
test.xml: the <testcase> elements of GoogleTest and of our Python and Node
tests. A target without such a file, or that failed though no case in it did (a
crash, a time-out), counts as one case. A target that could not be built is one
failure. A log line `SKIPPED: reason` marks a script that skipped itself.

Prints what failed, what was skipped and why, and what passed only at a second
attempt (`flaky`: to be mended, though counted as passed); the last line is
`N passed, N failed`, with `, N skipped` if any. Exit status 1 if any failed.
"""
import collections
import json
import os
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

# Bazel's exit statuses that say no more than the targets' own results do.
TOLD_BY_TARGETS = {0, 1, 3}
NO_TARGETS = 4  # nothing matched the filters

Counts = collections.namedtuple("Counts", "passed failed skipped")


def cases_of_xml(text):
    """(name, outcome, detail) of each test case; empty where unreadable."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return []
    cases = []
    for case in root.iter("testcase"):
        name = ".".join(
            filter(None, [case.get("classname"), case.get("name")]))
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            cases.append((name, "failed", ""))
        elif skip is not None:
            reason = skip.get("message") or skip.text or ""
            cases.append((name, "skipped", reason.strip().split("\n")[-1]))
        elif case.get("status") == "notrun":
            cases.append((name, "skipped", "disabled"))
        else:
            cases.append((name, "passed", ""))
    return cases


def cases_of_target(label, passed, xml, log):
    """The cases of one target that ran, as cases_of_xml returns them."""
    cases = cases_of_xml(xml)
    # Bazel writes a one-case file for a test that writes none.
    alone = len(cases) <= 1
    said = re.search(r"^SKIPPED: *(.*)$", log, re.MULTILINE)
    if alone and passed and said:
        return [(label, "skipped", said.group(1))]
    if alone and not cases:
        return [(label, "passed" if passed else "failed", "")]
    if not passed and all(outcome != "failed" for _, outcome, _ in cases):
        cases.append((label, "failed", "the program itself failed"))
    return [(label + " " + name if name and not alone else label, outcome,
             detail) for name, outcome, detail in cases]


def read(uri):
    """The file of a file: URI, or nothing where it cannot be read."""
    path = urllib.parse.unquote(urllib.parse.urlparse(uri).path)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def cases_of_run(events):
    """All cases of one run, from its build events (parsed JSON objects)."""
    results = collections.OrderedDict()  # label -> list of testResult events
    broken = collections.OrderedDict()   # label -> why
    again = set()                        # labels of more than one attempt
    for event in events:
        name = event.get("id", {})
        if "testResult" in name and "testResult" in event:
            label = name["testResult"]["label"]
            # A flaky test has several attempts; the last one stands.
            key = (label, name["testResult"].get("run", 1),
                   name["testResult"].get("shard", 1))
            if key in results:
                again.add(label)
            results[key] = event["testResult"]
        elif "targetCompleted" in name:
            label = name["targetCompleted"]["label"]
            if not event.get("completed", {}).get("success"):
                broken.setdefault(label, "not built")
        elif "pattern" in name and "aborted" in event:
            broken["pattern " + " ".join(name["pattern"]["pattern"])] = (
                event["aborted"].get("description", "not loaded"))
        elif "configuredLabel" in name and "aborted" in event:
            broken.setdefault(name["configuredLabel"]["label"],
                              event["aborted"].get("reason", "not built"))
    cases = []
    for (label, _, _), result in results.items():
        files = {f["name"]: f.get("uri", "")
                 for f in result.get("testActionOutput", [])}
        cases += cases_of_target(label, result.get("status") == "PASSED",
                                 read(files.get("test.xml", "")),
                                 read(files.get("test.log", "")))
        broken.pop(label, None)
        if label in again and result.get("status") == "PASSED":
            cases.append((label, "flaky", "an attempt before this one failed"))
    return cases + [(label, "failed", why) for label, why in broken.items()]


def events_of_file(path):
    """Build events; the last line may be cut off where Bazel was killed."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                return


def count(folder):
    """Counts all runs in `folder`, printing what did not pass."""
    totals = collections.Counter()
    for status_file in sorted(os.listdir(folder)):
        run, extension = os.path.splitext(status_file)
        if extension != ".status":
            continue
        with open(os.path.join(folder, status_file)) as file:
            status = int(file.read())
        events = os.path.join(folder, run + ".json")
        cases = (cases_of_run(events_of_file(events))
                 if os.path.exists(events) else [])
        failed = any(outcome == "failed" for _, outcome, _ in cases)
        if status not in TOLD_BY_TARGETS and status != NO_TARGETS or (
                status != 0 and status != NO_TARGETS and not failed):
            cases.append(("bazel", "failed", "exit status %d" % status))
        for label, outcome, detail in cases:
            totals[outcome] += 1
            if outcome != "passed":
                print("%-7s  %s%s%s" % (
                    outcome, "" if run == "plain" else run + ": ", label,
                    "  (%s)" % detail if detail else ""))
    return Counts(totals["passed"], totals["failed"], totals["skipped"])


def main():
    counts = count(sys.argv[1])
    line = "%d passed, %d failed" % (counts.passed, counts.failed)
    if counts.skipped:
        line += ", %d skipped" % counts.skipped
    print(line)
    # A run that tested nothing has shown nothing.
    return 1 if counts.failed or not counts.passed else 0


if __name__ == "__main__":
    sys.exit(main())

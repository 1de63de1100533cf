#!/usr/bin/env python3
"""The published tables, made from the raw results in workloads/study/.

    tools/study/tables.py            prints them
    tools/study/tables.py --write    puts them where the Markdown files want them

A Markdown file holds a table between `<!-- table: NAME -->` and
`<!-- end -->`. tests/repository/tables_test.py fails where what stands there
is not what the raw results say.
"""
import os
import re
import statistics
import sys

import raw_results

PAGES = ["README.md", "workloads/README.md"]
NOT_MEASURED = "not measured yet"


def mib(count):
    return "n/a" if count is None else "%.1f MiB" % (count / 2.0 ** 20)


def grouped(count):
    return "{:,}".format(count)


def ratios(row):
    """The ratio traced/bare of each pair of a tracer_cost row."""
    return [traced / bare for traced, bare in zip(row["traced_s"], row["bare_s"])]


def exactness_line(results):
    """The headline's first row: addresses compared, and how many differed."""
    if results is None:
        return NOT_MEASURED
    rows = results["rows"]
    equal = [row for row in rows if row["status"] == "equal"]
    # A child's count includes its parent's requests before the fork.
    first = [row for row in equal if row["process"] == "first"]
    text = "%s addresses of %d runs on %d interpreters, and %d processes forked in them: **%s differ**" % (
        grouped(sum(row["compared"] for row in first)), len(first),
        len({row["python"] for row in rows}), len(equal) - len(first),
        grouped(sum(row.get("mismatches") or 0 for row in rows)))
    if len(equal) != len(rows):
        text += "; %d of %d processes not equal or not verifiable" % (
            len(rows) - len(equal), len(rows))
    return text


def cost_line(results):
    """The second row: how much longer a recorded program takes."""
    if results is None:
        return NOT_MEASURED
    medians = [statistics.median(ratios(row)) for row in results["rows"]]
    each = [len(row["bare_s"]) for row in results["rows"]]
    size = [row["trace_bytes"] / row["events"] for row in results["rows"]]
    return ("**%.2f times** the wall time (%.2f to %.2f; median of %d pairs, %d program × "
            "interpreter), %.1f to %.1f bytes an event" % (
                statistics.median(medians), min(medians), max(medians), min(each),
                len(medians), min(size), max(size)))


def memory_of(row):
    """{name: resident bytes at the last valley} of a memory row.

    Measured in the replay, all scopes' requests; where that was not possible,
    the model's committed bytes.
    """
    held = {}
    for allocator in row["allocators"]:
        summary = allocator["summary"]
        held[allocator["name"]] = summary["last_valley_rss_bytes"]
        if held[allocator["name"]] is None:
            held[allocator["name"]] = summary["last_valley_committed_bytes"]
    return held


def memory_line(results):
    """The third row: the phase shift's last valley, against the limits."""
    if results is None:
        return NOT_MEASURED
    row = next(row for row in results["rows"] if row["workload"] == "phase_shift")
    held = memory_of(row)
    others = ", ".join("%s %s" % (name, mib(held[name]))
                       for name in ("mimalloc", "jemalloc", "system") if held.get(name))
    return ("CPython %s holds **%s** for %s live; whole pages of live bytes are %s; %s" % (
        row["python"], mib(held["pymalloc"]), mib(row["requested_at_last_valley"]),
        mib(row["limits_at_last_valley"]["page_load"]), others))


def headline():
    rows = [
        ("Is the clone exact?", exactness_line(raw_results.read("exactness")),
         "`tools/study/exactness.py`"),
        ("What does recording cost?", cost_line(raw_results.read("tracer_cost")),
         "`tools/study/tracer_cost.py`"),
        ("What is retained, what need not be?", memory_line(raw_results.read("memory")),
         "`tools/study/memory.py`"),
    ]
    return "| | | made by |\n|---|---|---|\n" + "".join(
        "| %s | %s | %s |\n" % row for row in rows)


def cost_table():
    results = raw_results.read("tracer_cost")
    if results is None:
        return NOT_MEASURED + "\n"
    lines = ["| Workload | Python | alone | recorded | ratio | lowest–highest pair | events |",
             "|---|---|--:|--:|--:|--:|--:|"]
    for row in results["rows"]:
        pairs = ratios(row)
        lines.append("| %s | %s | %.2f s | %.2f s | %.2f | %.2f–%.2f | %s |" % (
            row["workload"], row["python"], statistics.median(row["bare_s"]),
            statistics.median(row["traced_s"]), statistics.median(pairs), min(pairs),
            max(pairs), grouped(row["events"])))
    return "\n".join(lines) + "\n"


def memory_table():
    results = raw_results.read("memory")
    if results is None:
        return NOT_MEASURED + "\n"
    names = ["pymalloc", "mimalloc", "jemalloc", "system"]
    lines = ["| Workload | live | in whole pages | " + " | ".join(names) + " |",
             "|---|--:|--:|" + "--:|" * len(names)]
    for row in results["rows"]:
        held = memory_of(row)
        lines.append("| %s | %s | %s | %s |" % (
            row["workload"], mib(row["requested_at_last_valley"]),
            mib(row["limits_at_last_valley"]["page_load"]),
            " | ".join(mib(held.get(name)) for name in names)))
    return "\n".join(lines) + "\n"


def held_table():
    results = raw_results.read("phase_shift_held")
    if results is None:
        return NOT_MEASURED + "\n"
    lines = ["| Interpreter | held in arenas | bytes in live blocks | ratio |",
             "|---|--:|--:|--:|"]
    for row in results["rows"]:
        lines.append("| CPython %s | %s | %s | %.1f |" % (
            row["python"], mib(row["arena_bytes"]), mib(row["live_bytes"]),
            row["arena_bytes"] / row["live_bytes"]))
    return "\n".join(lines) + "\n"


TABLES = {"headline": headline, "tracer-cost": cost_table, "last-valley": memory_table,
          "phase-shift-held": held_table}


def filled(text):
    """A Markdown text with each of its tables as the raw results have it."""
    def table(match):
        return "<!-- table: %s -->\n%s<!-- end -->" % (match.group(1), TABLES[match.group(1)]())
    return re.sub(r"<!-- table: ([\w-]+) -->\n.*?<!-- end -->", table, text, flags=re.DOTALL)


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        sys.exit(__doc__)
    for name in TABLES:
        print("%s:\n%s" % (name, TABLES[name]()))
    if sys.argv[1:]:
        for page in PAGES:
            path = os.path.join(raw_results.ROOT, page)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(filled(text))


if __name__ == "__main__":
    main()

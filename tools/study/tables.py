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

import cost_tables
import exec_tables
import gate_tables
import process_tables
import raw_results
import study_tables

PAGES = ["README.md", "workloads/README.md", "workloads/study/README.md",
         "workloads/study/STUDY.md",
         "tools/replay/prediction_error.h"]
NOT_MEASURED = "not measured yet"


def mib(count):
    return "n/a" if count is None else "%.1f MiB" % (count / 2.0 ** 20)


def grouped(count):
    return "{:,}".format(count)


def exactness_line(results):
    """The headline's first row: addresses compared, and how many differed."""
    if results is None:
        return NOT_MEASURED
    rows = results["rows"]
    text = "%s addresses of %d runs with %s processes on %d interpreters: **%s differ**" % (
        grouped(sum(row["compared"] for row in rows)), len(rows),
        grouped(sum(row["processes"] for row in rows)), len({row["python"] for row in rows}),
        grouped(sum(row["mismatches"] for row in rows)))
    failed = sum(sum(row["not_equal"].values()) for row in rows)
    if failed:
        text += "; %d processes not equal or not verifiable" % failed
    changed = sum(len(row.get("changed", ())) for row in rows)
    if changed:
        text += "; %d tests behave otherwise when recorded" % changed
    return text


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
                       for name in ("pymalloc", "mimalloc", "jemalloc", "system") if held.get(name))
    clone = next(a for a in row["allocators"] if a["name"] == "pymalloc")["summary"]
    arenas, live = clone["last_valley_held_bytes"], row["small_at_last_valley"]
    repack = row["limits_at_last_valley"]["class_repack"]
    return ("phase_shift's last valley on CPython %s: arenas of **%s** for %s live, **%.1f times**; "
            "with each size class compacted %s, %.2f times. Resident, all requests: %s" % (
                row["python"], mib(arenas), mib(live), arenas / live, mib(repack), repack / live,
                others))


def headline():
    rows = [
        ("Is the clone exact?", exactness_line(raw_results.read("exactness")),
         "`tools/study/exactness.py`"),
        ("What does recording cost?", cost_tables.cost_line(raw_results.read("tracer_cost")),
         "`tools/study/tracer_cost.py`"),
        ("What is retained, what need not be?", memory_line(raw_results.read("memory")),
         "`tools/study/memory.py`"),
    ]
    return "| | | made by |\n|---|---|---|\n" + "".join(
        "| %s | %s | %s |\n" % row for row in rows)


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


def cell(row):
    """`events / mismatches` of a run, and how many processes do not verify."""
    if row is None:
        return "–"
    text = "%s / %s" % (grouped(row["compared"]), grouped(row["mismatches"]))
    failed = sum(row["not_equal"].values())
    return text + " (**%d fail**)" % failed if failed else text


def exactness_table():
    """Programs down, interpreters across."""
    results = raw_results.read("exactness")
    if results is None:
        return NOT_MEASURED + "\n"
    rows = {(row["program"], row["python"]): row for row in results["rows"]}
    pythons = list(dict.fromkeys(row["python"] for row in results["rows"]))
    programs = list(dict.fromkeys(row["program"] for row in results["rows"]))
    lines = ["| Program | " + " | ".join(pythons) + " |", "|---|" + "--:|" * len(pythons)]
    for program in programs:
        lines.append("| %s | %s |" % (program, " | ".join(
            cell(rows.get((program, python))) for python in pythons)))
    totals = [[row for row in results["rows"] if row["python"] == python]
              for python in pythons]
    lines.append("| **all** | %s |" % " | ".join(
        "**%s / %s**" % (grouped(sum(row["compared"] for row in total)),
                         grouped(sum(row["mismatches"] for row in total)))
        for total in totals))
    lines.append("| processes | %s |" % " | ".join(
        grouped(sum(row["processes"] for row in total)) for total in totals))
    lines.append("| not pymalloc beneath the hooks | %s |" % " | ".join(
        grouped(sum(row["other_allocator"] for row in total)) for total in totals))
    return "\n".join(lines) + "\n"


def outcomes_table():
    """The regression suite's tests, traced and untraced."""
    results = raw_results.read("exactness")
    rows = [row for row in results["rows"] if "tests" in row] if results else []
    if not rows:
        return NOT_MEASURED + "\n"
    lines = ["| Interpreter | tests | otherwise when recorded | set aside |", "|---|--:|---|---|"]
    for python in dict.fromkeys(row["python"] for row in rows):
        of_python = [row for row in rows if row["python"] == python]
        lines.append("| CPython %s | %s | %s | %s |" % (
            python, grouped(sum(row["tests"] for row in of_python)),
            named(test for row in of_python for test in row["changed"]),
            named(test for row in of_python for test in row["unstable"])))
    return "\n".join(lines) + "\n"


def named(tests):
    """Test ids, shortened to class and method."""
    return ", ".join("`%s`" % ".".join(test.split(".")[-2:]) for test in tests) or "none"


# Each generation of allocators/pymalloc/generation.h, the releases that it is,
# and its proof besides recordings. Golden vectors: what the allocator of that
# source, compiled alone, or the interpreter itself did with a fixed stream;
# tests/allocators/pymalloc/golden_test.cc holds them.
GENERATIONS = [
    ("cpython-2.3", "2.3, 2.4.0, 2.4.1", "golden vectors of its source"),
    ("cpython-2.4.2", "2.4.2 to 2.4.6", "golden vectors of its source"),
    ("cpython-2.5", "2.5 to 2.7.6, 3.0 to 3.2", "golden vectors of its source"),
    ("classic", "2.7.7 to 2.7.16, 3.3 to 3.6, 3.7.0 to 3.7.3", "golden vectors of its source"),
    ("cpython-3.7.4", "2.7.17, 2.7.18, 3.7.4 and later", "golden vectors of interpreters"),
    ("cpython-3.8", "3.8", "golden vectors of interpreters"),
    ("cpython-3.9", "3.9", "golden vectors of interpreters"),
    ("cpython-3.10", "3.10", "golden vectors of interpreters"),
    ("cpython-3.11", "3.11 to 3.15", "golden vectors of interpreters up to 3.13"),
    ("cpython-3.15-hugepages", "3.15 built with huge pages",
     "reading only: vectors of a model, no build of it was run"),
]


def generations_table():
    """How each generation of the clone is known to be CPython's."""
    results = raw_results.read("exactness")
    rows = results["rows"] if results else []
    lines = ["| Generation | releases | live interpreters | addresses | differ | besides |",
             "|---|---|---|--:|--:|---|"]
    for name, releases, besides in GENERATIONS:
        of_name = [row for row in rows if row["geometry"] == name]
        pythons = list(dict.fromkeys(row["python"] for row in of_name))
        lines.append("| %s | %s | %s | %s | %s | %s |" % (
            name, releases, ", ".join(pythons) or "none here",
            grouped(sum(row["compared"] for row in of_name)) if of_name else "–",
            grouped(sum(row["mismatches"] for row in of_name)) if of_name else "–", besides))
    return "\n".join(lines) + "\n"


def suite_table():
    """CPython's own tests on each allocator: how many, and which behave otherwise."""
    results = raw_results.read("exec_suite")
    if results is None:
        return NOT_MEASURED + "\n"
    rows, text = results["rows"], "| Allocator | Interpreters | Modules | Tests | Outcomes that differ |\n"
    text += "|---|---|--:|--:|---|\n"
    for allocator in dict.fromkeys(row["allocator"] for row in rows):
        own = [row for row in rows if row["allocator"] == allocator]
        changed = sorted({test.rpartition(".")[2] for row in own for test in row["changed"]})
        text += "| %s | %s | %d | %s | %s |\n" % (
            allocator, ", ".join(dict.fromkeys(row["python"] for row in own)),
            len({row["module"] for row in own}), grouped(sum(row["tests"] for row in own)),
            ", ".join(changed) if changed else "none")
    return text


def same_statistics_table():
    """The clone's statistics against the interpreter's own, by interpreter."""
    results = raw_results.read("exec_exactness")
    if results is None:
        return NOT_MEASURED + "\n"
    text = "| Interpreter | programs | agree with themselves | equal on the clone | differ |\n"
    text += "|---|--:|--:|--:|---|\n"
    for version in dict.fromkeys(row["python"] for row in results["rows"]):
        own = [row for row in results["rows"] if row["python"] == version]
        text += "| %s | %d | %d | %d | %s |\n" % (
            version, len(own), sum(row["equal"] is not None for row in own),
            sum(row["equal"] is True for row in own),
            ", ".join(row["program"] for row in own if row["equal"] is False) or "none")
    return text


def percent(share):
    return "%.1f %%" % (100 * share)


def prediction_table():
    """How far replay's figures are from what Python really weighs on each allocator."""
    results = raw_results.read("prediction")
    if results is None:
        return NOT_MEASURED + "\n"
    text = ("| Allocator | Moment | Workloads | median error | worst | worst in | "
            "of its own bytes: median | worst |\n|---|---|--:|--:|--:|---|--:|--:|\n")
    rows = results["rows"]
    for allocator in dict.fromkeys(row["allocator"] for row in rows):
        for moment in dict.fromkeys(row["moment"] for row in rows):
            own = [row for row in rows
                   if row["allocator"] == allocator and row["moment"] == moment]
            if not own:
                continue
            worst = max(own, key=lambda row: abs(row["error"]))
            text += "| %s | %s | %d | %s | %s | %s | %s | %s |\n" % (
                allocator, moment.replace("_", " "), len(own),
                percent(statistics.median(abs(row["error"]) for row in own)),
                percent(abs(worst["error"])), worst["workload"],
                percent(statistics.median(abs(row["own_error"]) for row in own)),
                percent(max(abs(row["own_error"]) for row in own)))
    return text


def prediction_errors():
    """The same for the verdict, as C++: percent at the last valley."""
    results = raw_results.read("prediction")
    text = ""
    rows = [] if results is None else results["rows"]
    for allocator in dict.fromkeys(row["allocator"] for row in rows):
        errors = [100 * abs(row["error"]) for row in rows
                  if row["allocator"] == allocator and row["moment"] == "last_valley"]
        text += '    {"%s", %.1f, %.1f},\n' % (allocator, statistics.median(errors), max(errors))
    return text + "    // "


def policies_table():
    """Policies of pymalloc under a real interpreter: held over live at the last valley."""
    results = raw_results.read("policies")
    if results is None:
        return NOT_MEASURED + "\n"
    rows = results["rows"]
    names = list(dict.fromkeys(row["workload"] for row in rows))
    text = "| Policy | %s | instructions, median |\n|---|%s--:|\n" % (
        " | ".join(names), "--:|" * len(names))
    for policy in dict.fromkeys(row["policy"] for row in rows):
        cells, ratios_of = [], []
        for name in names:
            row = next(row for row in rows if row["policy"] == policy and row["workload"] == name)
            valley = row.get("last_valley")
            cells.append("%.1f" % (valley["held"] / valley["live"]) if valley else "\u2013")
            if "instructions" in row:
                ratios_of.append(row["instructions"] / row["native_instructions"])
        text += "| `%s` | %s | %s |\n" % (
            policy, " | ".join(cells),
            "%.3f" % statistics.median(ratios_of) if ratios_of else "\u2013")
    return text


TABLES = {"headline": headline, "tracer-cost": cost_tables.cost_table,
          "tracer-tools": cost_tables.tools_table, "last-valley": memory_table,
          "phase-shift-held": held_table, "exactness": exactness_table,
          "outcomes": outcomes_table, "generations": generations_table,
          "exec-suite": suite_table, "same-statistics": same_statistics_table,
          "prediction": prediction_table, "prediction-error": prediction_errors,
          "policies": policies_table,
          "exec-speed": lambda: exec_tables.speed_table(raw_results.read("exec_speed")),
          "exec-memory": lambda: exec_tables.memory_table(raw_results.read("exec_speed")),
          **study_tables.TABLES, **process_tables.TABLES, **gate_tables.TABLES}


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

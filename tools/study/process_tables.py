"""The tables of workloads/study/ about several processes at once: what forked
children copy, and what N workers cost."""
import raw_results
from study_tables import NOT_MEASURED, grouped, mib, percent, table

CAUSES = ("collector", "allocator", "references", "put back", "links", "program", "several")


def whole_suite_table():
    results = raw_results.read("whole_suite")
    if results is None:
        return NOT_MEASURED
    rows = []
    for python in sorted({row["python"] for row in results["rows"]}):
        of_it = [row for row in results["rows"] if row["python"] == python]
        done = [row for row in of_it if "too_long" not in row]
        changed = sorted(name for row in done for name in row["changed"])
        rows.append([python, grouped(len(of_it)),
                     grouped(sum(row["tests"] for row in done) - len(changed)),
                     ", ".join(name.rpartition(".")[2] for name in changed) or "none",
                     grouped(sum(len(row["unstable"]) for row in done)),
                     grouped(len(of_it) - len(done))])
    return table(["CPython", "Modules", "Tests with the same outcome", "Outcomes that differ",
                  "set aside", "modules too long"], rows)


def cow_table():
    results = raw_results.read("cow")
    if results is None:
        return NOT_MEASURED
    rows = []
    for row in results["rows"]:
        causes = row["by_cause"]
        rows.append([row["python"], "yes" if row["gc_freeze"] else "no",
                     grouped(row["pages_at_fork"]),
                     percent(row["copied"] / row["pages_at_fork"])] +
                    [grouped(causes[cause]) for cause in CAUSES] +
                    [mib(row["private_dirty_bytes_median"])])
    return table(["CPython", "gc.freeze", "arena pages at the forks", "copied"] + list(CAUSES) +
                 ["MiB written, a child"], rows)


def cow_allocators_table():
    results = raw_results.read("cow_allocators")
    if results is None:
        return NOT_MEASURED
    return table(["CPython %s on" % results["rows"][0]["python"], "children", "RSS, MiB", "PSS",
                  "private (USS)", "of it written"], [
        [row["allocator"], str(row["children"])] + [mib(row[key]) for key in (
            "rss_bytes", "pss_bytes", "private_bytes", "private_dirty_bytes")]
        for row in results["rows"]])


ACTIONS = ("nothing", "iterate", "iterate, t[0]", "gc.collect", "gc.freeze, gc.collect",
           "del [::2]", "clear every 300th")


def experiment_table():
    """C1: what one action of a child writes, in MiB."""
    results = raw_results.read("experiments_C1")
    if results is None:
        return NOT_MEASURED
    rows = []
    for row in results["rows"]:
        written = row["private_dirty_kib"]
        rows.append([row["python"], row["collector_while_building"]] + [
            mib(written[action] * 1024) if action in written else "–" for action in ACTIONS])
    return table(["CPython", "collector while building"] + list(ACTIONS), rows)


def workers_table():
    results = raw_results.read("workers")
    if results is None:
        return NOT_MEASURED
    rows, by = [], {}
    for row in results["rows"]:
        by.setdefault((row["python"], row["model"]), {})[row["workers"]] = row
    counts = sorted({row["workers"] for row in results["rows"]})
    for (python, model), of_count in by.items():
        if all("error" in row for row in of_count.values()) and model == "interpreters":
            continue  # with a lock of their own they came with 3.12
        if any("error" in row for row in of_count.values()):
            rows.append([python, model] + ["–"] * (2 * len(counts) + 1))
            continue
        rows.append([python, model] +
                    [mib(of_count[count]["peak_pss_bytes"]) for count in counts] +
                    ["%.2f" % of_count[count]["runs_per_second"] for count in counts] +
                    ["%.2f" % of_count[counts[-1]]["start_up_seconds"]])
    return table(["CPython", "model"] + ["peak PSS, MiB: %d" % count for count in counts] +
                 ["runs/s: %d" % count for count in counts] + ["start-up, s: %d" % counts[-1]],
                 rows)


TABLES = {"whole-suite": whole_suite_table,
          "cow": cow_table, "cow-allocators": cow_allocators_table, "c1": experiment_table,
          "workers": workers_table}

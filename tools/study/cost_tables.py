"""The tables of what recording costs, from tracer_cost.json: a row a program, and
the tools side by side, with what each loses. A cell that was not measured is –.
"""
import statistics

import raw_results

NOT_MEASURED = "not measured yet"
NONE = "–"


def rows_of(results):
    """The timed rows; the others are about survival."""
    return [row for row in results["rows"] if "bare_s" in row]


def ratios(row, arm="traced_s", of="bare_s"):
    """The ratio of two arms in each round of a row; empty where one is missing."""
    return [a / b for a, b in zip(row.get(arm, ()), row.get(of, ()))]


def noise(row):
    """The A/A arm: the command's own second run over its first."""
    return statistics.median(ratios(row, "again_s"))


def cell(values, form="%.2f"):
    return form % statistics.median(values) if values else NONE


def spread(medians, form="%.2f"):
    """`median (worst W)` over the programs."""
    if not medians:
        return NONE
    return (form + " (worst " + form + ")") % (statistics.median(medians), max(medians))


def medians(rows, arm, of):
    """Of each row that has both arms."""
    each = [ratios(row, arm, of) for row in rows]
    return [statistics.median(one) for one in each if one]


def cost_line(results):
    """Of the headline: how much longer a recorded program takes."""
    if results is None:
        return NOT_MEASURED
    rows = rows_of(results)
    each = medians(rows, "traced_s", "bare_s")
    size = [row["trace_bytes"] / row["events"] for row in rows]
    return ("**%.2f times** the wall time (%.2f to %.2f; median of %d rounds, %d program × "
            "interpreter), %.1f to %.1f bytes an event" % (
                statistics.median(each), min(each), max(each),
                min(len(row["bare_s"]) for row in rows), len(each), min(size), max(size)))


def cost_table():
    """A row a program and interpreter."""
    results = raw_results.read("tracer_cost")
    if results is None:
        return NOT_MEASURED + "\n"
    lines = ["| Workload | Python | alone | recorded | ratio | lowest–highest | A/A | over a hook "
             "that counts | CPU | bytes an event | packed | heaptrack | events |",
             "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for row in rows_of(results):
        pairs = ratios(row)
        packed = [row["packed_bytes_an_event"]] if "packed_bytes_an_event" in row else []
        lines.append("| %s | %s | %.2f s | %.2f s | %.2f | %.2f–%.2f | %.2f | %s | %s | %.2f | %s "
                     "| %s | %s |" % (
                         row["workload"], row["python"], statistics.median(row["bare_s"]),
                         statistics.median(row["traced_s"]), statistics.median(pairs), min(pairs),
                         max(pairs), noise(row), cell(ratios(row, "traced_s", "count_s")),
                         cell(ratios(row, "traced_cpu_s", "bare_cpu_s")),
                         row["trace_bytes"] / row["events"], cell(packed),
                         cell(ratios(row, "heaptrack_s"), "%.1f"), "{:,}".format(row["events"])))
    return "\n".join(lines) + "\n"


def share_kept(rows, key):
    kept = [row[key] / row["killed_after"] for row in rows if key in row]
    return "%.1f %%" % (100 * min(kept)) if kept else NONE


def exactness_of(rows):
    """What `verify` and `lint` said of the recordings, and the witness's count."""
    judged = [row for row in rows if "verify_status" in row]
    if not judged:
        return NONE
    equal = sum(row["verify_status"] == 0 for row in judged)
    legal = sum(row["lint_status"] == 0 for row in judged)
    text = "%d of %d verify, %d lint" % (equal, len(judged), legal)
    counted = [row for row in judged if "witness_mem_obj" in row]
    agree = sum(row["witness_mem_obj"] == row["recorded_with_witness"] for row in counted)
    if counted:
        text += "; %d of %d as an independent hook counts" % (agree, len(counted))
    return text


def tools_table(results=None):
    """The tools side by side."""
    results = results or raw_results.read("tracer_cost")
    if results is None or not any("count_s" in row for row in rows_of(results)):
        return NOT_MEASURED + "\n"
    rows = rows_of(results)
    killed = [row for row in results["rows"] if "killed_after" in row]
    lost = sum(row["lost"] for row in rows)
    unseen = [1 - row["heaptrack_allocations"] / row["allocations"] for row in rows
              if row.get("heaptrack_allocations") and row["processes"] == 1]
    lines = ["| Tool | records | wall | CPU | bytes an event | shared memory | after SIGKILL | "
             "exact? | what is lost |", "|---|---|--:|--:|--:|--:|--:|---|---|"]
    lines.append("| a hook that counts | nothing | %s | %s | 0 | 0 | – | – | everything but the "
                 "number |" % (spread(medians(rows, "count_s", "bare_s")),
                               spread(medians(rows, "count_cpu_s", "bare_cpu_s"))))
    lines.append("| arenalab | every request, in order, with size, kind, thread and address | %s | "
                 "%s | %s | %.0f MiB | %s | %s | %s |" % (
                     spread(medians(rows, "traced_s", "bare_s")),
                     spread(medians(rows, "traced_cpu_s", "bare_cpu_s")),
                     spread([row["trace_bytes"] / row["events"] for row in rows]),
                     max(row["shared_bytes"] for row in rows) / 2.0 ** 20,
                     share_kept(killed, "kept"), exactness_of(rows),
                     "nothing" if lost == 0 else "%d events" % lost))
    # What they add: against a recording without, of the same round.
    for name, what in (("types", "and each object's type"), ("callsites", "and the line that asks"),
                       ("stacks", "and the whole Python stack")):
        if any(name + "_s" in row for row in rows):
            lines.append("| arenalab --%s | %s; over a plain recording | %s | %s | – | – | – | – | – "
                         "|" % (name, what, spread(medians(rows, name + "_s", "traced_s")),
                                spread(medians(rows, name + "_cpu_s", "traced_cpu_s"))))
    sizes = [row["heaptrack_bytes"] / (2 * row["heaptrack_allocations"]) for row in rows
             if row.get("heaptrack_allocations")]
    lines.append("| heaptrack, under PYTHONMALLOC=malloc | requests of the C library, with native "
                 "stacks | %s | %s | %s | – | %s | no: pymalloc was replaced | addresses, threads, "
                 "reallocs (as free and malloc), Python's domains; %s of the requests |" % (
                     spread(medians(rows, "heaptrack_s", "bare_s"), "%.1f"),
                     spread(medians(rows, "heaptrack_cpu_s", "bare_cpu_s"), "%.1f"),
                     spread(sizes), share_kept(killed, "heaptrack_kept"),
                     "%.1f %%" % (100 * max(0, statistics.median(unseen))) if unseen else NONE))
    return "\n".join(lines) + "\n"

"""The published tables of Python really running on other allocators.

Made from workloads/study/exec_speed.json (tools/study/exec_speed.py); tables.py has the rest.
"""
import statistics

NOT_MEASURED = "not measured yet\n"
FEWEST_ROUNDS = 7
MOST_LOAD = 2.0  # the measuring itself is one of them


def conditions(results):
    """How the rows were made, and whether their times may be quoted."""
    rounds = min(row["rounds"] for row in results["rows"])
    load = results["machine"]["load_average"]
    text = "`%s`, %s, load average %.1f" % (results["command"], results["date"], load)
    if rounds < FEWEST_ROUNDS or load > MOST_LOAD:
        text += (": **a trial of the command on a busy machine or in few rounds; its times are "
                 "not to be quoted**")
    return text + ".\n\n"


def by_run(results):
    """{(workload, interpreter): {allocator: row}}, in the rows' order."""
    runs = {}
    for row in results["rows"]:
        runs.setdefault((row["workload"], row["python"]), {})[row["allocator"]] = row
    return runs


def speed_table(results):
    """CPU time over that of Python as it is; medians of the rounds."""
    if results is None:
        return NOT_MEASURED
    runs = by_run(results)
    names = [name for name in dict.fromkeys(row["allocator"] for row in results["rows"])
             if name != "native"]
    text = conditions(results)
    text += "| Workload | Interpreter | as it is, CPU s | again | %s |\n|---|---|--:|--:|%s\n" % (
        " | ".join(names), "--:|" * len(names))
    for (workload, python), arms in runs.items():
        native = arms["native"]
        text += "| %s | %s | %.2f | %.3f | %s |\n" % (
            workload, python, native["median"]["cpu_s"], native["again_cpu_ratio"],
            " | ".join("%.3f" % arms[name]["cpu_ratio"][0] for name in names))
    for label, pick in (("median", statistics.median), ("worst", max)):
        text += "| **%s** | | | %.3f | %s |\n" % (
            label, pick([arms["native"]["again_cpu_ratio"] for arms in runs.values()]),
            " | ".join("%.3f" % pick([arms[name]["cpu_ratio"][0] for arms in runs.values()])
                       for name in names))
    return text


def memory_cell(median):
    """`wall s; peak MiB; last valley MiB; minor faults`."""
    valley = median["last_valley_bytes"]
    return "%.2f; %.1f; %s; %s" % (
        median["wall_s"], median["peak_bytes"] / 2.0 ** 20,
        "–" if valley is None else "%.1f" % (valley / 2.0 ** 20),
        "{:,}".format(median["minor_faults"]))


def memory_table(results):
    """Wall time, resident memory and faults of the same runs."""
    if results is None:
        return NOT_MEASURED
    names = list(dict.fromkeys(row["allocator"] for row in results["rows"]))
    text = "| Workload | Interpreter | %s |\n|---|---|%s\n" % (" | ".join(names), "---|" * len(names))
    for (workload, python), arms in by_run(results).items():
        text += "| %s | %s | %s |\n" % (workload, python, " | ".join(
            memory_cell(arms[name]["median"]) for name in names))
    return text

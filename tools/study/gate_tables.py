"""The table of what the gate said of changes known to be there, or not."""
import raw_results

KINDS = ("exact", "command", "throughput")


def gate_table():
    lines = ["| Kind | what was changed | comparisons | verdicts | |", "|---|---|--:|---|---|"]
    for kind in KINDS:
        results = raw_results.read("gate_" + kind)
        if results is None:
            lines.append("| %s | not measured yet | | | |" % kind)
            continue
        for row in results["rows"]:
            more = []
            if "not_changed_by_it" in row:
                more.append("%d traces where it changes no byte" % len(row["not_changed_by_it"]))
            if "median_effect" in row:
                more.append("median effect %+.1f %%, threshold %d %%, %d rounds" % (
                    100 * (row["median_effect"] - 1), row["threshold_percent"], row["rounds"]))
            lines.append("| %s | %s | %d | %s | %s |" % (
                kind, row["seed"], row["comparisons"], ", ".join(
                    "%d %s" % (count, name) for name, count in row["verdicts"].items()),
                "; ".join(more)))
    return "\n".join(lines) + "\n"


TABLES = {"gate": gate_table}

"""The tables of workloads/study/STUDY.md that are about many traces; tables.py has
the rest, and puts them all in place."""
import math
import statistics

import raw_results

NOT_MEASURED = "not measured yet\n"
MIB = 2.0 ** 20


def mib(count):
    return "–" if count is None else "%.1f" % (count / MIB)


def percent(share):
    return "–" if share is None else "%.0f %%" % (100 * share)


def grouped(count):
    return "{:,}".format(count)


def table(head, rows):
    """The first column's names to the left, figures to the right."""
    lines = ["| %s |" % " | ".join(head), "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join(lines + ["| %s |" % " | ".join(row) for row in rows]) + "\n"


def geometric_mean(ratios):
    return math.exp(statistics.mean(math.log(ratio) for ratio in ratios))


# (a) whose memory


def c_library(moment):
    """What the second allocator has resident for Python's requests over 512 bytes."""
    own = moment["allocators"]["pymalloc"]
    return own["rss_bytes"] - own["committed_bytes"]


def whose_table():
    results = raw_results.read("replays")
    if results is None:
        return NOT_MEASURED
    rows = []
    for row in results["rows"]:
        cells = [row["trace"]]
        for name in ("peak", "last_valley", "end"):
            moment = row[name]
            if moment is None:
                cells.append("–")
                continue
            cells.append("%s / %s / %s" % (
                mib(moment["small"]), mib(moment["allocators"]["pymalloc"]["committed_bytes"]),
                mib(c_library(moment))))
        rows.append(cells)
    return table(["MiB: live small / pymalloc / C library", "peak", "last valley", "end"], rows)


# (b) what holds the arenas


def holders_table():
    results = raw_results.read("replays")
    if results is None:
        return NOT_MEASURED
    rows = []
    for row in results["rows"]:
        moment = row["last_valley"]
        if moment is None:
            continue
        kept = moment["retention"]
        parts = moment["waterfall"]
        held = sum(parts.values())
        rows.append([row["trace"], str(kept["arenas"]), grouped(moment["live_objects"]),
                     grouped(kept["blocks_for_half"]), grouped(kept["blocks_for_nine_tenths"]),
                     percent(parts["requested"] / held), percent(parts["free_blocks"] / held),
                     percent(parts["free_pools"] / held)])
    return table(["At the last valley", "arenas", "live objects", "hold half", "hold 90 %", "live",
                  "free blocks", "free pools"], rows)


def pinners_table():
    results = raw_results.read("lifetimes")
    if results is None:
        return NOT_MEASURED
    rows = []
    for row in results["rows"]:
        moment = row["at_valley"] or row["at_peak"]
        owners = moment["owners"]
        every = sum(owners.values())
        rows.append([row["program"].rpartition("/")[2],
                     "last valley" if row["at_valley"] else "peak", str(moment["pinned_arenas"]),
                     grouped(moment["pinners"]),
                     ", ".join("%s %s" % (kind["name"] or "not known", percent(
                         kind["pinners"] / moment["pinners"])) for kind in moment["types"][:3]),
                     *(percent(owners[key] / every)
                       for key in ("program", "free_list", "immortal"))])
    return table(["Program", "at", "half the arenas", "held by blocks", "of types",
                  "all live: the program's", "free lists", "immortal"], rows)


# (c), (d), (e) over the corpus, computed


def ratios(rows, settings, key, base=""):
    """{trace: value / value with the base's settings}, where neither is 0."""
    value = {(row["trace"], row["settings"]): row[key] for row in rows}
    return {trace: value[trace, settings] / value[trace, base]
            for trace, own in value
            if own == settings and value[trace, base] and value[trace, settings]}


def with_valley():
    """The traces that have one. (A sweep takes the end for it, which is no idling.)"""
    return {row["trace"] for row in raw_results.read("replays")["rows"] if row["last_valley"]}


def against(rows, settings, base):
    cells, idling = [], with_valley()
    for key in ("peak_committed_bytes", "last_valley_committed_bytes", "last_valley_held_bytes"):
        found = ratios(rows, settings, key, base)
        if key != "peak_committed_bytes":
            found = {trace: ratio for trace, ratio in found.items() if trace in idling}
        cells.append("%.3f" % geometric_mean(found.values()))
        if key == "last_valley_held_bytes":
            worst = max(found, key=lambda trace: (found[trace], trace))
            cells.append("%.2f %s" % (found[worst], worst))
    return cells


def sized(alignment, pool, arena):
    return "alignment:%d,pool_bytes:%d,arena_bytes:%d" % (alignment, pool, arena)


SIZES = [(4096, 256 << 10), (16384, 256 << 10), (4096, 1 << 20), (16384, 1 << 20)]
HEAD = ["committed at the peak", "at the last valley", "held at the last valley", "worst of them"]


def pools_table(results=None):
    results = results or raw_results.read("corpus_policies")
    if results is None:
        return NOT_MEASURED
    base = sized(16, 4096, 256 << 10)
    return table(["Against 3.9's 4 KiB and 256 KiB"] + HEAD, [
        ["pools of %d KiB, arenas of %d KiB" % (pool >> 10, arena >> 10)] +
        against(results["rows"], sized(16, pool, arena), base) for pool, arena in SIZES[1:]])


def alignment_table(results=None):
    results = results or raw_results.read("corpus_policies")
    if results is None:
        return NOT_MEASURED
    return table(["16-byte against 8-byte alignment"] + HEAD, [
        ["pools of %d KiB, arenas of %d KiB" % (pool >> 10, arena >> 10)] +
        against(results["rows"], sized(16, pool, arena), sized(8, pool, arena))
        for pool, arena in SIZES])


POLICIES = [
    ("alignment:16,pool_bytes:4096,arena_bytes:262144", "3.9's pools and arenas"),
    ("pool_bytes:2048,arena_bytes:262144", "2 KiB pools, 256 KiB arenas"),
    ("madvise_free_pools:1", "pages of free pools given back"),
    ("arena_choice:address", "lowest arena first"),
    ("arena_choice:recent", "most recent arena first"),
    ("arena_choice:emptiest", "emptiest arena first"),
    ("keep_arenas:0", "no free arena kept"),
    ("keep_arenas:4", "four kept"),
    ("keep_arenas:16", "sixteen kept"),
    ("lanes:lifetime", "an oracle parts pools by lifetime"),
    ("lanes:lifetime,pool_bytes:4096,arena_bytes:262144", "the oracle, 3.9's sizes"),
]


def policies_over_corpus_table(results=None):
    results = results or raw_results.read("corpus_policies")
    if results is None:
        return NOT_MEASURED
    return table(["Against 3.11's pymalloc"] + HEAD, [
        [words] + against(results["rows"], settings, "") for settings, words in POLICIES])


def limits_table():
    """Resident bytes of all requests at the last valley, over what the pages need."""
    results = raw_results.read("replays")
    if results is None:
        return NOT_MEASURED
    rows = []
    for row in results["rows"]:
        moment = row["last_valley"]
        if moment is None:
            continue
        load, small = moment["page_load"], moment["small"]
        rss = {name: own["rss_bytes"] for name, own in moment["allocators"].items()}
        rows.append([row["trace"], mib(load)] + ["%.2f" % (rss[name] / load) for name in (
            "pymalloc", "mimalloc", "jemalloc", "system")] + ["%.2f" % (moment["oracle"] / load)] + [
                "%.2f" % (count / small) for count in (
                    moment["allocators"]["pymalloc"]["held_bytes"], moment["mesh_16k"]["pairs"],
                    moment["mesh_16k"]["eights"], moment["held_4k"], moment["mesh_4k"]["pairs"],
                    moment["mesh_4k"]["eights"])])
    return table(["Last valley", "page load, MiB", "pymalloc", "mimalloc", "jemalloc", "system",
                  "oracle", "held/live, 16 KiB pools", "meshed by 2", "by 8", "4 KiB pools",
                  "by 2", "by 8"], rows)


# Phase, objects per --size, block in 3.12, share that survives: workloads/phase_shift.py.
PHASES = [("what is loaded at the start", 0.05, 480, 1.0), ("floats", 10.0, 32, 0.04),
          ("short texts", 4.5, 80, 0.04), ("tuples", 2.3, 128, 0.04), ("names", 1.7, 176, 0.04),
          ("rows", 1.15, 256, 0.04), ("records", 0.9, 336, 0.04)]
UNITS = (16384, 4096, 2048)


def kept_share(unit, block, surviving):
    """The share of units with a survivor, and bytes kept a block that was made."""
    blocks = (unit - 48) // block
    share = 1 - (1 - surviving) ** blocks
    return share, share * unit / blocks


def floor_table():
    """What any allocator keeps that parts sizes, moves nothing and cannot foresee."""
    rows, kept, live = [], dict.fromkeys(UNITS, 0), 0
    for name, count, block, surviving in PHASES:
        live += count * surviving * block
        cells = [name, str(block), percent(surviving)]
        for unit in UNITS:
            share, bytes_kept = kept_share(unit, block, surviving)
            kept[unit] += count * bytes_kept
            cells += [percent(share), "%.1f" % (bytes_kept / (surviving * block))]
        rows.append(cells)
    rows.append(["**all**", "", ""] + [
        cell for unit in UNITS for cell in ("", "**%.1f**" % (kept[unit] / live))])
    return table(["Phase", "block", "survive"] + [
        text for unit in UNITS for text in ("%d KiB kept" % (unit >> 10), "kept / live")], rows)


def phase_shift_table():
    """What is left of phase_shift at its full size by other means, over live."""
    results = raw_results.read("phase_shift_limits")
    if results is None:
        return NOT_MEASURED
    rows = []
    for row in results["rows"]:
        kept = [row["held"], row["committed"]]
        if "pairs" in row:
            kept += [row["committed"] - row["free_pages_committed"], row["pairs"], row["eights"]]
        rows.append(["%d KiB" % (row["pool_bytes"] >> 10), mib(row["live"])] + [
            "%.1f" % (count / row["live"]) for count in kept] + ["–"] * (5 - len(kept)))
    return table(["Pools", "live, MiB", "held / live", "committed",
                  "less every page without a live byte", "meshed by 2", "by 8"], rows)


# (g) the clock


def clock_table():
    results = raw_results.read("replays")
    if results is None:
        return NOT_MEASURED
    rows = []
    for row in results["rows"]:
        moment = row["last_valley"] or row["peak"]
        cells = [row["trace"], "last valley" if row["last_valley"] else "peak"]
        for name in ("mimalloc", "jemalloc"):
            own = moment["allocators"][name]
            cells += [mib(own["rss_bytes"]), mib(own["rss_recorded_bytes"])]
        rows.append(cells)
    return table(["MiB resident", "at", "mimalloc, stopped", "running", "jemalloc, stopped",
                  "running"], rows)


# (i) lifetimes


def lifetimes_table():
    results = raw_results.read("lifetimes")
    if results is None:
        return NOT_MEASURED
    rows = []
    for row in results["rows"]:
        sites, told = row["by_site"], row["predictors"]
        cells = [row["program"].rpartition("/")[2], percent(sites["short"] / sites["objects"]),
                 grouped(sites["sites"]),
                 percent(sites["objects_of_sure_sites"] / sites["objects"]),
                 "%.2f → %.2f" % (sites["doubt_bits"], sites["doubt_bits_given_site"])]
        cells += [percent(told[key]["right"] / told[key]["tested"])
                  for key in ("nothing", "class", "site", "site and class")]
        best = told["site and class"]
        cells += [percent(best["long_found"] / best["long"]) if best["long"] else "–",
                  percent(best["never_seen"] / best["tested"])]
        rows.append(cells)
    return table(["Program", "die within 1 MiB", "lines", "of lines that are sure",
                  "doubt, bits", "right: always the commoner", "by class", "by line",
                  "by line and class", "long-lived found", "lines not seen before"], rows)


def lanes_table():
    """Pools parted by type, by line, and by an oracle."""
    results = raw_results.read("lifetimes")
    if results is None:
        return NOT_MEASURED
    rows = []
    for row in results["rows"]:
        moment = "last_valley" if row["at_valley"] else "peak"
        rows.append([row["program"].rpartition("/")[2], moment.replace("_", " ")] + [
            "%.2f" % row["lanes"][lane][moment] for lane in ("type", "site", "lifetime")])
    return table(["Committed, over one lane's", "at the", "pools by type", "by line",
                  "by an oracle's lifetime"], rows)


def types_table():
    """Each type over all programs: how many of its objects die within 1 MiB."""
    results = raw_results.read("lifetimes")
    if results is None:
        return NOT_MEASURED
    found = {}
    for row in results["rows"]:
        for kind in row["types"]:
            own = found.setdefault(kind["name"] or "not told", [0, 0, 0, []])
            own[0] += kind["objects"]
            own[1] += kind["bytes"]
            own[2] += kind["short"]
            own[3].append(kind["short"] / kind["objects"])
    rows = sorted(found.items(), key=lambda item: -item[1][1])[:10]
    return table(["Type", "objects", "MiB allocated", "die within 1 MiB", "least", "most",
                  "programs"], [
        [name, grouped(own[0]), mib(own[1]), percent(own[2] / own[0]), percent(min(own[3])),
         percent(max(own[3])), str(len(own[3]))] for name, own in rows])


# (j) huge pages


def huge_table():
    results = raw_results.read("huge_pages")
    if results is None:
        return NOT_MEASURED
    return table(["Workload", "arenas", "most resident, MiB", "at the end, MiB",
                  "in huge pages", "minor faults"], [
        [row["workload"], row["way"], mib(row["end"]["most_rss"]), mib(row["end"]["anonymous"]),
         mib(row["end"]["huge"]), grouped(row["end"]["minor_faults"])]
        for row in results["rows"]])


TABLES = {"whose": whose_table, "holders": holders_table, "pinners": pinners_table,
          "pools": pools_table, "alignment": alignment_table,
          "policies-over-corpus": policies_over_corpus_table, "limits": limits_table,
          "phase-shift-floor": floor_table,
          "phase-shift-limits": phase_shift_table, "clock": clock_table, "lifetimes": lifetimes_table,
          "types": types_table, "lanes": lanes_table, "huge-pages": huge_table}

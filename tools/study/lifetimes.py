#!/usr/bin/env python3
"""How long Python's objects live, by type and by the line that asks, and how well
their death can be told at their birth.

    tools/study/lifetimes.py [PROGRAM ...]     three minutes on two cores

Each program is recorded with --types and --callsites by Debian's python3. Of the
small requests of the mem and obj domains (1 to 512 bytes), time is bytes allocated; an object
is short-lived if it dies within 1 MiB of them, an arena's worth; those born less than that
before the end and still alive tell nothing and are left out.

A predictor is a table made from the first half of the program's time, with what was
known at its end, and judged on the objects born in the second: for each key the
commoner fate; for a key never seen the commoner fate of all. The keys: nothing, the
size class, the line, the line and the size class. Writes lifetimes.json into
workloads/study/, a row a program.
"""
import collections
import json
import math
import os
import subprocess
import sys
import tempfile

import raw_results

PYTHON = "/usr/bin/python3"
SHORT_BYTES = 1 << 20
# Program and size: some hundred thousand to two million requests.
PROGRAMS = {
    "phase_shift": 20000, "lru_cache": 20000, "json_round_trips": 300, "class_trees": 3000,
    "source_to_ast": 15, "strings": 1000, "services/asyncio_service": 1500,
    "services/django_service": 300, "services/fastapi_uvicorn": 240,
    "services/celery_worker": 240, "shapes/async_tree": 1300, "shapes/template": 150,
}
KEYS = ("nothing", "class", "site", "site and class")


class Object:
    __slots__ = ("born", "bytes", "site", "type", "lifetime")

    def __init__(self, born, size, site):
        self.born, self.bytes, self.site, self.type, self.lifetime = born, size, site, None, None

    def key(self, name):
        size_class = (self.bytes - 1) // 16
        return {"nothing": None, "class": size_class, "site": self.site,
                "site and class": (self.site, size_class)}[name]


def attribute(line, name):
    _, _, rest = line.partition(name)
    return sys.intern(rest.split(" ", 1)[0].rstrip("\n")) if rest else None


def objects_of(lines):
    """(small objects in the order of their birth, the clock at the end).

    A dump's lines in; a block that a realloc moves or grows is one object.
    """
    live, found, clock = {}, [], 0
    for line in lines:
        words = line.split(" ", 4)
        kind = words[0]
        if kind == "mark" and words[1].strip() == "finalise":
            break  # what the end of the interpreter frees was alive until then
        if kind == "free":
            dead = live.pop(words[1].rstrip("\n"), None)
            if dead is not None:
                dead.lifetime = clock - dead.born
                dead.type = attribute(line, " type=")
        elif kind in ("malloc", "calloc", "realloc") and \
                "domain=libc" not in line and "domain=raw" not in line:
            size = int(words[2])
            clock += size
            if kind == "realloc" and words[1] in live:
                live[words[1]].bytes = size
            elif 0 < size <= 512:
                live[words[1]] = Object(clock, size, attribute(line, " site="))
                found.append(live[words[1]])
    return found, clock


def fate(one, now):
    """True: short-lived, False: not, None: not known at the time `now`."""
    if one.lifetime is not None and one.born + one.lifetime <= now:
        return one.lifetime <= SHORT_BYTES
    return False if now - one.born > SHORT_BYTES else None


def predictors(objects, end):
    """{key: what the table made from the first half is worth in the second}."""
    middle, result = end // 2, {}
    train = [one for one in objects if one.born <= middle and fate(one, middle) is not None]
    test = [one for one in objects if one.born > middle and fate(one, end) is not None]
    default = 2 * sum(fate(one, middle) for one in train) >= len(train)
    for name in KEYS:
        votes = collections.defaultdict(lambda: [0, 0])
        for one in train:
            votes[one.key(name)][fate(one, middle)] += 1
        guess = {key: short >= long for key, (long, short) in votes.items()}
        counts = collections.Counter(
            (fate(one, end), guess.get(one.key(name), default)) for one in test)
        long = counts[False, False] + counts[False, True]
        result[name] = {"keys": len(guess), "tested": len(test), "right":
                        counts[True, True] + counts[False, False],
                        "long": long, "long_found": counts[False, False],
                        "short_called_long": counts[True, False],
                        "never_seen": sum(one.key(name) not in guess for one in test)}
    return result


def entropy(short, all_of_them):
    """Bits of doubt about a fate, from the shares of the two."""
    shares = [short / all_of_them, 1 - short / all_of_them]
    return -sum(share * math.log2(share) for share in shares if share)


def grouped_by(objects, end, key):
    """Rows of a key: objects, bytes, the short-lived of them; most bytes first."""
    rows = {}
    for one in objects:
        short = fate(one, end)
        if short is not None:
            row = rows.setdefault(key(one), {"objects": 0, "bytes": 0, "short": 0})
            row["objects"] += 1
            row["bytes"] += one.bytes
            row["short"] += short
    return sorted(rows.items(), key=lambda item: (-item[1]["bytes"], str(item[0])))


def by_site(objects, end):
    rows = [row for _, row in grouped_by(objects, end, lambda one: one.site)]
    known = sum(row["objects"] for row in rows)
    sure = [row for row in rows if not 0.01 < row["short"] / row["objects"] < 0.99]
    short = sum(row["short"] for row in rows)
    return {"sites": len(rows), "objects": known, "short": short,
            "objects_of_sure_sites": sum(row["objects"] for row in sure),
            "doubt_bits": entropy(short, known),
            "doubt_bits_given_site": sum(row["objects"] * entropy(row["short"], row["objects"])
                                         for row in rows) / known}


def attributed(stats, moment):
    """Whose the blocks are that pin the nearer half of the arenas, and of what type."""
    found = next((row for row in stats["attribution"] if row["name"] == moment), None)
    if found is None:
        return None
    return {"pinners": found["pinners"], "pinned_arenas": found["pinned_arenas"],
            "objects": found["objects"], "owners": found["owners"],
            "types": sorted(({key: row[key] for key in ("name", "objects", "bytes", "pinners")}
                             for row in found["types"]), key=lambda row: -row["pinners"])[:6]}


def parted(trace, folder):
    """Committed bytes where pools are parted by what is known of a request, over one lane's."""
    out = os.path.join(folder, "lanes.json")
    subprocess.run([raw_results.ARENALAB, "sweep", trace, "--sweep", "lanes=type,site,lifetime",
                    "--json", out], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    with open(out) as file:
        rows = json.load(file)["rows"]
    base = next(row for row in rows if "lanes" not in row["settings"])
    return {row["settings"].rpartition(":")[2]: {
        moment: row[moment + "_committed_bytes"] / base[moment + "_committed_bytes"]
        for moment in ("peak", "last_valley")} for row in rows if row is not base}


def measure(program, size):
    environment = dict(os.environ, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "run.trace")
        subprocess.run([raw_results.ARENALAB, "record", "--types", "--callsites", "-o", trace,
                        "--", PYTHON, raw_results.workload(program), "--size", str(size)],
                       check=True, env=environment, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stats = json.loads(subprocess.run(
            [raw_results.ARENALAB, "stats", "--json", trace], check=True,
            stdout=subprocess.PIPE, universal_newlines=True).stdout)
        dump = subprocess.Popen([raw_results.ARENALAB, "trace", "dump", trace],
                                stdout=subprocess.PIPE, universal_newlines=True)
        lanes = parted(trace, folder)
        objects, end = objects_of(dump.stdout)
        dump.stdout.close()
        dump.wait()
    types = [dict(row, name=name) for name, row in grouped_by(objects, end, lambda one: one.type)]
    return {"program": program, "size": size, "python": stats["meta"]["python"],
            "objects": len(objects), "allocated_bytes": end,
            "types": types[:40], "by_site": by_site(objects, end),
            "predictors": predictors(objects, end), "lanes": lanes,
            "at_peak": attributed(stats, "peak"), "at_valley": attributed(stats, "last_valley")}


def main():
    rows = []
    for program in sys.argv[1:] or PROGRAMS:
        rows.append(measure(program, PROGRAMS[program]))
        sys.stderr.write("%s: %s\n" % (program, rows[-1]["predictors"]["site"]))
    raw_results.write("lifetimes", rows)


if __name__ == "__main__":
    main()

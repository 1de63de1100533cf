#!/usr/bin/env python3
"""Does the gate find what got worse, and keep still where nothing did?

  exact        every trace of the corpus, unchanged, against its baseline; then
               with a policy that keeps two arenas
  command      a threaded suite, recorded anew for every comparison, unchanged;
               then with one block leaked for each arena's worth
  throughput   one trace on a malloc library and on the same again; then with a
               free that is slower by some turns of an empty loop: the power

  tools/study/gate.py --kinds exact,command    100 comparisons a kind; any machine
  tools/study/gate.py --kinds throughput       100 comparisons; wants a quiet machine
  tools/study/gate.py --comparisons 2 --kinds command --dry    to see that it runs

The rules were fixed before the recordings were made, and are in
tools/compare/band.h and time_gate.h; nothing is chosen by what came out here.
Raw results: gate_KIND.json in workloads/study, a row for each seed.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import raw_results

CORPUS = os.path.join(raw_results.ROOT, "workloads", "corpus")
THRESHOLD_PERCENT = 2
ROUNDS = 41  # what a quarter of an hour has room for
RECORDINGS = 7  # a side: band.h says why
SPINS = (1, 5, 16)

# Test after test in four threads at once, as a suite's runner does; --leak
# keeps one block of each arena's worth.
SUITE = '''
import sys, threading
kept = []
def test(seed):
    blocks = [bytes(100 + (i * seed) % 400) for i in range(16000)]
    texts = {str(i * seed): [i] for i in range(2000)}
    if "--leak" in sys.argv:
        kept.extend(blocks[::2500])
for turn in range(2):
    threads = [threading.Thread(target=test, args=(turn * 4 + n + 1,)) for n in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
'''


def arenalab(*words, **options):
    return subprocess.run([os.environ.get("ARENALAB", raw_results.ARENALAB), *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, **options)


def verdict_of(done):
    """regression, improvement, unchanged or inconclusive; stops on an error."""
    if done.returncode not in (0, 1, 4):
        sys.exit("gate: exit status %d: %s" % (done.returncode, done.stderr[-400:]))
    return json.loads(done.stdout)


def row(kind, seed, verdicts, **more):
    count = {name: verdicts.count(name) for name in sorted(set(verdicts))}
    line = dict(kind=kind, seed=seed, comparisons=len(verdicts), verdicts=count, **more)
    sys.stderr.write("%s, %s: %s of %d\n" % (kind, seed, count, len(verdicts)))
    return line


def ci(folder, toml, *words):
    with open(os.path.join(folder, "arenalab.toml"), "w") as file:
        file.write(toml)
    return arenalab("ci", "--format", "json", *words, cwd=folder)


def each_subject(outcome):
    return [subject["comparison"]["verdict"] for subject in outcome["subjects"]]


def exact(comparisons, folder):
    toml = '[gate]\nsamples = 50\n[[trace]]\npath = "%s"\n' % CORPUS
    ci(folder, toml, "--save-baseline")
    verdicts = []
    while len(verdicts) < comparisons:
        verdicts += each_subject(verdict_of(ci(folder, toml)))
    yield row("exact", "unchanged", verdicts)
    toml += 'base = "pymalloc"\nnew = "pymalloc{keep_arenas:2}"\n'
    outcome = verdict_of(ci(folder, toml))
    # Where the program never lets two arenas go, the policy changes nothing.
    same = [subject["name"] for subject in outcome["subjects"]
            if all(metric["base"] == metric["new"]
                   for metric in subject["comparison"]["metrics"]
                   if metric["certainty"] == "exact")]
    yield row("exact", "a policy that keeps two arenas", each_subject(outcome),
              not_changed_by_it=same)


def record(folder, name, *words):
    """One recording's results, in folder/name.json."""
    trace = os.path.join(folder, "run.trace")
    done = arenalab("record", "-f", "-o", trace, "--", "setarch", "-R", "/usr/bin/python3",
                    os.path.join(os.path.dirname(folder), "suite.py"), *words,
                    env=dict(os.environ, PYTHONHASHSEED="0"))
    if done.returncode != 0:
        sys.exit("gate: " + done.stderr[-400:])
    done = arenalab("replay", trace, "-a", "pymalloc", "--repetitions", "0", "--samples", "50",
                    "--arena-offsets", "0", "--no-oracle", "-o", os.path.join(folder, name + ".json"), "-f")
    if done.returncode != 0:
        sys.exit("gate: " + done.stderr[-400:])
    os.remove(trace)


def command(comparisons, folder):
    with open(os.path.join(folder, "suite.py"), "w") as file:
        file.write(SUITE)
    for seed, words, count in (("unchanged", (), comparisons),
                               ("one block an arena leaked", ("--leak",),
                                max(1, comparisons // 5))):
        verdicts = []
        for _ in range(count):
            sides = []
            for side, arguments in (("base", ()), ("new", words)):
                sides.append(os.path.join(folder, side))
                os.makedirs(sides[-1], exist_ok=True)
                for number in range(RECORDINGS):
                    record(sides[-1], str(number), *arguments)
            verdicts.append(verdict_of(arenalab("compare", "--json", *sides))["verdict"])
        yield row("command", seed, verdicts)


def throughput(comparisons, folder):
    source = os.path.join(raw_results.ROOT, "tools/study/slow_free.c")
    for spins in (0,) + SPINS:
        subprocess.run(["gcc", "-O2", "-fno-builtin", "-shared", "-fPIC", "-DSPINS=%d" % spins,
                        source, "-o", os.path.join(folder, "free_%d.so" % spins)], check=True)
    # The same library under another name: two names of one file are one.
    subprocess.run(["cp", os.path.join(folder, "free_0.so"),
                    os.path.join(folder, "free_again.so")], check=True)
    trace = os.path.join(CORPUS, "template.trace")
    for new, count in [("free_again.so", comparisons)] + [
            ("free_%d.so" % spins, max(1, comparisons // 5)) for spins in SPINS]:
        toml = ('[gate]\nsamples = 10\nrounds = %d\ntime_threshold = %d\n[[trace]]\n'
                'path = "%s"\nbase = "./free_0.so"\nnew = "./%s"\n'
                % (ROUNDS, THRESHOLD_PERCENT, trace, new))
        verdicts, effects = [], []
        for _ in range(count):
            metrics = verdict_of(ci(folder, toml))["subjects"][0]["comparison"]["metrics"]
            time = [metric for metric in metrics if metric["metric"] == "time"][0]
            verdicts.append(time["verdict"])
            effects.append(time["new"])
        effects.sort()
        yield row("throughput", "unchanged" if new == "free_again.so" else new, verdicts,
                  threshold_percent=THRESHOLD_PERCENT, rounds=ROUNDS,
                  median_effect=effects[len(effects) // 2])


KINDS = {"exact": exact, "command": command, "throughput": throughput}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--comparisons", type=int, default=100)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--dry", action="store_true", help="write no results")
    arguments = parser.parse_args()
    for kind in arguments.kinds.split(","):
        with tempfile.TemporaryDirectory() as folder:
            rows = list(KINDS[kind](arguments.comparisons, folder))
        if arguments.dry:
            print(json.dumps(rows, indent=1))
        else:
            raw_results.write("gate_" + kind, rows)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Holds what replay predicts against what Python really does on each allocator.

    tools/study/prediction.py [--size-percent P] [--python VERSION] [WORKLOAD...]

Each workload is recorded once and replayed on every allocator; then it runs on
each of them (arenalab exec), and the kernel is asked at the same requests: where
the small requests are at their peak, at their last valley, at the end.

The prediction is for the process: what it weighs on the interpreter's own
pymalloc at that request, plus what replay says another allocator differs by:

    predicted = measured(native) + replay(allocator) - replay(pymalloc)
    error     = predicted / measured(allocator) - 1
    own_error = (predicted - measured(allocator)) / what is the allocator's own of it,
                measured(allocator) - (measured(native) - replay(pymalloc))

A moment that is the recording's mark `finalise` is measured there, not at a number of
requests: a run with another environment gets there some dozens sooner or later, and
the first arenas are given back a hundred requests on.

All are anonymous resident bytes. own_error is the harder figure: code, other
libraries' memory and the raw domain are left out of it. Writes
workloads/study/prediction.json: one row a workload, allocator and moment.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import exactness
import interpreters
import raw_results

WORKLOADS = ["asyncio_tasks", "class_trees", "generators", "json_round_trips", "lru_cache",
             "phase_shift", "source_to_ast", "strings", "sympy_algebra", "django_requests"]
ALLOCATORS = ["pymalloc", "mimalloc", "jemalloc", "system"]
MOMENTS = ["peak", "last_valley"]
ENVIRONMENT = dict(os.environ, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
KINDS = {"malloc", "calloc", "aligned", "realloc", "free"}


def quietly(command):
    subprocess.run(command, check=True, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=1200)


def state_requests(trace, requests):
    """{request of the trace: how many of those below it are the mem and obj domains'}."""
    dump = subprocess.Popen([raw_results.ARENALAB, "trace", "dump", trace],
                            stdout=subprocess.PIPE, universal_newlines=True)
    wanted = sorted(set(requests))
    found, request, state = {}, 0, 0
    for line in dump.stdout:
        if line.partition(" ")[0] not in KINDS:
            continue
        while wanted and wanted[0] == request:
            found[wanted.pop(0)] = state
        request += 1
        state += "domain=raw" not in line and "domain=libc" not in line
    for left in wanted:
        found[left] = state
    dump.wait()
    return found


def measured(program, allocator, requests):
    """{request: anonymous bytes} on an allocator, and the run's minor faults."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "measured")
        environment = dict(ENVIRONMENT, ARENALAB_MEASURE_AT="%s:%s" % (
            path, ",".join(map(str, sorted(requests)))))
        subprocess.run([raw_results.ARENALAB, "exec", "-a", allocator, "--"] + program, check=True,
                       env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=1200)
        found = {}
        with open(path) as file:
            for line in file:
                label, anonymous_kib, _, faults, _ = line.split()
                found[label] = int(anonymous_kib) * 1024
        return found, int(faults)


def measure(version, python, name, percent):
    size = max(1, exactness.default_size(name) * percent // 100)
    program = [python, raw_results.workload(name), "--size", str(size)]
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "run.trace")
        output = os.path.join(folder, "run.json")
        quietly([raw_results.ARENALAB, "record", "-o", trace, "--"] + program)
        quietly([raw_results.ARENALAB, "replay", trace, "--repetitions", "0", "-a",
                 ",".join(ALLOCATORS), "-o", output])
        with open(output) as file:
            results = json.load(file)
        samples = {moment: results["moments"][moment] for moment in MOMENTS
                   if results["moments"][moment] is not None}
        requests = {moment: results["timeline"]["request"][sample]
                    for moment, sample in samples.items()}
        states = state_requests(trace, requests.values())
    replayed = {}
    for allocator in results["allocators"]:
        series = allocator["rss_recorded_bytes"] or allocator["rss_bytes"]
        replayed[allocator["name"]] = {moment: series[sample]
                                       for moment, sample in samples.items()}
    finalise = [mark["request"] for mark in results["marks"] if mark["name"] == "finalise"]
    at = {moment: max(1, states[request]) for moment, request in requests.items()}
    labels = {moment: "finalise" if requests[moment] in finalise else str(request)
              for moment, request in at.items()}
    native, _ = measured(program, "pass-through", set(at.values()))
    for allocator in ALLOCATORS:
        really, faults = measured(program, allocator, set(at.values()))
        for moment, request in at.items():
            was, now = native.get(labels[moment]), really.get(labels[moment])
            if was is None or now is None:
                continue  # the run was shorter by a few requests
            rest = was - replayed["pymalloc"][moment]
            predicted = rest + replayed[allocator][moment]
            yield {"workload": name, "size": size, "python": version, "allocator": allocator,
                   "moment": moment, "request": labels[moment], "replayed": replayed[allocator][moment],
                   "predicted": predicted, "measured": now, "native": was,
                   "error": round(predicted / now - 1, 4),
                   "own_error": round((predicted - now) / max(1, now - rest), 4),
                   "minor_faults": faults}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size-percent", type=int, default=100, metavar="P")
    parser.add_argument("--python", metavar="VERSION", help="default: the newest found")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    arguments = parser.parse_args()
    found = interpreters.interpreters()
    rows = []
    for name in arguments.workloads or WORKLOADS:
        version = arguments.python or list(found)[-1]
        wanted = raw_results.APPLICATIONS.get(name)
        if wanted and not interpreters.has(found[version], wanted):
            # The libraries are Debian's, and with them the interpreter.
            version = next((v for v in found if interpreters.has(found[v], wanted)), None)
            if version is None:
                sys.stderr.write("%s: no interpreter here has %s\n" % (name, wanted))
                continue
        for row in measure(version, found[version], name, arguments.size_percent):
            rows.append(row)
            sys.stderr.write("%(workload)-18s %(allocator)-9s %(moment)-12s "
                             "error %(error)+.3f own %(own_error)+.3f\n" % row)
    raw_results.write("prediction", rows)


if __name__ == "__main__":
    main()

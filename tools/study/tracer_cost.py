#!/usr/bin/env python3
"""What recording costs, beside a hook that only counts, and heaptrack.

    tools/study/tracer_cost.py [--rounds N] [--cores LIST] [--python VERSION]
                               [--size-percent N] [WORKLOAD...]

Writes tracer_cost.json in workloads/study/: one row for each workload and
interpreter (python3 and the newest one found), with wall and CPU times, in
seconds, of N rounds. A round runs these in random order, one straight after the
other; what is timed is what a user waits for, from start to the finished file,
and the CPU of all processes together, the collector's included:

  bare, again   the command alone, twice: the A/A arm, the noise that a ratio
                has to stand out from
  count         under libarenalab_count.so: the tracer's hooks, which count the
                events and store nothing
  traced        under `arenalab record`
  types, callsites, stacks
                under `arenalab record` with that option; in the first rounds only
                (--attribution N)
  heaptrack     under heaptrack, with PYTHONMALLOC=malloc, or it would not see
                what Python asks for; in the first round only (--heaptrack N)

One more round, first and not kept, warms the caches. In it the recorder's
shared memory is read, an independent witness counts the requests of the mem and
obj domains (tests/tracer/preload/counting_hooks.cc), the trace is verified and
packed. At last each tool records a program that kills itself: what is left of
its events is survival.
"""
import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import interpreters
import raw_results

APPLICATIONS = raw_results.APPLICATIONS
NAMES = ["json_round_trips", "class_trees", "strings", "source_to_ast", "lru_cache", "phase_shift",
         "generators", "threads", "asyncio_tasks", "prefork"] + sorted(APPLICATIONS)
COUNTER = "bazel-bin/tracer/preload/libarenalab_count.so"
WITNESS = "bazel-bin/tests/tracer/preload/libcounting_hooks.so"
ATTRIBUTIONS = ["types", "callsites", "stacks"]
OBJECTS = 200000
KILLED = "import os, signal\nx = [bytes(77) for i in range(%d)]\n" \
         "os.kill(os.getpid(), signal.SIGKILL)" % OBJECTS


def run(command, **environment):
    """(wall, CPU) seconds of the command with all that it waited for, and its stderr."""
    with tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors,
                                   env={**os.environ, **environment})
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = status
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    return wall, usage.ru_utime + usage.ru_stime, status, text


def ran(command, **environment):
    """The same, of a command that must succeed."""
    wall, cpu, status, text = run(command, **environment)
    if status != 0:
        sys.exit("%s: status %d\n%s" % (" ".join(command), status, text))
    return wall, cpu, text


def shared_bytes(command):
    """The most that the recorder's process had of shared memory while it ran."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0

    def watch():
        nonlocal most
        while process.poll() is None:
            try:
                with open("/proc/%d/status" % process.pid) as status:
                    kib = re.search(r"RssShmem:\s*(\d+)", status.read())
            except OSError:
                return
            most = max(most, 1024 * int(kib[1]) if kib else 0)
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.wait()
    watcher.join()
    return most


class Bench:
    """One program on one interpreter, in a folder for its files."""

    def __init__(self, command, folder):
        self.command, self.folder = command, folder
        self.trace = self.path("run.trace")

    def path(self, name):
        return os.path.join(self.folder, name)

    def built(self, library):
        path = os.path.join(raw_results.ROOT, library)
        return path if os.path.exists(path) else None

    def record(self, command=None, *options):
        return [raw_results.ARENALAB, "record", "-f", *options, "-o", self.trace, "--"] + (
            command or self.command)

    def heaptrack(self, command=None):
        return ["heaptrack", "-o", self.path("ht")] + (command or self.command)

    def arm(self, name):
        """(wall, CPU) of one run."""
        if name == "count":
            return ran(self.command, LD_PRELOAD=self.built(COUNTER),
                       ARENALAB_COUNT=self.path("count"))[:2]
        if name == "traced":
            return ran(self.record())[:2]
        if name in ATTRIBUTIONS:
            return ran(self.record(self.command, "--" + name))[:2]
        if name == "heaptrack":
            return ran(self.heaptrack(), PYTHONMALLOC="malloc")[:2]
        return ran(self.command)[:2]

    def heaptrack_facts(self):
        files = [name for name in os.listdir(self.folder) if name.startswith("ht")]
        if not files:
            return {}
        said = subprocess.run(["heaptrack_print", self.path(files[0])], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, universal_newlines=True).stdout
        calls = re.search(r"calls to allocation functions: (\d+)", said)
        return {"heaptrack_bytes": os.path.getsize(self.path(files[0])),
                "heaptrack_allocations": int(calls[1]) if calls else 0}

    def info(self, trace=None):
        """What `trace info` says of the first process's trace."""
        return json.loads(subprocess.run(
            [raw_results.ARENALAB, "trace", "info", "--json", trace or self.trace], check=True,
            stdout=subprocess.PIPE, universal_newlines=True).stdout)

    def facts(self):
        """What is no time: sizes, counts, verdicts."""
        shared = shared_bytes(self.record())
        traces = [self.path(name) for name in os.listdir(self.folder) if name.endswith(".trace")]
        infos = [self.info(trace) for trace in traces]
        whole = self.info()
        verdict = subprocess.run([raw_results.ARENALAB, "verify", self.trace],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        lint = subprocess.run([raw_results.ARENALAB, "trace", "lint", self.trace],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        packed = self.path("packed")
        ran([raw_results.ARENALAB, "trace", "pack", "-f", self.trace, "-o", packed])
        facts = {"events": sum(info["events"] for info in infos), "processes": len(traces),
                 "trace_bytes": sum(map(os.path.getsize, traces)),
                 "packed_bytes_an_event": os.path.getsize(packed) / whole["events"],
                 "shared_bytes": shared, "lost": sum(info["lost"] for info in infos),
                 "waited_s": max(info["waited_ns"] for info in infos) / 1e9,
                 "verify_status": verdict, "lint_status": lint, "requests": whole["requests"],
                 "allocations": sum(whole["by_kind"][kind] for kind in
                                    ("alloc", "zeroed", "aligned", "realloc")),
                 "recorded_mem_obj": whole["by_layer"]["mem"] + whole["by_layer"]["obj"]}
        if self.built(WITNESS):
            counts = self.path("counts")
            ran(self.record(), LD_PRELOAD=self.built(WITNESS), COUNTS=counts)
            of_witness = self.info()["by_layer"]
            with open(counts) as lines:
                facts["witness_mem_obj"] = sum(
                    int(n) for line in lines for n in line.split()[1:])
            facts["recorded_with_witness"] = of_witness["mem"] + of_witness["obj"]
        return facts


def measure(version, python, name, arguments, rng):
    command = [python, raw_results.workload(name)]
    if arguments.size_percent != 100:
        with open(command[1]) as source:
            size = re.search(r"--size.*?default=([\d_]+)", source.read(), re.DOTALL)
        if size:
            command += ["--size", str(max(1, int(size[1]) * arguments.size_percent // 100))]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(command, folder)
        row = {"python": version, "workload": name, **bench.facts()}
        arms = ["bare", "again", "traced"] + ["count"] * bool(bench.built(COUNTER))
        times = {}
        for turn in range(arguments.rounds + 1):
            with_heaptrack = shutil.which("heaptrack") and 0 < turn <= arguments.heaptrack
            turn_arms = arms + ["heaptrack"] * bool(with_heaptrack)
            if 0 < turn <= arguments.attribution:
                turn_arms += ATTRIBUTIONS
            rng.shuffle(turn_arms)
            for arm in turn_arms:
                wall, cpu = bench.arm(arm)
                if turn > 0:
                    times.setdefault(arm + "_s", []).append(round(wall, 4))
                    times.setdefault(arm + "_cpu_s", []).append(round(cpu, 4))
        if os.path.exists(bench.path("count")):
            with open(bench.path("count")) as count:
                row["counted"] = int(count.read())
        return {**row, **bench.heaptrack_facts(), **times}


def survival(version, python):
    """Of a program that kills itself: the share of its objects in what is left."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench([python, "-c", KILLED], folder)
        run(bench.record())
        row = {"python": version, "killed_after": OBJECTS,
               "kept": min(OBJECTS, bench.info()["by_kind"]["alloc"] +
                           bench.info()["by_kind"]["zeroed"])}
        if shutil.which("heaptrack"):
            run(bench.heaptrack(), PYTHONMALLOC="malloc")
            row["heaptrack_kept"] = min(
                OBJECTS, bench.heaptrack_facts().get("heaptrack_allocations", 0))
        return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--heaptrack", type=int, default=1, metavar="N", help="in so many rounds")
    parser.add_argument("--attribution", type=int, default=1, metavar="N",
                        help="the arms types, callsites and stacks in so many rounds")
    parser.add_argument("--cores", metavar="LIST", help="such as 0,1; default all")
    parser.add_argument("--python", action="append", metavar="VERSION",
                        help="default: python3 and the newest")
    parser.add_argument("--size-percent", type=int, default=100, metavar="N")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    arguments = parser.parse_args()
    if arguments.cores:
        os.sched_setaffinity(0, {int(core) for core in arguments.cores.split(",")})
    # Builds what is not built.
    ran([raw_results.ARENALAB, "--version"])
    found = interpreters.interpreters()
    wanted = arguments.python or dict.fromkeys(
        [next((v for v, path in found.items() if path == "/usr/bin/python3" or
               os.path.realpath(path) == os.path.realpath("/usr/bin/python3")), list(found)[0]),
         list(found)[-1]])
    rng, rows = random.Random(0), []
    for version in wanted:
        for name in arguments.workloads or NAMES:
            module = APPLICATIONS.get(name)
            if module and not interpreters.has(found[version], module):
                sys.stderr.write("%s %s: no %s\n" % (version, name, module))
                continue
            rows.append(measure(version, found[version], name, arguments, rng))
            sys.stderr.write("%s %s\n" % (version, name))
        rows.append(survival(version, found[version]))
    raw_results.write("tracer_cost", rows)


if __name__ == "__main__":
    main()

"""All modules of an interpreter's own regression suite, recorded: does each test end
as it does unrecorded?

  tools/study/whole_suite.py PYTHON [OUTPUT.json] [--only MODULE ...] [--skip MODULE ...]
      [--minutes M] [-- RECORD OPTIONS]

Each module is run three times as it is and once under `arenalab record`, without
network and other resources (`-m test` asks for none by default). A test whose three
untraced runs differ shows nothing and is listed. A module that takes longer than
ten minutes in any run is listed too. Exit status 1: a test was changed.

Four times the suite's own time: hours. With --only: those modules; with --skip: all but
those; with --minutes: none is begun after that many. The output names what was not run.
It is written after each module, so a study that is stopped keeps what it has.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import raw_results
import regression_suite

PATIENCE = 600


def modules(python):
    """The names that `-m test` would run, in its order."""
    listed = subprocess.run([python, "-m", "test", "--list-tests"],
                            stdout=subprocess.PIPE, check=True).stdout.decode()
    return [name for name in listed.split() if name.startswith("test")]


def outcomes(command, folder, record=()):
    """{test id: outcomes} of one run; None where it took too long."""
    path = os.path.join(folder, "outcomes")
    if os.path.exists(path):
        os.unlink(path)
    try:
        subprocess.run([*record, *command(path)], stdin=subprocess.DEVNULL, cwd=folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return None
    return regression_suite.outcomes_in(path)


def measure(python, name, options):
    with tempfile.TemporaryDirectory() as folder:
        def command(path):
            return regression_suite.command_of(python, name, [], path, folder)
        record = [raw_results.ARENALAB, "record", "-f", "-o",
                  os.path.join(folder, "suite.trace"), *options, "--"]
        begin = time.monotonic()
        native = [outcomes(command, folder) for _ in range(3)]
        traced = outcomes(command, folder, record)
        seconds = round(time.monotonic() - begin, 1)
    if traced is None or None in native:
        return {"module": name, "too_long": True, "seconds": seconds}
    first = regression_suite.compared(traced, native[0], native[1])
    second = regression_suite.compared(traced, native[0], native[2])
    unstable = set(first["unstable"]) | set(second["unstable"])
    changed = (set(first["changed"]) | set(second["changed"])) - unstable
    return {"module": name, "tests": len(set(native[0]) - unstable),
            "changed": sorted(changed), "unstable": sorted(unstable), "seconds": seconds}


def save(path, rows, not_run):
    """Rows of other interpreters and modules that stand in the file stay."""
    new = {(row["python"], row["module"]) for row in rows}
    kept = []
    if os.path.exists(path):
        with open(path) as file:
            kept = [row for row in json.load(file)["rows"]
                    if (row["python"], row["module"]) not in new]
    head = {"command": " ".join(["tools/study/whole_suite.py", *sys.argv[1:]]),
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "machine": raw_results.machine(), "not_run": not_run}
    with open(path, "w") as file:
        file.write(json.dumps(head, indent=1)[:-2] + ",\n \"rows\": [\n")
        file.write(",\n".join("  " + json.dumps(row) for row in kept + rows) + "\n ]\n}\n")


def main():
    words, options = sys.argv[1:], []
    if "--" in words:
        at = words.index("--")
        words, options = words[:at], words[at + 1:]
    parser = argparse.ArgumentParser()
    parser.add_argument("python")
    parser.add_argument("output", nargs="?")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--skip", nargs="+", default=[])
    parser.add_argument("--minutes", type=float, default=float("inf"))
    arguments = parser.parse_args(words)
    names = [name for name in arguments.only or modules(arguments.python)
             if name not in arguments.skip]
    version = subprocess.check_output(
        [arguments.python, "-c", "import sys; print(sys.version.split()[0])"]).decode().strip()
    end = time.monotonic() + 60 * arguments.minutes
    rows = []
    for at, name in enumerate(names):
        if time.monotonic() > end:
            break
        rows.append({"python": version, **measure(arguments.python, name, options)})
        print(json.dumps(rows[-1]), flush=True)
        if arguments.output:
            save(arguments.output, rows, arguments.skip + names[at + 1:])
    done = [row for row in rows if "too_long" not in row]
    changed = sum(len(row["changed"]) for row in done)
    print("%d modules, %d tests the same, %d changed, %d set aside, %d modules too long, %.0f s"
          % (len(done), sum(row["tests"] for row in done) - changed, changed,
             sum(len(row["unstable"]) for row in done), len(rows) - len(done),
             sum(row["seconds"] for row in rows)))
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())

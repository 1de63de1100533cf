"""Modules of CPython's own regression suite, run under `-m test -v`, and what
became of each of their tests.

The interpreter's installed `test` package is used; nothing is downloaded. Where
it is missing (Debian: package libpython3.11-testsuite) there are no modules.
"""
import json
import os
import subprocess

# Module and patterns of `-m`; none: all of it. Slow or networked classes are
# left out so that each run takes less than two minutes.
MODULES = [
    ("test_asyncio", ["test.test_asyncio.test_queues.*", "test.test_asyncio.test_locks.*",
                      "test.test_asyncio.test_pep492.*"]),
    ("test_coroutines", []),
    ("test_dict", []),
    ("test_fork1", []),
    ("test_gc", []),
    ("test_generators", []),
    ("test_json", []),
    ("test_multiprocessing_fork", ["WithProcessesTestQueue", "WithProcessesTestLock"]),
    ("test_os", ["*ork*", "*Spawn*", "*URandom*", "*Wait*"]),
    ("test_sqlite3", []),
    ("test_subprocess", ["POSIXProcessTestCase"]),
    ("test_threading", []),
]

# Before 3.11 the module has another name.
OLDER_NAMES = {"test_sqlite3": "test_sqlite"}

# Writes a line for each outcome, whatever prints between a test's name and it:
# every result class of `-m test` passes its outcomes on to this base.
_DRIVER = """\
import json, os, runpy, sys, unittest
path = sys.argv.pop(1)
def noting(outcome, original):
    def add(self, test, *rest):
        with open(path, "a") as file:
            file.write(json.dumps([test.id(), outcome]) + "\\n")
        return original(self, test, *rest)
    return add
for outcome in ["Success", "Failure", "Error", "Skip", "ExpectedFailure",
                "UnexpectedSuccess"]:
    name = "add" + outcome
    setattr(unittest.TestResult, name,
            noting(outcome, getattr(unittest.TestResult, name)))
runpy.run_module("test", run_name="__main__", alter_sys=True)
"""


def name_in(version, module):
    """The module's name in that version of CPython."""
    return module if version >= (3, 11) else OLDER_NAMES.get(module, module)


def installed(python, version, module):
    """Whether the interpreter has the module; some are not to be imported twice."""
    found = "import importlib.util as u, sys; sys.exit(u.find_spec('test.%s') is None)"
    return subprocess.run([python, "-c", found % name_in(version, module)],
                          stderr=subprocess.DEVNULL).returncode == 0


def command(python, version, module, outcomes, folder):
    """The command that runs a module and writes to the file `outcomes`."""
    patterns = [word for pattern in dict(MODULES)[module] for word in ("-m", pattern)]
    return command_of(python, name_in(version, module), patterns, outcomes, folder)


def command_of(python, name, options, outcomes, folder):
    """The same of any module, with options of `-m test`."""
    driver = os.path.join(folder, "regression_driver.py")
    with open(driver, "w") as file:
        file.write(_DRIVER)
    return [python, driver, outcomes, "-v", *options, name]


def outcomes_in(path):
    """{test id: outcomes, sorted}; a test with subtests has several."""
    found = {}
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                name, outcome = json.loads(line)
                found.setdefault(name, set()).add(outcome)
    return {name: sorted(found[name]) for name in found}


def compared(traced, first, second):
    """What tracing changed, given {test id: outcomes} of three runs.

    A test whose untraced runs differ, or that only one of them knows, shows
    nothing either way: it is set aside as unstable.
    """
    names = set(first) | set(second)
    unstable = {name for name in names if first.get(name) != second.get(name)}
    stable = names - unstable
    changed = {name for name in stable if traced.get(name) != first[name]}
    changed |= set(traced) - names
    return {"tests": len(stable), "changed": sorted(changed), "unstable": sorted(unstable)}

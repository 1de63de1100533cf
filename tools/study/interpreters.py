"""The Python interpreters of this machine that can be recorded."""
import glob
import os
import subprocess

_VERSION = "import sys; print('%d.%d.%d %s' % (sys.version_info[:3] + (sys.executable,)))"


def interpreters():
    """{version: path} of every CPython 3.6 or newer; the first path of a version.

    Looked for: `python3` of PATH, /usr/bin/python3, $HOME/.pyenv/versions/*.
    The path is the interpreter's own, never a shell shim's.
    """
    home = os.environ.get("HOME", "")
    candidates = ["/usr/bin/python3", "python3"] + sorted(
        glob.glob(os.path.join(home, ".pyenv/versions/*/bin/python3")))
    found = {}
    for path in candidates:
        try:
            answer = subprocess.run([path, "-c", _VERSION], stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, universal_newlines=True)
        except OSError:
            continue
        version, _, executable = answer.stdout.strip().partition(" ")
        if answer.returncode == 0 and number(version) >= (3, 6):
            found.setdefault(version, executable)
    return {version: found[version] for version in sorted(found, key=number)}


def number(version):
    """"3.12.1" as (3, 12, 1), which compares as versions do."""
    return tuple(int(part) for part in version.split("."))


def has(python, module):
    """Whether an interpreter can import a module."""
    return subprocess.run([python, "-c", "import " + module], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0

"""The files of the repository, read from where they really are.

A test sees links to the files it names; the checks of this folder are about
all files, so they follow WORKSPACE's link home. Their tag "external" makes
Bazel run them each time.
"""
import os

ROOT = os.path.dirname(os.path.realpath("WORKSPACE"))

# Written by builds, not by people.
_SKIPPED = {".git", "node_modules", "dist", "__pycache__", "arenalab-demo"}


def paths():
    """Every file's path from the root, sorted; symbolic links are left out."""
    found = []
    for folder, subfolders, files in os.walk(ROOT):
        subfolders[:] = [name for name in subfolders
                         if name not in _SKIPPED and not name.startswith("bazel-")
                         and not os.path.islink(os.path.join(folder, name))]
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                found.append(os.path.relpath(path, ROOT))
    return sorted(found)


def read(path):
    """The text of a file, or None where it is no text."""
    with open(os.path.join(ROOT, path), "rb") as file:
        data = file.read()
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def language(path):
    """The kind of a source file by its name: "cc", "py", "sh", ... or ""."""
    name = os.path.basename(path)
    if name in ("BUILD", "WORKSPACE") or name.endswith(".BUILD"):
        return "build"
    extension = os.path.splitext(name)[1].lstrip(".")
    if extension:
        return {"h": "cc", "mjs": "js", "cjs": "js"}.get(extension, extension)
    text = read(path) or ""
    if text.startswith("#!") and "sh" in text.split("\n", 1)[0]:
        return "sh"
    return ""

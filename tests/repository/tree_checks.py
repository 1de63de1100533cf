"""What every file of the repository keeps to, as functions of its text.

Each check returns the complaint, or None. repository_test.py applies them to
the tree, and to texts made to break them.
"""
import os
import re

LONGEST_FILE_LINES = 600

# What stands before the first sentence of a file, by language.
_OPENERS = {
    "cc": r"//", "js": r"//|/\*\*?", "css": r"/\*", "html": r"(?:<!doctype html>\s*)?<!--",
    "py": r'r?"""', "bzl": r'"""', "sh": r"#", "toml": r"#", "S": r"//|/\*|#", "lds": r"/\*",
}
_TOP = "allocators|tracer|visualizer|workloads|tests|tools|third_party"


def opening(language, text):
    """The file must open with a comment of at least three words."""
    opener = _OPENERS.get(language)
    if opener is None:
        return None
    if text.startswith("#!"):
        text = text.partition("\n")[2]
    if re.match(r"\s*(?:%s)\s*(?:\S+\s+){2,}\S" % opener, text):
        return None
    return "does not open by saying what it is"


def length(text):
    """No file is longer than one sitting."""
    lines = text.count("\n")
    if lines > LONGEST_FILE_LINES:
        return "%d lines, more than %d" % (lines, LONGEST_FILE_LINES)
    return None


def layout(text):
    """Lines end without spaces, the file with one newline."""
    trailing = re.search(r"[ \t]+$", text, re.MULTILINE)
    if trailing:
        return "line %d ends in spaces" % (text.count("\n", 0, trailing.start()) + 1)
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        return "does not end with one newline"
    return None


# A path of the machine it was written on, or a note to oneself.
_UNFINISHED = re.compile(
    r"(?<![\w.$})])/(?:root|home|work)/[\w.]|\b(?:TODO|FIXME|XXX|HACK)\b")


def finished(text):
    """Nothing of one machine, nothing left for later."""
    match = _UNFINISHED.search(text)
    if match:
        return "line %d: %s" % (text.count("\n", 0, match.start()) + 1, match.group())
    return None


def named_paths(text):
    """The paths of this repository that a text names, without globs.

    A path begins with one of our folders and ends in a name with an extension
    or in a slash; `bazel-bin/tools/...` is the build's, not ours.
    """
    pattern = r"(?<![\w/.@:*~-])(?:\./)?((?:%s)/(?:[\w.+-]+/)*(?:[\w.+-]+\.\w+)?)(?![\w*<{/%%$])" % _TOP
    return {match.rstrip(".") for match in re.findall(pattern, text)
            if not re.search(r"/NAME\b", match)}


def links(text):
    """The targets of a Markdown text's relative links, without fragments."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return {target.partition("#")[0] for target in targets
            if not re.match(r"[a-z]+:|#", target)}


def gone(path, text, exists):
    """What the text names and `exists(path)` denies, sorted.

    Args:
      path: the file's own, from the root; links are relative to its folder.
      text: its text.
      exists: tells whether a path from the root is there.
    """
    named = named_paths(text)
    if path.endswith(".md"):
        folder = os.path.dirname(path)
        named |= {os.path.normpath(os.path.join(folder, link)) for link in links(text)}
    return sorted(name for name in named if not exists(name))

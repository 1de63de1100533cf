"""Puts the page's template, style and script into one C++ string.

  embed.py OUT.cc                                        an empty page
  embed.py OUT.cc TEMPLATE HEAD_JS PAGE_JS PAGE_CSS NOTICE

The page's policy admits exactly these scripts and this style: their hashes
are computed here, over the very bytes that end up between the tags.
"""
import base64
import hashlib
import sys


def source_hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return "'sha256-%s'" % base64.b64encode(digest).decode()


def literal(text):
    """The text as C++ string literals, one a kilobyte."""
    out = []
    data = text.encode()
    for start in range(0, len(data), 1024):
        chunk = data[start:start + 1024]
        body = "".join(
            chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else "\\%03o" % b
            for b in chunk)
        out.append('    "%s"' % body)
    return "\n".join(out) or '    ""'


def page(template, head, script, style, notice):
    def read(path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    head, script, style = read(head), read(script), read(style)
    notice = read(notice).replace("&", "&amp;").replace("<", "&lt;")
    fixed = {
        "SCRIPT_HASHES": source_hash(head) + " " + source_hash(script),
        "STYLE_HASH": source_hash(style),
        "HEAD_SCRIPT": head,
        "SCRIPT": script,
        "STYLE": style,
        "NOTICE": "uPlot\n\n" + notice,
    }
    for text in (head, script, style):
        if "{{" + "RESULTS}}" in text or "</script" in text:
            raise SystemExit("embed.py: a page asset would break the page")
    out = read(template).split("-->\n", 1)[1]
    for name, text in fixed.items():
        out = out.replace("{{%s}}" % name, text, 1)
    return out


def main(out, *assets):
    text = page(*assets) if assets else ""
    with open(out, "w", encoding="utf-8") as file:
        file.write("// Written by visualizer/embed.py.\n"
                   '#include "visualizer/page_assets.h"\n\n'
                   "namespace arenalab {\n\n"
                   "const std::string_view kPageTemplate =\n"
                   "%s;\n\n}  // namespace arenalab\n" % literal(text))


if __name__ == "__main__":
    main(*sys.argv[1:])

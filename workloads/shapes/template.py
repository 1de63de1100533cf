#!/usr/bin/env python3
"""A template language: compiled to Python once, rendered over and over.

Reveals: strings joined from many small ones, name spaces that live for a page.

--size N  pages.
"""
import argparse
import re

SOURCE = """<table>
{% for row in rows %}<tr class="{{ row.kind }}">
{% for cell in row.cells %}<td>{{ cell }}</td>{% end %}
</tr>{% end %}
</table>"""


def compiled(source):
    lines, depth = ["def render(rows):", " out = []"], 1
    for token in re.split(r"({%.*?%}|{{.*?}})", source):
        indent = " " * depth
        if token.startswith("{% for"):
            lines.append(indent + token[3:-2].strip() + ":")
            depth += 1
        elif token.startswith("{% end"):
            depth -= 1
        elif token.startswith("{{"):
            lines.append(indent + "out.append(str(%s))" % token[2:-2].strip())
        else:
            lines.append(indent + "out.append(%r)" % token)
    lines.append(" return ''.join(out)")
    names = {}
    exec("\n".join(lines), names)
    return names["render"]


class Row:
    def __init__(self, number):
        self.kind = "even" if number % 2 == 0 else "odd"
        self.cells = [number * column for column in range(12)]


parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=150)
size = parser.parse_args().size
render = compiled(SOURCE)
pages, total = [], 0
for page in range(size):
    text = render([Row(number) for number in range(40)])
    total += len(text)
    pages.append(text)
    del pages[:-20]
print("template: %d pages, %d characters" % (size, total))

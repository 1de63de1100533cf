#!/usr/bin/env python3
"""Regular expressions compiled anew, their cache cleared each time.

Reveals: a compiler's trees, all of which die but for small code objects.

--size N  patterns.
"""
import argparse
import re

PARTS = [r"(?:[a-z]+|\d{1,%d})", r"(?P<name%d>\w+)\s*=", r"[^\s,;]{%d,}", r"(?:foo|bar|baz%d)+?",
         r"\b(?=x%d)\w*\b", r"(?i:[a-f%d]+)"]

parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=250)
size = parser.parse_args().size
kept = []
for number in range(size):
    pattern = "".join(part % (number % 50 + 1) for part in PARTS[number % 3:])
    compiled = re.compile(pattern)
    if number % 10 == 0:
        kept.append(compiled)
        re.purge()
print("regex_compile: %d compiled, %d kept, %d groups"
      % (size, len(kept), sum(pattern.groups for pattern in kept)))

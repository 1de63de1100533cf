#!/usr/bin/env python3
"""Text cut up, joined, counted and formatted.

Reveals: blocks of every size class at once, and growth by realloc: a string
appended to in a loop, a bytearray, a list and io.StringIO each grow in their
own steps and cross the 512-byte limit between pymalloc and the C library.

--size N  lines of text.
"""
import argparse
import collections
import io
import random

SYLLABLES = "ka lo mi ren tu sha pol vek ar ond el is".split()


def word(rng):
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randrange(1, 5)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=20000, metavar="N")
    size = parser.parse_args().size
    rng = random.Random(3)
    vocabulary = [word(rng) for _ in range(2000)]
    counts = collections.Counter()
    index = collections.defaultdict(list)
    page = io.StringIO()
    raw = bytearray()
    longest = ""
    for number in range(size):
        words = [rng.choice(vocabulary) for _ in range(rng.randrange(1, 150))]
        line = " ".join(words)
        counts.update(line.upper().replace("SHA", "SCHA").split())
        index[words[0]].append("%06d: %s" % (number, line[:rng.randrange(1, 200)]))
        page.write(line.title())
        raw += line.encode()
        grown = ""
        for piece in words:
            grown += piece  # realloc in place, step by step
        if len(grown) > len(longest):
            longest = grown
        if number % 5000 == 4999:
            index.clear()
            raw = bytearray()
            page = io.StringIO()
    print("strings: %d lines, %d words, longest %d" %
          (size, sum(counts.values()), len(longest)))


if __name__ == "__main__":
    main()

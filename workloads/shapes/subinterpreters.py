#!/usr/bin/env python3
"""Interpreters within the interpreter, made, used and ended in waves.

Reveals: a heap each where interpreters are isolated (3.12 and later), one
shared heap before.

Wants _xxsubinterpreters (3.8 to 3.12) or _interpreters; exits 3 without.

--size N  objects that each of them makes.
"""
import argparse
import sys

try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        sys.stderr.write("subinterpreters: this Python has no such module\n")
        sys.exit(3)

WORK = """
import json, collections
made = [json.loads(json.dumps({"n": n, "w": ["x%%d" %% n] * 5})) for n in range(%d)]
count = collections.Counter(word for one in made for word in one["w"])
made = made[::50]
"""

parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=3000)
size = parser.parse_args().size
for wave in range(3):
    alive = [interpreters.create() for _ in range(4)]
    for one in alive:
        interpreters.run_string(one, WORK % size)
    for one in alive:
        interpreters.destroy(one)
print("subinterpreters: 3 waves of 4, %d objects each" % size)

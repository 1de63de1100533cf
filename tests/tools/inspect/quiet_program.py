"""A program that prints CPython's own statistics of its heap and then stands
still, so that what is read of it from outside can be laid beside them.

  quiet_program.py KIND [IDS]      stderr: sys._debugmallocstats()

Between the dump and the wait nothing is allocated: neither call takes an
argument or makes an object. IDS, if given, is a file for the address and type
of every object that the program holds of its own kind.
"""
import ast
import collections
import gc
import os
import signal
import sys
import threading

try:
    import ctypes
except ImportError:  # of a build without libffi
    ctypes = None


def lists():
    kept = []
    for _ in range(4):
        junk = [[i, (i,)] for i in range(60000)]
        kept.extend(junk[::97])
    return kept


def strings():
    return [["x" * n + str(i) for i in range(60)][::3] for n in range(1, 500, 3)]


class Record:

    def __init__(self, number):
        self.number = number
        self.text = str(number) * 3


def records():
    return [Record(i) for i in range(20000)][::7]


def wave():
    """More arenas at its height than at its end, and some released."""
    kept = []
    for turn in range(6):
        junk = [b"z" * (40 + 60 * turn) for _ in range(40000)]
        kept.append(junk[turn::31])
    return kept


def mixed():
    kept = []
    for i in range(6000):
        kept.append(set(range(i, i + 12)) if i % 4 == 0 else list(range(i % 9)))
        kept.append({"number": i, "parts": [float(i), str(i), (i, i + 1)], "set": {i, str(i)},
                     "call": (lambda j=i: j), "bytes": b"%d" % i})
    return kept[::3] + records()[:200]


def numbers():
    kept = [i * 7919 ** (i % 40) for i in range(30000)]
    return kept[::5] + [complex(i, i) for i in range(5000)] + [i / 7 for i in range(20000)][::3]


def closures():
    def outer(number):
        def inner(more=number):
            yield number, more
        return inner
    kept = [outer(i) for i in range(8000)]
    running = [function() for function in kept[::3]]
    for generator in running:
        next(generator)
    return kept[::2] + running


def deque():
    kept = collections.deque(maxlen=3000)
    for i in range(30000):
        kept.append({"number": i, i: str(i)})
    return kept


def parsed():
    source = "\n".join("def f%d(a, b=%d): return [a + b, {'k': a}, (b, %d)]" % (i, i, i)
                       for i in range(800))
    names = {}
    exec(compile(source, "made", "exec"), names)
    return ast.parse(source).body[::9], names


def owners():
    """Strings of which half are interned; dicts and lists that died and are kept
    by the interpreter."""
    kept = [sys.intern("interned %d" % i) for i in range(3000)]
    kept += [("plain %d" % i) for i in range(3000)]
    dead = [{} for _ in range(200)] + [[] for _ in range(200)]
    del dead
    return kept


def write_strings(path, kept):
    with open(path, "w") as out:
        for text in kept:
            out.write("%x %s\n" % (id(text), text.split()[0]))


def burst():
    """Threads whose large objects all but fill the C library's arenas."""
    kept = []

    def work():
        blocks = [bytes(3000) for _ in range(13000)]
        kept.append(blocks[::40])
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return kept


def interpreters():
    """An isolated interpreter with a heap of its own, which holds 50,000 strings."""
    try:
        import _interpreters as made
    except ImportError:
        import _xxsubinterpreters as made
    number = made.create()
    made.run_string(number, "kept = [str(n) * 3 for n in range(50000)]")
    return number


def memory_of(thing):
    """The block that a list or a set has apart from itself, by CPython's own structs."""
    word = 24 if isinstance(thing, list) else 40
    return ctypes.c_size_t.from_address(id(thing) + word).value


def write_ids(path):
    known = {}

    def enter(thing):
        known[id(thing)] = type(thing).__name__
    for thing in gc.get_objects():
        enter(thing)
        for part in gc.get_referents(thing):
            enter(part)
        if ctypes and type(thing) is list and thing:
            known[memory_of(thing)] = "memory:list"
        if ctypes and type(thing) is set and len(thing) > 8:
            known[memory_of(thing)] = "memory:set"
    del thing, part
    with open(path, "w") as out:
        for address, name in known.items():
            out.write("%x %s\n" % (address, name))


def main():
    kept = [] if sys.argv[1] == "start" else globals()[sys.argv[1]]()
    if sys.argv[1] == "owners":
        write_strings(sys.argv[2], kept)
    elif len(sys.argv) > 2:
        gc.collect()
        write_ids(sys.argv[2])
    dump, pause = sys._debugmallocstats, signal.pause
    dump()
    pause()
    return kept


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A least-recently-used cache whose values drift in size.

Reveals: ageing. The number of live bytes hardly moves, but the sizes do, from
some 40 bytes to some 400 and back: pools of the old size classes empty slowly,
each kept by the few entries that are still asked for. A size-segregated
allocator must hold more and more; a good one turns pools over.

--size N  lookups.
"""
import argparse
import collections
import math
import random


class Cache:
    """At most `limit` bytes of values, the least recently used one goes first."""

    def __init__(self, limit):
        self.limit = limit
        self.bytes = 0
        self.entries = collections.OrderedDict()
        self.hits = 0

    def get(self, key, make):
        value = self.entries.get(key)
        if value is not None:
            self.entries.move_to_end(key)
            self.hits += 1
            return value
        value = self.entries[key] = make()
        self.bytes += len(value)
        while self.bytes > self.limit:
            _, old = self.entries.popitem(last=False)
            self.bytes -= len(old)
        return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=800000, metavar="N")
    size = parser.parse_args().size
    rng = random.Random(4)
    cache = Cache(min(16 << 20, size * 32))
    checksum = 0
    for number in range(size):
        # One in ten lookups asks for one of a thousand favourites.
        if rng.random() < 0.1:
            key = rng.randrange(1000)
        else:
            key = 1000 + rng.randrange(400000)
        middle = 220 - 180 * math.cos(2 * math.pi * number / size)
        length = max(1, int(rng.gauss(middle, 12)))
        checksum += len(cache.get(key, lambda: bytes(length)))
    print("lru_cache: %d lookups, %d hits, checksum %d" % (size, cache.hits, checksum))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""JSON documents, written and read again and again.

Reveals: the plainest churn of a service. Dicts, lists, strings and floats of a
few size classes are born together and die together, in the order of a tree; a
small window of recent documents stays. Memory should return to the window's
size after each burst: what does not is fragmentation.

--size N  documents in all.
"""
import argparse
import collections
import json
import random


def document(rng, number):
    """One order of a shop, about 3 KiB as text."""
    return {
        "id": number,
        "customer": {"name": "customer %d" % rng.randrange(10000),
                     "tags": ["tag%d" % rng.randrange(50) for _ in range(rng.randrange(8))]},
        "lines": [{"sku": "%08x" % rng.getrandbits(32), "count": rng.randrange(1, 900),
                   "price": rng.random() * 100, "note": "x" * rng.randrange(40)}
                  for _ in range(rng.randrange(5, 30))],
        "paid": rng.random() < 0.5,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=20000, metavar="N")
    size = parser.parse_args().size
    rng = random.Random(1)
    recent = collections.deque(maxlen=max(1, min(500, size // 10)))
    characters = 0
    for number in range(size):
        text = json.dumps(document(rng, number))
        characters += len(text)
        recent.append(json.loads(text))
        if number % 5000 == 4999:
            recent.clear()  # a burst ends
    print("json_round_trips: %d documents, %d characters" % (size, characters))


if __name__ == "__main__":
    main()

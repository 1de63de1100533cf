#!/usr/bin/env python3
"""Object graphs written to bytes and read again, by the C and Python pickler.

Reveals: the memo: a dictionary of all that was seen, which grows and goes.

--size N  objects of each graph.
"""
import argparse
import io
import pickle


class Item:
    def __init__(self, number, other):
        self.number = number
        self.name = "item %d" % number
        self.other = other
        self.tags = {"t%d" % (number % 13), "u%d" % (number % 7)}


def dumped(items):
    """The pickler that is written in Python."""
    out = io.BytesIO()
    pickle._Pickler(out, 2).dump([(item.number, item.name) for item in items])
    return out.getvalue()


parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=4000)
size = parser.parse_args().size
total, kept = 0, []
for turn in range(4):
    items = [Item(0, None)]
    for number in range(1, size):
        items.append(Item(number, items[number // 2]))
    for dump in (pickle.dumps, dumped):
        data = dump(items[:1] + items[-200:])
        total += len(data)
        kept.append(pickle.loads(data)[:10])
print("pickle_round_trips: %d bytes, %d kept" % (total, len(kept)))

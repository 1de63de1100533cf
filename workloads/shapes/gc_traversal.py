#!/usr/bin/env python3
"""Deep and wide containers that the cycle collector walks again and again.

Reveals: container objects and their headers; what a collection gives back.

--size N  containers of each round.
"""
import argparse
import gc


def chain(count):
    head = []
    link = head
    for number in range(count):
        following = [number]
        link.append(following)
        link = following
    link.append(head)  # a cycle: only the collector frees it
    return head


parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=40000)
size = parser.parse_args().size
gc.disable()
found = 0
wide = [{"number": number, "pair": (number, [number])} for number in range(size // 4)]
for _ in range(5):
    chain(size)
    found += gc.collect()
print("gc_traversal: %d found, %d stay" % (found, len(wide)))

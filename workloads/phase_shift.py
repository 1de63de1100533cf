#!/usr/bin/env python3
"""Six phases, each with its own object shapes; 4 % of each phase survives.

Reveals: the adversary of every allocator that segregates by size and cannot
move. At the end of each phase a few blocks in each pool stay, so the pool
stays, so the arena stays; and the next phase cannot use the room, because it
asks for other sizes. After the last phase CPython 3.12 holds about sixteen
times its live bytes. --idle gives allocators that purge by the clock the time
to do so at each valley.

--size N        objects of each phase, about (larger shapes, fewer objects).
--idle SECONDS  how long to sleep at each valley.
"""
import argparse
import random
import time

SURVIVING = 0.04

# name, objects per --size, how to make object number n. Every shape is a block
# of another size class (sizes of 3.12), so no phase can use another's pools.
NOTHING = [None] * 40
PHASES = [
    ("floats", 10.0, float),                               # 24 bytes
    ("short texts", 4.5, lambda n: "short %08d!!" % n),    # 65
    ("tuples", 2.3, lambda n: tuple(NOTHING[:9])),         # 128
    ("names", 1.7, lambda n: "n%0119d" % n),               # 169
    ("rows", 1.15, lambda n: b"%0215d" % n),               # 248
    ("records", 0.9, lambda n: tuple(NOTHING[:34])),       # 328
]


# They live until the interpreter finalises, as a service's would.
SURVIVORS = []


def phase(rng, count, make):
    """Makes the phase's objects; returns those that survive it."""
    objects = [make(number) for number in range(count)]
    return rng.sample(objects, int(count * SURVIVING))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=150000, metavar="N")
    parser.add_argument("--idle", type=float, default=0.0, metavar="SECONDS")
    arguments = parser.parse_args()
    rng = random.Random(7)
    # What a program loads at its start: live throughout, of no phase's size.
    SURVIVORS.append([b"%0439d" % n for n in range(arguments.size // 20)])
    for _, share, make in PHASES:
        SURVIVORS.append(phase(rng, int(share * arguments.size), make))
        time.sleep(arguments.idle)
    print("phase_shift: %d objects survive %d phases" %
          (sum(map(len, SURVIVORS[1:])), len(PHASES)))


if __name__ == "__main__":
    main()

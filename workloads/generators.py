#!/usr/bin/env python3
"""The same sums by generator and by list.

Reveals: peak against churn. The list keeps every item alive at once: arenas
are mapped, then given back. The generator keeps one item alive: the same block
is handed out again and again. Both allocate the same bytes; a clock of
allocated bytes shows the two halves equally long.

--size N  items of each pipeline.
"""
import argparse


def records(count):
    for number in range(count):
        yield {"number": number, "name": "item %d" % number}


def by_generator(count):
    big = (record for record in records(count) if record["number"] % 3)
    names = (record["name"] + "!" for record in big)
    return sum(len(name) for name in names)


def by_list(count):
    big = [record for record in list(records(count)) if record["number"] % 3]
    names = [record["name"] + "!" for record in big]
    return sum([len(name) for name in names])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=300000, metavar="N")
    size = parser.parse_args().size
    sums = [(by_generator(size), by_list(size)) for _ in range(4)]
    if any(one != other for one, other in sums):
        raise SystemExit("generators: the two sums differ")
    print("generators: %d items, checksum %d" % (size, sums[0][0]))


if __name__ == "__main__":
    main()

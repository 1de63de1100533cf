#!/usr/bin/env python3
"""A tree of coroutines, each of which awaits its children all at once.

Reveals: frames, tasks and futures, thousands alive at the same time.

--size N  leaves, about.
"""
import argparse
import asyncio

FAN = 6


async def node(depth, visited):
    visited.append(depth)
    if depth == 0:
        await asyncio.sleep(0)
        return 1
    return sum(await asyncio.gather(*(node(depth - 1, visited) for _ in range(FAN))))


async def main(size):
    depth = 1
    while FAN ** (depth + 1) <= size:
        depth += 1
    total, visited = 0, []
    for _ in range(3):
        total += await node(depth, visited)
        visited.clear()
    print("async_tree: %d leaves, depth %d" % (total, depth))


parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=8000)
asyncio.run(main(parser.parse_args().size))

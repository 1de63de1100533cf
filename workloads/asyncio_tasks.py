#!/usr/bin/env python3
"""Many small asyncio tasks in waves.

Reveals: how coroutines, frames, futures, contexts and handles are allocated.
They interleave at every await and die out of order; a wave of connections
leaves a few long ones behind, spread over all the pools the wave had used.

--size N  tasks in all.
"""
import argparse
import asyncio
import random


async def connection(rng, parts, total):
    """Reads some parts, giving way after each, and answers."""
    buffer = []
    for number in range(parts):
        buffer.append("%d:%s" % (number, "x" * rng.randrange(10, 200)))
        await asyncio.sleep(0)
    total[0] += len("".join(buffer))


async def serve(size):
    rng = random.Random(5)
    total, lasting, done = [0], [], 0
    wave = max(1, size // 20)
    while done < size:
        count = min(wave, size - done)
        tasks = [asyncio.ensure_future(connection(rng, 400 if n % 100 == 99 else rng.randrange(1, 12), total))
                 for n in range(count)]
        lasting = [task for task in lasting if not task.done()]
        lasting += tasks[99::100]
        await asyncio.gather(*[task for n, task in enumerate(tasks) if n % 100 != 99])
        done += count
    await asyncio.gather(*lasting)
    return total[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=40000, metavar="N")
    size = parser.parse_args().size
    loop = asyncio.new_event_loop()  # asyncio.run() came with 3.7
    asyncio.set_event_loop(loop)
    total = loop.run_until_complete(serve(size))
    loop.close()
    print("asyncio_tasks: %d tasks, %d characters" % (size, total))


if __name__ == "__main__":
    main()

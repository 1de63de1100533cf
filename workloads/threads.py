#!/usr/bin/env python3
"""Threads that pass messages to each other.

Reveals: objects that die on another thread than they were born on. Under the
GIL pymalloc cannot tell; mimalloc and jemalloc, which keep a heap or a cache
for each thread, can. One thread also ends and is replaced, so that its memory
outlives it.

--size N  messages of each of the four producers.
"""
import argparse
import queue
import random
import threading

PRODUCERS = 4
GENERATIONS = 5  # threads that follow each other in one producer's place


def produce(seed, count, messages):
    rng = random.Random(seed)
    for number in range(count):
        messages.put({"number": number, "words": ["w%d" % rng.randrange(100)
                                                  for _ in range(rng.randrange(1, 20))],
                      "body": b"." * rng.randrange(1, 700)})


def consume(messages, totals):
    kept, total = [], 0
    while True:
        message = messages.get()
        if message is None:
            break
        total += len(message["words"]) + len(message["body"])
        if message["number"] % 50 == 0:
            kept.append(message)
    totals.append((total, len(kept)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=20000, metavar="N")
    size = parser.parse_args().size
    messages, totals = queue.Queue(maxsize=1000), []
    consumers = [threading.Thread(target=consume, args=(messages, totals)) for _ in range(2)]
    for thread in consumers:
        thread.start()
    for generation in range(GENERATIONS):
        count = size // GENERATIONS + (1 if generation < size % GENERATIONS else 0)
        producers = [threading.Thread(target=produce, args=(10 * generation + place, count, messages))
                     for place in range(PRODUCERS)]
        for thread in producers:
            thread.start()
        for thread in producers:
            thread.join()
    for _ in consumers:
        messages.put(None)
    for thread in consumers:
        thread.join()
    # Which consumer got which message is chance; the sums are not.
    print("threads: %d messages, checksum %d, kept %d" %
          (PRODUCERS * size, sum(t for t, _ in totals), sum(k for _, k in totals)))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A prefork server and a multiprocessing pipeline.

Reveals: memory shared by fork and then copied. The parent builds a table; its
workers only read it, but reading changes reference counts, so page after page
is copied. A second round uses multiprocessing, where results come back as
pickles. Each process is a trace of its own.

--size N  entries of the parent's table; 2 workers each way.
"""
import argparse
import multiprocessing
import os
import random
import sys

WORKERS = 2


def table_of(size):
    rng = random.Random(6)
    return {"key%d" % n: ("value %d" % n, rng.random(), [n, n + 1]) for n in range(size)}


def requests(table, worker, count):
    """Looks `count` entries up and answers each; a worker's whole life."""
    rng = random.Random(worker)
    keys, total = sorted(table)[worker::WORKERS], 0
    for _ in range(count):
        name, weight, pair = table[rng.choice(keys)]
        total += len("<li>%s: %.3f %r</li>" % (name, weight, pair))
    return total


def prefork(table, count):
    """Forks the workers by hand; their answers come back through pipes."""
    pipes = []
    for worker in range(WORKERS):
        reader, writer = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            status = 1
            try:
                os.write(writer, b"%d" % requests(table, worker, count))
                status = 0
            finally:
                os._exit(status)
        os.close(writer)
        pipes.append((pid, reader))
    total = 0
    for pid, reader in pipes:
        with os.fdopen(reader, "rb") as answer:
            total += int(answer.read())
        if os.waitpid(pid, 0)[1] != 0:
            sys.exit("prefork: a worker failed")
    return total


def answer_through(connection, part, worker):
    connection.send([requests(part, worker, len(part)), list(part.items())[:100]])
    connection.close()


def pipeline(table):
    """The same by multiprocessing: part of the table goes, a list comes back."""
    context = multiprocessing.get_context("fork")
    keys, total, started = sorted(table), 0, []
    for worker in range(WORKERS):
        part = {key: table[key] for key in keys[worker::WORKERS]}
        reader, writer = context.Pipe(duplex=False)
        process = context.Process(target=answer_through, args=(writer, part, 0))
        process.start()
        writer.close()
        started.append((process, reader))
    for process, reader in started:
        characters, sample = reader.recv()
        total += characters + len(sample)
        process.join()
        if process.exitcode != 0:
            sys.exit("prefork: a process failed")
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=150000, metavar="N")
    size = max(parser.parse_args().size, 2 * WORKERS)
    table = table_of(size)
    print("prefork: %d entries, checksums %d %d" %
          (size, prefork(table, 2 * size), pipeline(table)))


if __name__ == "__main__":
    main()

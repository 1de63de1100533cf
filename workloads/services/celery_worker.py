#!/usr/bin/env python3
"""A Celery worker with its broker in memory: three bursts of tasks.

Reveals: a queue worker's messages, results and retries, and what stays of them
while the queue is empty.

Wants Celery (Debian: python3-celery); exits 3 where it is not installed.

--size N  tasks.
"""
import argparse
import sys
import threading
import time
import warnings

try:
    from celery import Celery
except ImportError:
    sys.stderr.write("celery_worker: this interpreter has no Celery\n")
    sys.exit(3)

warnings.simplefilter("ignore")  # it warns of running as root
app = Celery("notes", broker="memory://", backend="cache+memory://")
app.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=False)
BURSTS = 3
IDLE_SECONDS = 0.4
kept = {}
done = threading.Semaphore(0)


@app.task(bind=True, max_retries=1, default_retry_delay=0)
def digest(self, number, text):
    words = {}
    for word in text.split():
        words[word] = words.get(word, 0) + 1
    if number % 50 == 0:
        kept[number] = words
    done.release()
    return sorted(words.items())[:5]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=600)
    size = parser.parse_args().size
    worker = app.Worker(pool="solo", concurrency=1, loglevel="CRITICAL", without_gossip=True,
                        without_mingle=True, without_heartbeat=True, quiet=True)
    threading.Thread(target=worker.start, daemon=True).start()
    for burst in range(BURSTS):
        for number in range(size // BURSTS):
            digest.delay(number, "word%d " % (number % 7) * (number % 97 + 1))
        for number in range(size // BURSTS):
            done.acquire(timeout=30)
        time.sleep(IDLE_SECONDS)
    worker.stop()
    print("celery_worker: %d tasks, %d results kept" % (size // BURSTS * BURSTS, len(kept)))


main()

"""The load of the services: bursts of requests with idle valleys between.

A server runs under it in one process, the client in another that is not
recorded: what is traced is the server's own memory.

As a program: load.py URL REQUESTS BURSTS IDLE sends it, and ends with GET /stop.
"""
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

BURSTS = 3
IDLE_SECONDS = 0.4


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_client(port, requests):
    """The client as a process; it waits until the server listens."""
    environment = {name: value for name, value in os.environ.items()
                   if name != "LD_PRELOAD" and not name.startswith("ARENALAB")}
    return subprocess.Popen([sys.executable, os.path.abspath(__file__),
                             "http://127.0.0.1:%d" % port, str(requests),
                             str(BURSTS), str(IDLE_SECONDS)], env=environment,
                            stdout=subprocess.DEVNULL)


def fetch(url, data=None):
    with urllib.request.urlopen(url, data, timeout=30) as answer:
        return answer.read()


def send(url, requests, bursts, idle):
    for _ in range(200):
        try:
            fetch(url + "/ready")
            break
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    for burst in range(bursts):
        for number in range(requests // bursts):
            if number % 4 == 0:
                body = urllib.parse.urlencode({"title": "note %d" % number,
                                               "body": "word " * (number % 97)})
                fetch(url + "/notes", body.encode())
            else:
                fetch(url + "/notes?page=%d" % (number % 11))
        time.sleep(idle)
    try:
        fetch(url + "/stop")
    except (urllib.error.URLError, ConnectionError):
        pass  # it stopped before it answered


if __name__ == "__main__":
    send(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))

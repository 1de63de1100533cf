#!/usr/bin/env python3
"""gunicorn, a master and a forked worker that answers three bursts.

Reveals: a heap that is inherited by fork, and what the worker adds to it.

Wants gunicorn (Debian: gunicorn); exits 3 where it is not installed.

--size N  requests.
"""
import argparse
import os
import sys

import load

try:
    from gunicorn.app.base import BaseApplication
except ImportError:
    sys.stderr.write("gunicorn_prefork: this interpreter has no gunicorn\n")
    sys.exit(3)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from wsgi_notes import application  # noqa: E402


class Service(BaseApplication):
    def __init__(self, port):
        self.port = port
        super().__init__()

    def load_config(self):
        self.cfg.set("bind", "127.0.0.1:%d" % self.port)
        self.cfg.set("workers", 1)
        self.cfg.set("loglevel", "critical")
        self.cfg.set("preload_app", True)

    def load(self):
        return application


parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=900)
size = parser.parse_args().size
sys.argv = sys.argv[:1]  # gunicorn reads it too
port = load.free_port()
client = load.start_client(port, size)
print("gunicorn_prefork: %d requests" % size, flush=True)
Service(port).run()

"""Marks in the trace of this program, where `arenalab record` records it; nothing
anywhere else. One file: copy it, or put its folder on PYTHONPATH.

    import arenalab_mark
    arenalab_mark.mark("cache filled")          True where the mark was made

    python3 -m pytest -p arenalab_mark          a mark before and after each test

    arenalab_mark.on_signal(signal.SIGUSR1)     a mark at each signal
    arenalab_mark.on_collection()               and around each garbage collection

Only where it is recorded is ctypes imported, at the first mark: its own
allocations are in the trace too. From 3.6 on.
"""
import os

__all__ = ["mark", "on_signal", "on_collection"]

_function = None


def _nothing(name):
    return 0


def _find():
    if "ARENALAB_RUN" not in os.environ:
        return _nothing
    try:
        import ctypes
        # PyDLL: a mark is made under the interpreter's lock.
        return ctypes.PyDLL(None).arenalab_mark
    except (ImportError, OSError, AttributeError):
        return _nothing


def mark(name):
    """A mark at this point, of at most 320 bytes of UTF-8."""
    global _function
    if _function is None:
        _function = _find()
    return bool(_function(name.encode("utf-8", "replace")))


def on_signal(number):
    """From now on each signal of this number is a mark, before the handler that
    stood there."""
    import signal
    before = signal.getsignal(number)

    def handle(received, frame):
        mark("signal %d" % received)
        if callable(before):
            before(received, frame)
    signal.signal(number, handle)


def on_collection():
    """From now on a mark before and after each run of the garbage collector."""
    import gc
    gc.callbacks.append(
        lambda phase, info: mark("gc %s %d" % (phase, info["generation"])))


# pytest's hooks, for `-p arenalab_mark`.

def pytest_runtest_logstart(nodeid, location):
    mark("test " + nodeid)


def pytest_runtest_logfinish(nodeid, location):
    mark("end " + nodeid)

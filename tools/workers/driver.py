"""Runs one program in N workers of one model, and stands still when all have
ended it, so that their memory can be looked at.

  driver.py MODEL N PIN PROGRAM [ARGUMENT ...]

Tells on descriptor 3, one JSON object a line: {"ready": seconds} when every
worker could run the program's first line; {"done": seconds} when every one has
run it, and then waits for a byte on descriptor 4; or {"error": words}.
A worker keeps the program's globals until then.
"""
import json
import os
import sys
import threading
import time

LIMIT_SECONDS = 3600


def tell(**what):
    os.write(3, (json.dumps(what) + "\n").encode())


def pin(worker):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[worker % len(cores)]})


def compiled(program):
    with open(program, "rb") as file:
        return compile(file.read(), program, "exec")


def run(code, program):
    """The program's globals; what it raises, but for a sys.exit that says all is well."""
    names = {"__name__": "__main__", "__file__": program, "__builtins__": __builtins__}
    try:
        exec(code, names)
    except SystemExit as end:
        if end.code not in (None, 0):
            raise RuntimeError("the program ended with status %s" % end.code)
    return names


def work(worker, pinned, program, arguments, ready, done, release, times, failed):
    """One worker, whatever it is made of."""
    try:
        if pinned:
            pin(worker)
        sys.path[0] = os.path.dirname(os.path.abspath(program))
        sys.argv = [program] + arguments
        code = compiled(program)
        ready.wait(LIMIT_SECONDS)
        begin = time.monotonic()
        names = run(code, program)
        times.put((begin, time.monotonic()))
        done.wait(LIMIT_SECONDS)
        release.wait(LIMIT_SECONDS)
        del names
    except threading.BrokenBarrierError:
        pass
    except BaseException as error:  # whatever a program may raise
        failed.put("%s: %s" % (type(error).__name__, error))
        ready.abort()
        done.abort()


def interpreter(worker, pinned, program, arguments, ready, done, release, times, failed):
    """A worker that is an isolated interpreter with a lock of its own, in a thread."""
    try:
        try:
            import _interpreters as made
            number = made.create("isolated")
        except ImportError:
            import _xxsubinterpreters as made
            number = made.create()
        if pinned:
            pin(worker)
        prepare = ("import sys\nsys.path[0:0] = [%r]\nsys.argv = %r\n"
                   "code = compile(open(%r, 'rb').read(), %r, 'exec')\n"
                   % (os.path.dirname(os.path.abspath(program)), [program] + arguments, program,
                      program))
        check(made.run_string(number, prepare))
        ready.wait(LIMIT_SECONDS)
        begin = time.monotonic()
        check(made.run_string(number, "names = {'__name__': '__main__', '__file__': %r}\n"
                                      "try:\n exec(code, names)\n"
                                      "except SystemExit as end:\n"
                                      " if end.code not in (None, 0): raise RuntimeError("
                                      "'the program ended with status %%s' %% end.code)"
                                      % program))
        times.put((begin, time.monotonic()))
        done.wait(LIMIT_SECONDS)
        release.wait(LIMIT_SECONDS)
        made.destroy(number)
    except threading.BrokenBarrierError:
        pass
    except BaseException as error:
        failed.put("%s: %s" % (type(error).__name__, error))
        ready.abort()
        done.abort()


def check(problem):
    """3.13 returns what was raised, 3.12 raises it."""
    if problem is not None:
        raise RuntimeError("%s: %s" % (getattr(problem.type, "__name__", "error"), problem.msg))


def main():
    model, count, pinned, program = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1", sys.argv[4]
    arguments = sys.argv[5:]
    # What the program prints is nobody's.
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    begin = time.monotonic()
    target = work
    if model in ("threads", "interpreters"):
        import queue
        if model == "interpreters":
            if sys.version_info < (3, 12):
                return tell(error="interpreters with a lock of their own came with 3.12")
            target = interpreter
        ready, done = threading.Barrier(count + 1), threading.Barrier(count + 1)
        release, times, failed = threading.Event(), queue.Queue(), queue.Queue()
        make = threading.Thread
    else:
        import multiprocessing
        context = multiprocessing.get_context(model)
        ready, done = context.Barrier(count + 1), context.Barrier(count + 1)
        release, times, failed = context.Event(), context.SimpleQueue(), context.Queue()
        make = context.Process
    workers = [make(target=target, daemon=True,
                    args=(worker, pinned, program, arguments, ready, done, release, times, failed))
               for worker in range(count)]
    try:
        for worker in workers:
            worker.start()
        ready.wait(LIMIT_SECONDS)
        tell(ready=time.monotonic() - begin)
        done.wait(LIMIT_SECONDS)
        # One clock for all processes. From the first that began to the last that ended.
        spans = [times.get() for _ in workers]
        tell(done=max(end for _, end in spans) - min(start for start, _ in spans))
        os.read(4, 1)
        release.set()
        for worker in workers:
            worker.join()
    except threading.BrokenBarrierError:
        tell(error=failed.get(timeout=10))
        os._exit(1)


if __name__ == "__main__":
    main()

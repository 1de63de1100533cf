"""Interpreters with a lock and a pymalloc of their own, at work at the same time
(CPython 3.12 and later). Prints how many there were."""
import sys
import threading

if sys.version_info >= (3, 13):
    import _interpreters
    RUN = _interpreters.exec
else:
    import _xxsubinterpreters as _interpreters
    RUN = _interpreters.run_string

INTERPRETERS = 4

WORK = """
import json, random
random.seed({seed})
kept = []
for turn in range(40):
    table = [{{str(i): ['x' * random.randrange(600) for _ in range(i % 20)]}}
             for i in range(1000)]
    kept.append(json.loads(json.dumps(table))[::30])
    if turn % 10 == 9:
        kept = kept[::2]
"""


def main():
    numbers = [_interpreters.create() for _ in range(INTERPRETERS)]
    threads = [threading.Thread(target=RUN, args=(number, WORK.format(seed=number)))
               for number in numbers]
    for thread in threads:
        thread.start()
    # One interpreter comes and goes while the others work.
    for seed in range(3):
        number = _interpreters.create()
        RUN(number, "kept = [str(i) for i in range(50000)]")
        _interpreters.destroy(number)
    mine = [(i, str(i)) for i in range(300000)]
    for thread in threads:
        thread.join()
    for number in numbers:
        _interpreters.destroy(number)
    print(len(mine) and len(numbers))


if __name__ == "__main__":
    main()

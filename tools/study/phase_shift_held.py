#!/usr/bin/env python3
"""What pymalloc holds at the end of workloads/phase_shift.py, by its own word.

    tools/study/phase_shift_held.py

Writes workloads/study/phase_shift_held.json: for each interpreter, arenas and
live blocks in bytes, as sys._debugmallocstats() prints them at the last valley
of an untraced run. Nothing of this project takes part in it.
"""
import os
import re
import subprocess

import interpreters
import raw_results

# The program as it is, except that it prints the statistics when it would
# sleep for the last time.
_DRIVER = """\
import sys
sys.path.insert(0, {folder!r})
sys.argv[1:] = {arguments!r}
import phase_shift
class Clock:
    left = len(phase_shift.PHASES)
    def sleep(self, seconds):
        self.left -= 1
        if not self.left:
            sys._debugmallocstats()
phase_shift.time = Clock()
phase_shift.main()
"""


def held(python, *arguments):
    """(arena bytes, bytes in live blocks) at the last valley."""
    driver = _DRIVER.format(folder=os.path.join(raw_results.ROOT, "workloads"),
                            arguments=list(arguments))
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    said = subprocess.run([python, "-c", driver], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True,
                          env=environment).stderr
    arenas = re.search(r"(\d+) arenas \* (\d+) bytes/arena", said)
    live = re.search(r"# bytes in allocated blocks\s*=\s*([\d,]+)", said)
    return int(arenas.group(1)) * int(arenas.group(2)), int(live.group(1).replace(",", ""))


def main():
    rows = []
    for version, python in interpreters.interpreters().items():
        arena_bytes, live_bytes = held(python)
        rows.append({"python": version, "arena_bytes": arena_bytes, "live_bytes": live_bytes})
    raw_results.write("phase_shift_held", rows)


if __name__ == "__main__":
    main()

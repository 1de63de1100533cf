#!/usr/bin/env python3
"""pandas frames that come in bursts: read, grouped, joined, dropped.

Reveals: large buffers, which are the C library's, beside millions of small
objects from text columns, which are pymalloc's.

Wants pandas (Debian: python3-pandas); exits 3 where it is not installed.

--size N  rows of each frame.
"""
import argparse
import io
import sys
import time

try:
    import pandas
except ImportError:
    sys.stderr.write("pandas_service: this interpreter has no pandas\n")
    sys.exit(3)

BURSTS = 3
FRAMES = 4
IDLE_SECONDS = 0.4


def text(rows, seed):
    lines = ["key,name,value"]
    for row in range(rows):
        lines.append("%d,name %d,%d.5" % (row % 101, (row * seed) % 977, row))
    return "\n".join(lines)


parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=6000)
size = parser.parse_args().size
summaries = []
for burst in range(BURSTS):
    frames = [pandas.read_csv(io.StringIO(text(size, seed))) for seed in range(2, 2 + FRAMES)]
    joined = frames[0].merge(frames[1], on="key").head(size)
    groups = joined.groupby("name_x")["value_x"].agg(["mean", "max", "count"])
    summaries.append(groups.sort_values("mean").head(20).to_dict())
    rows = frames[2].to_dict("records")
    total = sum(row["value"] for row in rows)
    del frames, joined, groups, rows
    time.sleep(IDLE_SECONDS)
print("pandas_service: %d bursts, %.1f the last total" % (len(summaries), total))

"""The raw results behind the published tables: workloads/study/NAME.json.

Each file says how it was made, on what machine and how busy that was, and
holds one row a measurement: {"command", "date", "machine", "rows": [...]}.
"""
import json
import os
import platform
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
ARENALAB = os.path.join(ROOT, "tools/arenalab")
FOLDER = os.path.join(ROOT, "workloads/study")

# What a workload wants beside the standard library.
APPLICATIONS = {"django_requests": "django", "sympy_algebra": "sympy"}


def workload(name):
    return os.path.join(ROOT, "workloads", name + ".py")


def machine():
    with open("/proc/cpuinfo") as file:
        cpu = next((line.partition(":")[2].strip() for line in file
                    if line.startswith("model name")), "unknown")
    return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "libc": " ".join(platform.libc_ver()), "load_average": os.getloadavg()[0]}


def write(name, rows):
    """Writes the rows, one a line, so that a new measurement is a short diff."""
    head = {"command": " ".join(["tools/study/" + os.path.basename(sys.argv[0])] + sys.argv[1:]),
            "date": time.strftime("%Y-%m-%d", time.gmtime()), "machine": machine()}
    path = os.path.join(FOLDER, name + ".json")
    text = json.dumps(head, indent=1)[:-2] + ",\n \"rows\": [\n"
    text += ",\n".join("  " + json.dumps(row) for row in rows) + "\n ]\n}\n"
    with open(path, "w") as file:
        file.write(text)
    sys.stderr.write(path + "\n")


def read(name):
    """The file's object, or None where it was not measured yet."""
    path = os.path.join(FOLDER, name + ".json")
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return json.load(file)

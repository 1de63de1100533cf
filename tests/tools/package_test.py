"""The archive of ./tools/package, unpacked where there is nothing but python3: a
bare Debian 12 and a bare Debian 11, made here by debootstrap."""
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import xml_report

ROOT = os.path.dirname(os.path.realpath("WORKSPACE"))
MINUTES = 60

# Within a mount namespace of its own: nothing is left mounted, whatever happens.
ENTER = """\
mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" || exit 77
exec chroot "$1" env -i PATH=/usr/bin:/bin HOME=/opt sh -c "$2"
"""

WORK = """\
set -e
cd /opt
arenalab=$(echo /opt/arenalab-*/arenalab)
workload=$(echo /opt/arenalab-*/workloads/json_round_trips.py)
$arenalab record -f -o t.trace -- python3 "$workload" --size 100 >&2
$arenalab verify t.trace
$arenalab verify --self-test t.trace >&2
$arenalab stats t.trace >&2
for allocator in pymalloc system; do
  $arenalab exec --allocator $allocator -- python3 -c 'print("ran")'
done
"""

REPLAY = """\
set -e
cd /opt
arenalab=$(echo /opt/arenalab-*/arenalab)
$arenalab replay t.trace --repetitions 1 -f -o t.json
$arenalab report t.json -f -o t.html
for allocator in mimalloc jemalloc; do
  $arenalab exec --allocator $allocator -- python3 -c 'print("ran")'
done
$arenalab doctor
"""


def mirror():
    for path in (glob.glob("/etc/apt/sources.list.d/*")
                 + ["/etc/apt/sources.list"]):
        if os.path.isfile(path):
            with open(path) as file:
                for url in re.findall(r"^(?:URIs: |deb )(?:\[.*\] )?(https?://\S+)",
                                      file.read(), re.M):
                    if url.rstrip("/").endswith("/debian"):
                        return url
    return "http://deb.debian.org/debian"


class PackageTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="arenalab-package-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.archive = cls.pack("one.tar.gz")
        subprocess.check_call(["tar", "-xzf", cls.archive, "-C", cls.folder])
        cls.tree, = glob.glob(os.path.join(cls.folder, "arenalab-*"))

    @classmethod
    def pack(cls, name):
        path = os.path.join(cls.folder, name)
        told = subprocess.check_output(
            [os.path.join(ROOT, "tools/package"), "--no-build", "-o", path])
        assert told.decode().splitlines()[-1] == path, told
        return path

    def bare(self, release):
        """A new bare system's folder with the archive's content in it."""
        if os.geteuid() != 0:
            self.skipTest("not root: no chroot")
        if shutil.which("debootstrap") is None:
            self.skipTest("debootstrap is not installed")
        system = os.path.join(self.folder, release)
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=python3", release,
             system, mirror()],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=20 * MINUTES)
        if made.returncode != 0:
            self.skipTest("debootstrap %s failed: %s" % (
                release, made.stdout.decode().splitlines()[-1:]))
        shutil.copytree(self.tree, os.path.join(
            system, "opt", os.path.basename(self.tree)), symlinks=True)
        return system

    def enter(self, system, script, status=0):
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "sh", "-c", ENTER, "sh",
             system, script],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=10 * MINUTES)
        if done.returncode == 77:
            self.skipTest("no mounting here: " + done.stderr.decode())
        self.errors = done.stderr.decode()
        text = done.stdout.decode()
        self.assertEqual(done.returncode, status, text + self.errors)
        return text

    def test_the_same_source_gives_the_same_bytes(self):
        with open(self.archive, "rb") as one:
            with open(self.pack("two.tar.gz"), "rb") as two:
                self.assertEqual(one.read(), two.read())

    def test_every_file_needs_what_the_list_says_and_no_more(self):
        needs = {}
        with open(os.path.join(self.tree, "NEEDS")) as file:
            for line in file:
                path, glibc, *libraries = line.split()
                needs[path] = (glibc, libraries)
        self.assertEqual(needs["tools/cli/arenalab"], ("-", ["nothing"]))
        for path, (glibc, libraries) in needs.items():
            for library in libraries:
                if not library.startswith(("libc.", "libm.", "nothing")):
                    self.assertTrue(os.path.exists(os.path.join(
                        self.tree, os.path.dirname(path), library)), path)
        for name in ("tracer/preload/libarenalab_trace.so",
                     "allocators/preload/libarenalab_pymalloc.so",
                     "allocators/preload/libarenalab_system.so"):
            version = tuple(map(int, needs[name][0].split("_")[1].split(".")))
            self.assertLessEqual(version, (2, 17), name)

    def test_all_of_it_runs_in_a_bare_debian_12(self):
        system = self.bare("bookworm")
        text = self.enter(system, WORK)
        self.assertIn("equal: every address", text)
        self.assertEqual(text.count("ran\n"), 2)
        text = self.enter(system, REPLAY)
        self.assertIn("0 mismatches", text)
        self.assertEqual(text.count("ran\n"), 2)
        self.assertIn("nothing is in the way", text)

    def test_recorder_and_proof_run_in_a_bare_debian_11(self):
        system = self.bare("bullseye")
        text = self.enter(system, WORK)
        self.assertIn("equal: every address", text)
        self.assertEqual(text.count("ran\n"), 2)
        # Its glibc is older than the one that the workers were linked with.
        text = self.enter(system, "/opt/arenalab-*/arenalab doctor", status=1)
        self.assertIn("glibc is older", text)


if __name__ == "__main__":
    xml_report.main()

"""The libraries as files: what they need and what they show."""
import re
import subprocess
import unittest

import xml_report

FOLDER = "allocators/preload/"
OWN = {"getenv", "getrandom", "sigaction", "execve", "execv", "execvpe", "execvp", "fexecve",
       "posix_spawn", "posix_spawnp"}
MALLOC = {"malloc", "free", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc",
          "posix_memalign", "valloc", "pvalloc", "malloc_usable_size"}


def readelf(name, *options):
    return subprocess.check_output(
        ["readelf", "-W", *options, FOLDER + "libarenalab_%s.so" % name]).decode()


def needed(name):
    return set(re.findall(r"NEEDED.*\[(.*)\]", readelf(name, "-d")))


class Libraries(unittest.TestCase):

    def test_need_the_c_library_and_the_allocator_only(self):
        for name in ("pymalloc", "system", "pass-through", "observer", "library"):
            with self.subTest(library=name):
                self.assertEqual(needed(name), {"libc.so.6"})
        self.assertEqual(needed("mimalloc"), {"libmimalloc.so.2", "libc.so.6"})
        self.assertEqual(needed("jemalloc"), {"libm.so.6", "libc.so.6"})

    def test_need_no_symbol_newer_than_glibc_2_17(self):
        # But for jemalloc: what Debian's archive was compiled against.
        for name in ("pymalloc", "mimalloc", "system", "pass-through", "library"):
            with self.subTest(library=name):
                versions = {tuple(map(int, version.split("."))) for version in
                            re.findall(r"GLIBC_([\d.]+)", readelf(name, "--dyn-syms"))}
                self.assertTrue(versions)
                self.assertLessEqual(max(versions), (2, 17))

    def test_show_only_what_they_stand_in_for(self):
        for name in ("pymalloc", "mimalloc", "jemalloc", "system", "pass-through", "library"):
            with self.subTest(library=name):
                shown = {fields[7] for fields in
                         (line.split() for line in readelf(name, "--dyn-syms").splitlines())
                         if len(fields) == 8 and fields[4] in ("GLOBAL", "WEAK")
                         and fields[6] != "UND"}
                self.assertEqual(shown, OWN | (MALLOC if name == "library" else set()))

    def test_the_clones_thread_local_memory_is_a_few_bytes_of_the_static_block(self):
        sizes = [int(line.split()[5], 16) for line in readelf("pymalloc", "-l").splitlines()
                 if line.split()[:1] == ["TLS"]]
        self.assertEqual(len(sizes), 1)
        self.assertLessEqual(sizes[0], 64)
        self.assertNotIn("__tls_get_addr", readelf("pymalloc", "--dyn-syms"))

    def test_lie_away_from_where_they_would_shift_other_mappings(self):
        first = next(line.split() for line in readelf("pymalloc", "-l").splitlines()
                     if line.split()[:1] == ["LOAD"])
        self.assertEqual(int(first[2], 16), 0x300000000000)


if __name__ == "__main__":
    xml_report.main()

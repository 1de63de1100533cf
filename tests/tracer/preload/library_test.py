"""The preload library as a file: what it needs and what it shows."""
import re
import subprocess
import unittest

import xml_report

LIBRARY = "tracer/preload/libarenalab_trace.so"


def readelf(*options):
    return subprocess.check_output(["readelf", "-W", *options, LIBRARY]).decode()


class LibraryTest(unittest.TestCase):

    def test_needs_the_c_library_only(self):
        needed = re.findall(r"NEEDED.*\[(.*)\]", readelf("-d"))
        self.assertEqual(needed, ["libc.so.6"])

    def test_needs_no_symbol_newer_than_glibc_2_17(self):
        versions = {tuple(map(int, version.split(".")))
                    for version in re.findall(r"GLIBC_([\d.]+)",
                                              readelf("--dyn-syms"))}
        self.assertTrue(versions)
        self.assertLessEqual(max(versions), (2, 17))

    def test_shows_only_what_it_stands_in_for(self):
        shown = {fields[7] for fields in
                 (line.split() for line in readelf("--dyn-syms").splitlines())
                 if len(fields) == 8 and fields[4] in ("GLOBAL", "WEAK")
                 and fields[6] != "UND"}
        self.assertEqual(shown, {
            "malloc", "free", "calloc", "realloc", "reallocarray", "memalign",
            "aligned_alloc", "posix_memalign", "valloc", "pvalloc",
            "pthread_create", "getenv",
            # For a program that marks its own trace.
            "arenalab_mark"})

    def test_thread_local_memory_is_a_few_bytes_of_the_static_block(self):
        sizes = [int(line.split()[5], 16)
                 for line in readelf("-l").splitlines()
                 if line.split()[:1] == ["TLS"]]
        self.assertEqual(len(sizes), 1)
        self.assertLessEqual(sizes[0], 64)
        self.assertIn("STATIC_TLS", readelf("-d"))
        self.assertNotIn("__tls_get_addr", readelf("--dyn-syms"))

    def test_no_dynamic_initialiser_but_the_one_constructor(self):
        # Another would run after the first allocations and wipe what they left.
        pointers = re.search(r"\.init_array\s+INIT_ARRAY\s+\S+\s+\S+\s+(\w+)",
                             readelf("-S"))
        # The compiler's own frame_dummy and ours.
        self.assertEqual(int(pointers[1], 16), 2 * 8)


if __name__ == "__main__":
    xml_report.main()

"""The study's own arithmetic, by hand, from inputs small enough to do so."""
import os
import unittest

import lifetimes
import study
import study_tables
import xml_report

KIB = 1 << 10


class LifetimesTest(unittest.TestCase):

    DUMP = """\
malloc 0 100 site=a.py:1:f
malloc 1 200 domain=raw
malloc 2 300 site=a.py:2:g
realloc 2 400 site=a.py:9:h
free 0 type=str
malloc 0 512 site=a.py:1:f
malloc 3 600 site=a.py:3:big
mark finalise
free 2
""".splitlines(keepends=True)

    def test_objects_are_the_small_ones_of_python_and_a_realloc_keeps_one(self):
        objects, clock = lifetimes.objects_of(self.DUMP)
        # 100, 300, 400 as it grows, 512, 600; the raw domain is not Python's.
        self.assertEqual(clock, 1912)
        self.assertEqual([(one.born, one.bytes, one.site, one.type, one.lifetime)
                          for one in objects],
                         [(100, 100, "a.py:1:f", "str", 700),
                          (400, 400, "a.py:2:g", None, None),  # freed by the end: alive
                          (1312, 512, "a.py:1:f", None, None)])

    def one(self, born, site, lifetime):
        one = lifetimes.Object(born, 64, site)
        one.lifetime = lifetime
        return one

    def test_a_fate_is_known_when_it_has_come(self):
        arena = lifetimes.SHORT_BYTES
        short, long = self.one(0, "s", 10), self.one(0, "l", arena + 1)
        self.assertIs(lifetimes.fate(short, 10), True)
        self.assertIsNone(lifetimes.fate(short, 9))
        self.assertIsNone(lifetimes.fate(long, arena))
        self.assertIs(lifetimes.fate(long, 2 * arena), False)
        self.assertIs(lifetimes.fate(self.one(0, "n", None), arena + 1), False)

    def test_the_table_of_the_first_half_is_judged_on_the_second(self):
        arena = lifetimes.SHORT_BYTES
        end = 20 * arena
        objects = [self.one(0, "s", 1), self.one(1, "s", 1), self.one(2, "l", None),
                   self.one(11 * arena, "s", 1), self.one(11 * arena, "l", None),
                   self.one(12 * arena, "new", None)]
        told = lifetimes.predictors(objects, end)
        self.assertEqual((told["nothing"]["tested"], told["nothing"]["right"]), (3, 1))
        # A line that was never seen is called what most were: short, and is not.
        self.assertEqual((told["site"]["right"], told["site"]["long_found"],
                          told["site"]["long"], told["site"]["never_seen"]), (2, 1, 2, 1))

    def test_doubt_is_a_bit_where_both_fates_are_as_common(self):
        self.assertEqual(lifetimes.entropy(5, 10), 1)
        self.assertEqual(lifetimes.entropy(10, 10), 0)
        self.assertEqual(lifetimes.entropy(0, 10), 0)


class PiecesTest(unittest.TestCase):

    def test_each_piece_is_a_program_and_needs_something_known(self):
        folder = os.path.dirname(os.path.realpath(study.__file__))
        for name, _, need in study.PIECES:
            self.assertTrue(os.access(os.path.join(folder, name + ".py"), os.X_OK), name)
            self.assertIn(need, ("computed", "bytes", "times"))

    def test_a_piece_that_is_not_there_is_named(self):
        before, study.sys.argv = study.sys.argv, ["study.py", "replays", "nonsense"]
        self.addCleanup(setattr, study.sys, "argv", before)
        with self.assertRaisesRegex(SystemExit, "no piece nonsense; there are .*replays"):
            study.main()


class TablesTest(unittest.TestCase):

    def test_ratios_are_per_trace_and_their_mean_is_geometric(self):
        rows = [{"trace": trace, "settings": settings, "held": held}
                for trace, settings, held in (("a", "", 10), ("a", "x", 20), ("b", "", 40),
                                              ("b", "x", 20), ("c", "", 0), ("c", "x", 5),
                                              ("d", "", 5), ("d", "x", 0))]
        found = study_tables.ratios(rows, "x", "held")
        self.assertEqual(found, {"a": 2, "b": 0.5})
        self.assertEqual(study_tables.geometric_mean(found.values()), 1)

    def test_a_unit_stays_where_one_of_its_blocks_does(self):
        # Two blocks in it, each survives by half: kept three times in four.
        share, kept = study_tables.kept_share(4 * KIB, 2000, 0.5)
        self.assertEqual((share, kept), (0.75, 0.75 * 4 * KIB / 2))
        self.assertEqual(study_tables.kept_share(4 * KIB, 4000, 0.25)[0], 0.25)


if __name__ == "__main__":
    xml_report.main()

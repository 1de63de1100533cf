"""As dump_test.py, of five more kinds of programs."""
from dump_test import Dump
import xml_report


class DumpMore(Dump):

    KINDS = ("mixed", "numbers", "closures", "deque", "parsed")


del Dump

if __name__ == "__main__":
    xml_report.main()

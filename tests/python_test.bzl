"""python_test: a test program in Python, run by the python3 of PATH.

Bazel's own py_test starts `python`, which a bare Debian does not have, and is
gone from newer Bazels.
"""

def python_test(name, srcs, data = [], **kwargs):
    """A test of one Python program (the first of srcs) that ends in xml_report.main().

    Args:
      name: the test's name.
      srcs: the program and the modules it imports; each one's folder is searched.
      data: files it reads, by path from the root of the repository.
      **kwargs: tags, size and so on, as of any test.
    """
    native.sh_test(
        name = name,
        srcs = ["//tests:python_test.sh"],
        args = ["$(location %s)" % src for src in srcs],
        data = srcs + data + ["//tests:xml_report.py"],
        **kwargs
    )

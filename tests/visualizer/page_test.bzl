"""page_test: a test program for Node's own test runner.

Where the page's tools are missing the test still exists, says so and counts as
skipped.
"""

load("@page_tools//:defs.bzl", "PAGE_TOOLS_FOUND")

def page_test(name, main, data = [], tags = [], **kwargs):
    """A test of one ES module that calls node:test.

    Args:
      name: the test's name.
      main: the module, a file of this package.
      data: what it imports and opens.
      tags: as of any test.
      **kwargs: as of any test.
    """
    native.sh_test(
        name = name,
        srcs = ["page_test.sh"],
        args = ["$(location %s)" % main] if PAGE_TOOLS_FOUND else ["none"],
        data = [main] + ([
            "xml_reporter.mjs",
            "@page_tools//:node_modules",
        ] + data if PAGE_TOOLS_FOUND else []),
        tags = tags,
        **kwargs
    )

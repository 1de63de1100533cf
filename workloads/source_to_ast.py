#!/usr/bin/env python3
"""Python source parsed, walked and compiled.

Reveals: a compiler's shape. Each file makes tens of thousands of nodes at
once, which die together, and a few code objects, which stay. The parser's own
arena and the symbol tables go through PyMem too. The source is the
interpreter's own library, so versions read different text.

--size N  files to compile (the list is gone through again where it ends).
"""
import argparse
import ast
import os


def library_files():
    """The plain modules of the library, largest last."""
    folder = os.path.dirname(ast.__file__)
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))
             if name.endswith(".py") and not name.startswith("_")]
    return [path for path in paths if os.path.getsize(path) < 80000]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=120, metavar="N")
    size = parser.parse_args().size
    files = library_files()
    kept, nodes = [], 0
    for number in range(size):
        path = files[number % len(files)]
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read(), path)
        nodes += sum(1 for _ in ast.walk(tree))
        kept.append(compile(tree, path, "exec"))
    print("source_to_ast: %d files, %d nodes, %d code objects" % (size, nodes, len(kept)))


if __name__ == "__main__":
    main()

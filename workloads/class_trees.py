#!/usr/bin/env python3
"""Trees of class instances, grown, pruned and thrown away.

Reveals: how the layout of instances moved between versions. 3.6 gives each
node a dict; 3.11 and later keep the values inline, 3.13 inside the object; the
same program asks for other sizes and other numbers of blocks. The trees have
cycles (a child knows its parent), so memory comes back in the strides of the
cycle collector.

--size N  nodes of each tree; four trees are grown at once, five times.
"""
import argparse
import random


class Node:
    """A binary search tree's node."""

    def __init__(self, key, parent):
        self.key = key
        self.label = "n%d" % key
        self.parent = parent
        self.left = None
        self.right = None


class Leaf:
    """What a slot costs instead: no dict in any version."""

    __slots__ = ("key", "weight")

    def __init__(self, key):
        self.key = key
        self.weight = float(key)


def grow(rng, size):
    root = Node(rng.getrandbits(30), None)
    for _ in range(size - 1):
        key, node = rng.getrandbits(30), root
        while True:
            side = "left" if key < node.key else "right"
            child = getattr(node, side)
            if child is None:
                setattr(node, side, Node(key, node))
                break
            node = child
    return root


def prune(root):
    """Replaces each node without children by a Leaf; returns how many."""
    replaced, stack = 0, [root]
    while stack:
        node = stack.pop()
        for side in ("left", "right"):
            child = getattr(node, side)
            if child is None:
                continue
            if child.left is None and child.right is None:
                setattr(node, side, Leaf(child.key))
                replaced += 1
            else:
                stack.append(child)
    return replaced


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=20000, metavar="N")
    size = parser.parse_args().size
    rng = random.Random(2)
    leaves = 0
    for _ in range(5):
        trees = [grow(rng, size) for _ in range(4)]
        leaves += sum(prune(tree) for tree in trees)
        del trees[1:]
    print("class_trees: %d trees of %d nodes, %d leaves" % (20, size, leaves))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""SymPy doing algebra: expand, factor, integrate, differentiate, solve.

Reveals: a large library's own life. Importing it makes hundreds of thousands
of blocks that stay; each problem builds trees of small immutable objects,
many of which SymPy's caches keep until the caches are cleared at the end of a
round. What the caches held is then spread over all arenas.

Wants SymPy (Debian: python3-sympy); exits 3 where it is not installed.

--size N  problems.
"""
import argparse
import random
import sys

try:
    import sympy
    from sympy.core.cache import clear_cache
except ImportError:
    sys.stderr.write("sympy_algebra: this interpreter has no SymPy\n")
    sys.exit(3)


def polynomial(rng, x, degree):
    return sum(rng.randrange(-9, 10) * x ** power for power in range(degree)) + x ** degree


def problem(rng, number):
    """One problem with its proof; returns the number of operations of it."""
    x, y = sympy.symbols("x y")
    kind = number % 4
    if kind == 0:
        left, right = polynomial(rng, x, 6), polynomial(rng, x, 5)
        product = sympy.expand(left * right)
        assert sympy.rem(product, left, x) == 0
        return sympy.factor(product).count_ops()
    if kind == 1:
        function = polynomial(rng, x, 5) * sympy.exp(rng.randrange(1, 5) * x)
        integral = sympy.integrate(function, x)
        assert sympy.expand(sympy.diff(integral, x) - function) == 0
        return integral.count_ops()
    if kind == 2:
        power = sympy.expand((x + rng.randrange(1, 9) * y + 1) ** 8)
        assert power.subs({x: 0, y: 0}) == 1
        return power.count_ops()
    roots = [rng.randrange(-9, 10) for _ in range(3)]
    equation = sympy.expand(sympy.prod([x - root for root in roots]))
    assert set(sympy.solve(equation, x)) == set(roots)
    return equation.count_ops()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=120, metavar="N")
    size = parser.parse_args().size
    rng = random.Random(8)
    operations = 0
    for number in range(size):
        operations += problem(rng, number)
        if number % 40 == 39:
            clear_cache()
    print("sympy_algebra: %d problems, %d operations" % (size, operations))


if __name__ == "__main__":
    main()

"""The measurement of a large book (million.py), with a small one: the state is the same after a restart and after kill -9, and
an open order costs no more than it may."""

import unittest

import million
from support import program


MEMORY = 3000  # bytes an open order; a small book has its share of what is there without it
SANITIZED = 20000


def limit():
    with open(program("crossdock-broker"), "rb") as file:
        code = file.read()
    return SANITIZED if b"__asan_init" in code or b"__tsan_init" in code else MEMORY


class Small(unittest.TestCase):
    def test_restart_and_kill(self):
        figures = {(case, metric): value for case, metric, value, _ in million.measure(6000, 500)}
        self.assertLess(figures["load", "memory an open order"], limit())
        self.assertLess(figures["stop", "snapshot an open order"], 300)
        self.assertLess(figures["restart", "until ready"], 10)


if __name__ == "__main__":
    unittest.main()

"""The measurement of a large book (million.py), with a small one: the state is the same after a restart and after kill -9, and
an open order costs no more than it may."""

import unittest

import million


class Small(unittest.TestCase):
    def test_restart_and_kill(self):
        figures = {(case, metric): value for case, metric, value, _ in million.measure(6000, 500)}
        self.assertLess(figures["load", "memory an open order"], 4000)
        self.assertLess(figures["stop", "snapshot an open order"], 300)
        self.assertLess(figures["restart", "until ready"], 10)


if __name__ == "__main__":
    unittest.main()

"""Real order books through the wire: the 32 instances of ../shared/data/dpdp, no promise broken, judged from the events alone."""

import time
import unittest

import dpdp
import play


@unittest.skipUnless(dpdp.available(), "no order books: %s is not here" % dpdp.DATA)
class Instances(unittest.TestCase):
    def test_no_promise_is_broken(self):
        """All of them, the large ones last; with a small XD_TEST_SCALE only the first."""
        folders = dpdp.instances()
        for folder in folders[:max(1, round(len(folders) * min(1, play.SCALE)))]:
            with self.subTest(folder.name):
                started = time.monotonic()
                market, checker = dpdp.run(folder)
                print(dpdp.report(folder, market, checker, time.monotonic() - started), flush=True)
                self.assertEqual(checker.report.lines, [])
                self.assertGreater(len(checker.book.matches), 0.9 * sum(not order.offer for order in checker.book.orders.values()))
                unsettled = [match for match in checker.book.matches.values() if match.state != "completed"]
                self.assertEqual(unsettled, [])


if __name__ == "__main__":
    unittest.main()

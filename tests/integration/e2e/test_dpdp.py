"""Real order books through the wire: the instances of ../shared/data/dpdp with up to 2,000 orders; no promise
broken, judged from the events alone."""

import unittest

import dpdp
import play


@unittest.skipUnless(dpdp.available(), "no order books: %s is not here" % dpdp.DATA)
class Instances(unittest.TestCase):
    def check(self, folders):
        for folder in folders[:max(1, round(len(folders) * min(1, play.SCALE)))]:
            with self.subTest(folder.name):
                market, checker = dpdp.run(folder)
                print(dpdp.report(folder, checker, market.seconds), flush=True)
                self.assertEqual(checker.report.lines, [])
                requests = sum(not order.offer for order in checker.book.orders.values())
                self.assertGreater(len(checker.book.matches), 0.9 * requests)
                left = [match for match in checker.book.matches.values() if match.state != "completed"]
                self.assertEqual(left, [])

    def test_no_promise_is_broken(self):
        self.check(dpdp.instances(0, 2000))


if __name__ == "__main__":
    unittest.main()

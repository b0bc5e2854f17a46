"""The instances of ../shared/data/dpdp with more than 2,000 orders; apart, so that the two run beside each
other."""

import unittest

import dpdp
import test_dpdp


@unittest.skipUnless(dpdp.available(), "no order books: %s is not here" % dpdp.DATA)
class LargeInstances(unittest.TestCase):
    check = test_dpdp.Instances.check

    def test_no_promise_is_broken(self):
        self.check(dpdp.instances(2001, 1000000))


if __name__ == "__main__":
    unittest.main()

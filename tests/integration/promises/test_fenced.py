"""Promise 5: an owner that has lost its lease commits nothing. The lease of a running broker is taken from it behind its back,
as another process would; what it is given then is refused, and stored nowhere. It may take the partition again, under a
higher epoch. (Of the ledger alone: tests/ledger/test_owner.c.)"""

import os
import sqlite3
import unittest

from support import Broker, Refused, truck_request

TAKEOVERS = ("UPDATE partition SET epoch = epoch + 1, nonce = 4711", "UPDATE partition SET nonce = nonce + 1",
             "UPDATE partition SET epoch = epoch + 1")


class Ledger:
    """The ledger's file, opened beside the broker."""

    def __init__(self, broker):
        self.connection = sqlite3.connect(os.path.join(broker.data, "ledger.db"), isolation_level=None)
        self.connection.execute("PRAGMA wal_autocheckpoint = 0")
        self.connection.execute("PRAGMA busy_timeout = 5000")

    def one(self, sql):
        row = self.connection.execute(sql).fetchone()
        return row if row is None or len(row) > 1 else row[0]

    def stored(self):
        return (self.one("SELECT sum(count) FROM records"), self.one("SELECT sum(count) FROM events"))


class Fenced(unittest.TestCase):
    def test_who_lost_the_lease_commits_nothing(self):
        with Broker() as broker:
            ledger = Ledger(broker)
            with broker.client("acme") as client, broker.client("acme") as watcher:
                watcher.call("subscribe")
                for turn, takeover in enumerate(TAKEOVERS):
                    self.lose_and_regain(broker, ledger, client, watcher, turn, takeover)
            ledger.connection.close()

    def lose_and_regain(self, broker, ledger, client, watcher, turn, takeover):
        client.call("submit", truck_request("before%d" % turn, max_price=1))
        self.assertEqual(watcher.event()["order"]["ref"], "before%d" % turn)
        before = ledger.stored()
        ledger.one(takeover)
        epoch = ledger.one("SELECT epoch FROM partition")

        order = truck_request("after%d" % turn, max_price=1)
        with self.assertRaises(Refused, msg="committed after " + takeover) as caught:
            client.call("submit", order)
        self.assertEqual(caught.exception.code, "fenced")
        self.assertEqual(ledger.stored(), before)
        self.assertEqual(watcher.flush_events(), [])

        broker.wait_log("msg=owning", count=turn + 1)
        self.assertGreater(ledger.one("SELECT epoch FROM partition"), epoch)
        client.call("submit", order)
        self.assertEqual(watcher.event()["order"]["ref"], "after%d" % turn)
        refs = [found["ref"] for found in client.call("orders")["orders"]]
        self.assertEqual(refs, [when + str(i) for i in range(turn + 1) for when in ("before", "after")])


if __name__ == "__main__":
    unittest.main()

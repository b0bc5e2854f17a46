"""Promise 3: a subscriber gets each of its events at least once, in order, whatever happens to its connection; an event told
again is the same event. (A resume that cannot be complete says so: broker/test_feeds.py, Retention.)"""

import random
import unittest

from support import Broker, truck_offer, truck_request

ORDERS = 1200
PER_CALL = 40


def offset_of(cursor):
    return int(cursor.rsplit(".", 1)[1])


class Listener:
    """Follows an account's events, losing its connection now and then and resuming from what it kept last."""

    def __init__(self, broker, account, seed):
        self.broker, self.account = broker, account
        self.draw = random.Random(seed)
        self.heard = {}  # id: event
        self.offsets = []
        self.cursor = None
        self.changed = []
        self.connect()

    def connect(self):
        self.client = self.broker.client(self.account)
        answer = self.client.call("subscribe", {"from": self.cursor or "start"})
        assert answer["recovered"], answer

    def listen(self):
        """Hears what has come. Half the time the connection then ends, and the last few are forgotten, as by one who had not
        yet written down how far it was."""
        self.hear(self.client.flush_events())
        if self.draw.random() < 0.5:
            self.client.close()
            if self.offsets:
                back = self.offsets[-min(len(self.offsets), self.draw.randrange(1, 8))]
                self.cursor = "%s.%d" % (self.cursor.rsplit(".", 1)[0], back)
            self.connect()

    def hear(self, events):
        for event in events:
            if self.heard.setdefault(event["id"], event) != event:
                self.changed.append(event)
            offset = offset_of(event["cursor"]) - 1
            if not self.offsets or offset > self.offsets[-1]:
                self.offsets.append(offset)
            self.cursor = event["cursor"]

    def finish(self, head):
        """Waits for the rest, up to offset `head`."""
        while not self.offsets or self.offsets[-1] < head - 1:
            self.hear([self.client.event()])
        self.client.close()


class Feed(unittest.TestCase):
    def test_nothing_is_missed_over_broken_connections(self):
        with Broker() as broker:
            everything = Listener(broker, "*", 1)
            carrier = Listener(broker, "carrier", 2)
            with broker.client("carrier") as offers, broker.client("shipper") as requests:
                for first in range(0, ORDERS, PER_CALL):
                    names = ["n%d" % i for i in range(first, first + PER_CALL)]
                    offers.call("submit", {"orders": [truck_offer(name, kg=1000) for name in names]})
                    requests.call("submit", {"orders": [truck_request(name) for name in names]})
                    everything.listen()
                    carrier.listen()
            with broker.client("*") as client:
                head = offset_of(client.call("subscribe")["cursor"])
            everything.finish(head)
            own = [identity for identity, event in everything.heard.items() if event["account"] == "carrier"]
            carrier.finish(max(int(identity.rsplit("-", 1)[1]) for identity in own) + 1)
        self.assertEqual(everything.offsets, list(range(head)), "events are missing")
        self.assertEqual(sorted(carrier.heard), sorted(own))
        self.assertEqual(carrier.offsets, sorted(carrier.offsets))
        self.assertEqual(everything.changed + carrier.changed, [], "told again, and not the same")


if __name__ == "__main__":
    unittest.main()

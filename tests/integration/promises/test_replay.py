"""Promise 4: the same log gives the same events, byte for byte, on any instance: at another hour, in another process and
environment, with other batches, and when the log is replayed."""

import itertools
import json
import random
import time
import unittest

from support import NANJING, SHANGHAI, SUZHOU, Broker, run

START = 1893456000  # 2030-01-01T00:00:00Z
DAY = 86400


def orders(draw, count, now, serial):
    for i in range(count):
        offer = draw.random() < 0.4
        order = {"account": "a%d" % draw.randrange(12), "ref": "%s-%d" % (serial, i), "kg": draw.randrange(500, 4000),
                 "kind": "truck", "pallets": draw.randrange(1, 9), "side": "offer" if offer else "request"}
        place = {"lat": round(31 + draw.random() * 2, 5), "lon": round(118 + draw.random() * 3, 5)}
        if offer:
            order.update({"from": draw.choice((SHANGHAI, place)), "available_from": now, "available_until": now + 9 * DAY,
                          "max_detour_km": 400, "per_t_km": 0.31, "per_detour_km": 0.77, "kg": 12000, "pallets": 20})
        else:
            order.update({"from": draw.choice((SUZHOU, place)), "to": NANJING, "pickup_from": now, "pickup_until": now + 2 * DAY,
                          "deliver_until": now + 5 * DAY, "max_price": draw.randrange(100, 1500)})
        if draw.random() < 0.3:
            order.update(confirm="manual", hold_s=draw.randrange(30, 40000))
        yield order


def play(broker, one_by_one):
    """The same commands whatever `one_by_one` says; the bytes of all events and the hash of the state."""
    draw = random.Random(4)
    with broker.client("*") as client:
        now = START
        for serial in range(25):
            client.call("clock", {"set": now})
            wanted = list(orders(draw, 30, now, serial))
            if one_by_one:
                for order in wanted:
                    client.call("submit", order)
            else:
                client.call("submit", {"orders": wanted})
            now += draw.randrange(1, 20000)
        client.call("clock", {"set": now + 3 * DAY})
        return client.call("state_hash")


def told(broker):
    """The ledger's records, and its events, as `crossdock log` prints them."""
    done = run("crossdock", "log", "--data", broker.data)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    return ([line for line in lines if line.startswith('{"record"')], [line for line in lines if line.startswith('{"event"')])


def first_difference(ours, theirs):
    return next(((one, other) for one, other in itertools.zip_longest(ours, theirs) if one != other), None)


class Replay(unittest.TestCase):
    def test_another_instance_tells_the_same(self):
        with Broker("--test-clock", "--keep-log") as first:
            hashed = play(first, False)
            first.stop()
            records, events = told(first)
            time.sleep(1.1)  # no second of the first instance comes back in the other
            with Broker("--test-clock", "--keep-log", "--snapshot-every", "100", env={"TZ": "Asia/Shanghai"}) as second:
                hashed_again = play(second, True)
                second.stop()
                again = told(second)
                self.assertIsNone(first_difference(records, again[0]), "the logs differ: this test is at fault")
                self.assertIsNone(first_difference(events, again[1]))
                self.assertEqual(hashed_again, hashed)
            kinds = {json.loads(line)["type"] for line in events}
            self.assertTrue({"match.confirmed", "match.lapsed", "order.expired"} <= kinds, kinds)

            first.args.append("--rebuild")
            first.start()
            with first.client("*") as client:
                self.assertEqual(client.call("state_hash"), hashed)


if __name__ == "__main__":
    unittest.main()

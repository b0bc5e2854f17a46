"""Promise 8: what a client can make grow has a limit; reaching it is a coded answer, and everybody else is served on. Each limit
has tests of its own (broker/test_frames.py, test_life.py, test_feeds.py, tests/ledger); here they are pressed all at once."""

import struct
import os
import unittest

import msgpack

from support import Broker, Client, Refused, truck_request

MEBIBYTE = 1 << 20
DEAF = 4


def memory(broker):
    with open("/proc/%d/status" % broker.process.pid, encoding="ascii") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM:"))


def deep(levels):
    return b"\x91" * levels + b"\xc0"


class Bounded(unittest.TestCase):
    def test_frames(self):
        """What is too much is refused by its headers, before any of it is kept."""
        head = b"\x94\x00\x00\xa4ping\x91"
        too_much = {"frame_too_large": head + b"\xdb" + struct.pack(">I", 1 << 31),
                    "too_deep": head + deep(64),
                    "too_many_elements": head + b"\xdd" + struct.pack(">I", 200000) + b"\xc0" * 200000}
        with Broker() as broker, broker.client("other") as other:
            before = memory(broker)
            for code, frame in too_much.items():
                with broker.client("acme") as client:
                    client.send_bytes(frame)
                    self.assertEqual(client.notice()["code"], code)
                    self.assertEqual(client.until_closed(), [])
                other.call("ping")
            self.assertLess(memory(broker) - before, 16 * MEBIBYTE)

    def test_counts(self):
        with Broker("--max-connections", "5", "--max-orders", "50") as broker, broker.client("acme") as client:
            clients = [broker.client("acme") for _ in range(4)]
            with Client((broker.host, broker.port)) as one_more:
                self.assertEqual(one_more.notice()["code"], "overloaded")
                one_more.until_closed()
            for extra in clients:
                extra.close()
            with self.assertRaises(Refused) as caught:
                client.call("submit", {"orders": [truck_request("t%d" % i) for i in range(1001)]})
            self.assertEqual((caught.exception.code, caught.exception.field), ("too_many_orders", "orders"))
            results = client.call("submit", {"orders": [truck_request("o%d" % i, max_price=1) for i in range(60)]})["results"]
            self.assertEqual([result.get("error", {}).get("code") for result in results], [None] * 50 + ["book_full"] * 10)

    @unittest.skipIf(os.environ.get("XD_SANITIZE"), "a sanitizer's allocator keeps what was freed: nothing to measure")
    def test_those_who_ask_and_never_read(self):
        """Long answers asked for and left lying, on several connections: memory stays within a few mebibytes for each."""
        with Broker("--slow-timeout", "1m") as broker:
            with broker.client("acme") as client:
                for first in range(0, 2000, 1000):
                    orders = [truck_request(("m%d" % i).rjust(64, "-"), max_price=1) for i in range(first, first + 1000)]
                    client.call("submit", {"orders": orders})
            before = memory(broker)
            question = msgpack.packb([0, 1, "orders", [{"limit": 1000}]])
            wrong = msgpack.packb([0, 2, "submit", [{"orders": [{}] * 1000}]])
            deaf = [broker.client("acme", receive_buffer=8192) for _ in range(DEAF)]
            for client in deaf:
                client.sock.settimeout(1)
                try:
                    for _ in range(20):
                        client.send_bytes(question * 100 + wrong * 100)
                except OSError:
                    pass
            with broker.client("acme") as other:
                other.call("ping")
            grown = memory(broker) - before
            for client in deaf:
                client.close()
        self.assertLess(grown / DEAF, 8 * MEBIBYTE, "%d MiB for %d connections" % (grown // MEBIBYTE, DEAF))


if __name__ == "__main__":
    unittest.main()

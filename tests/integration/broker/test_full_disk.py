"""A disk that is full: orders are refused with a code, all else goes on, and it heals without a restart as soon as there is
room. On a small tmpfs; skipped where nothing may be mounted."""

import os
import subprocess
import tempfile
import time
import unittest

from support import Broker, Refused, truck_request

SIZE = 24 << 20
FILLER = 12 << 20


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.mounted = tempfile.mkdtemp(prefix="crossdock-full-")
        self.addCleanup(os.rmdir, self.mounted)
        mount = ["mount", "-t", "tmpfs", "-o", "size=%d" % SIZE, "tmpfs", self.mounted]
        if subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode != 0:
            self.skipTest("nothing may be mounted here")
        self.addCleanup(subprocess.run, ["umount", self.mounted], check=True)
        self.filler = os.path.join(self.mounted, "filler")
        with open(self.filler, "wb") as file:
            file.write(bytes(FILLER))

    def test_refuses_and_heals(self):
        with Broker(data=os.path.join(self.mounted, "data")) as broker, broker.client("acme") as client, \
                broker.client("acme") as watcher:
            watcher.call("subscribe")
            accepted = self.fill(client)
            self.assertGreater(len(accepted), 1000)
            self.go_on_while_full(client)

            os.remove(self.filler)
            again = self.submit_until_taken(client, "refused-first")
            self.assertEqual(client.call("submit", truck_request("refused-first", **SAME)), again)
            accepted["refused-first"] = again["id"]

            heard = {}
            while "refused-first" not in heard:
                event = watcher.event("order.accepted")
                heard[event["order"]["ref"]] = event["order"]["id"]
            self.assertEqual(heard, accepted)
            hashed = client.call("state_hash")["partitions"][0]["hash"]
            broker.kill()
            broker.start()
            with broker.client("acme") as late:
                self.assertEqual(late.call("state_hash")["partitions"][0]["hash"], hashed)

    def test_ends_in_order_while_full(self):
        """SIGTERM then: status 0, and when there is room again all that was accepted is there."""
        with Broker(data=os.path.join(self.mounted, "data")) as broker:
            with broker.client("acme") as client:
                accepted = self.fill(client)
            self.assertEqual(broker.stop(), 0, broker.log())
            os.remove(self.filler)
            broker.start()
            with broker.client("acme") as client:
                there, after = {}, None
                while not there or after:
                    page = client.call("orders", {"limit": 1000, **({"after": after} if after else {})})
                    there.update((order["ref"], order["id"]) for order in page["orders"])
                    after = page["next"]
            self.assertEqual(there, accepted)

    def fill(self, client):
        """Submits until the disk is full; what was accepted until then."""
        accepted, turn = {}, 0
        while True:
            orders = [truck_request("f%d-%d" % (turn, i), **SAME) for i in range(500)]
            try:
                results = client.call("submit", {"orders": orders})["results"]
            except Refused as refused:
                self.assertEqual(refused.code, "storage_full")
                return accepted
            accepted.update((result["ref"], result["id"]) for result in results if "id" in result)
            codes = {result["error"]["code"] for result in results if "error" in result}
            self.assertLessEqual(codes, {"storage_full"})
            if codes:
                return accepted
            turn += 1
            self.assertLess(turn, 200, "it never was full")

    def go_on_while_full(self, client):
        """Refused for as long as it lasts, and nothing else happens to the connection."""
        for _ in range(20):
            with self.assertRaises(Refused) as caught:
                client.call("submit", truck_request("refused-first", **SAME))
            self.assertEqual(caught.exception.code, "storage_full")
            client.call("ping")
            time.sleep(0.1)

    def submit_until_taken(self, client, ref):
        deadline = time.monotonic() + 15
        while True:
            try:
                return client.call("submit", truck_request(ref, **SAME))
            except Refused as refused:
                self.assertIn(refused.code, ("storage_full", "overloaded"))
                self.assertLess(time.monotonic(), deadline, "there is room, and it does not heal")
                time.sleep(0.05)


SAME = {"at": int(time.time()), "max_price": 1, "note": "x" * 200}

if __name__ == "__main__":
    unittest.main()

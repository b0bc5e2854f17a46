"""MessagePack-RPC clients that are not ours speak to the broker: Neovim, and a dozen lines of Python."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

import play
from support import environment, now, truck_offer, truck_request

PYTHON_CLIENT = r"""
import json, msgpack, os, socket
sock = socket.create_connection(os.environ["CROSSDOCK_ADDRESS"].rsplit(":", 1))
messages = msgpack.Unpacker()
def call(number, method, params):
    sock.sendall(msgpack.packb([0, number, method, [params]]))
    return until(lambda message: message[:2] == [1, number])
def until(wanted):
    while True:
        for message in messages:
            if wanted(message):
                return message
        messages.feed(sock.recv(65536))
call(1, "hello", {"account": "python"})
call(2, "subscribe", {"from": "now"})
answer = call(3, "submit", json.loads(os.environ["CROSSDOCK_ORDER"]))
event = until(lambda message: message[0] == 2 and message[2][0]["type"] == "match.confirmed")
print(json.dumps([answer, event]))
"""


class ForeignClients(unittest.TestCase):
    def setUp(self):
        self.broker = play.Broker()
        self.addCleanup(self.stop)
        self.time = now()
        with self.broker.client("fleet") as client:
            client.call("submit", truck_offer("o", self.time))

    def stop(self):
        self.assertEqual(self.broker.stop(), 0, self.broker.log())
        self.broker.own_data.cleanup()

    def environment(self, **more):
        order = dict(truck_request("r", self.time), note="from afar")
        return environment(dict(more, CROSSDOCK_ADDRESS=self.broker.address,
                                CROSSDOCK_ORDER=json.dumps(order)))

    @unittest.skipUnless(shutil.which("nvim"), "nvim is not installed")
    def test_neovim(self):
        with tempfile.TemporaryDirectory(prefix="crossdock-nvim-") as directory:
            output = os.path.join(directory, "said.json")
            script = str(play.HERE.parent / "nvim_client.vim")
            subprocess.run(["nvim", "--headless", "-u", "NONE", "-i", "NONE", "-n", "-S", script], check=True,
                           timeout=60,
                           env=self.environment(CROSSDOCK_OUTPUT=output, HOME=directory),
                           stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with open(output, encoding="utf-8") as file:
                said = json.load(file)
        self.assertNotIn("failed", said)
        self.assertEqual((said["hello"]["account"], said["submitted"]["status"]), ("nvim", "accepted"))
        self.assertTrue(said["subscribed"]["recovered"])
        events = [message[2][0] for message in said["received"] if message[0] == 2]
        self.assertEqual([event["type"] for event in events][:2], ["order.accepted", "match.confirmed"])
        self.assertEqual(events[1]["match"]["request"]["id"], said["submitted"]["id"])
        self.assertEqual([stop["action"] for stop in events[1]["match"]["stops"]], ["pickup", "delivery"])
        self.assertIn("time", said["again"])
        self.assertIn("Error invoking 'submit'", said["refused"])

    def test_a_dozen_lines_of_python(self):
        done = subprocess.run(["/usr/bin/python3", "-c", PYTHON_CLIENT], env=self.environment(), timeout=60,
                              check=True,
                              stdout=subprocess.PIPE, text=True)
        answer, event = json.loads(done.stdout)
        self.assertEqual((answer[:3], answer[3]["status"]), ([1, 3, None], "accepted"))
        self.assertEqual(event[1], "event")
        self.assertEqual(event[2][0]["match"]["request"]["id"], answer[3]["id"])


if __name__ == "__main__":
    unittest.main()

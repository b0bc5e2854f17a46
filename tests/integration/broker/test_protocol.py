"""The example of docs/PROTOCOL.md: the bytes written there are the bytes on the wire."""

import os
import re
import unittest

import msgpack

from support import Broker, Client

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "docs", "PROTOCOL.md")


def messages():
    """("<" or ">", bytes) of each message of the example, in order."""
    with open(DOCUMENT, encoding="utf-8") as file:
        text = file.read().split("## An example, byte by byte")[1]
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"    ([<> ]) ((?:[0-9a-f]{2} ?)+)", line)
        if match and match.group(1) != " ":
            found.append([match.group(1), bytes.fromhex(match.group(2))])
        elif match:
            found[-1][1] += bytes.fromhex(match.group(2))
    return found


class Example(unittest.TestCase):
    def test_every_byte(self):
        with Broker("--test-clock") as broker:
            with broker.client("*") as operator:
                operator.call("clock", {"set": 1893456000})
            with Client((broker.host, broker.port)) as client:
                count = 0
                for direction, data in messages():
                    if direction == ">":
                        client.send_bytes(data)
                        continue
                    came = b""
                    while len(came) < len(data):
                        came += client.sock.recv(len(data) - len(came))
                    self.assertEqual(came, data, msgpack.unpackb(data))
                    count += 1
                self.assertEqual(count, 8)
                self.assertEqual(client.sock.recv(1), b"")


if __name__ == "__main__":
    unittest.main()

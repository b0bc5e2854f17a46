"""Framing: what is no message, and how messages may be cut and strung together."""

import os
import socket
import unittest

import msgpack

from support import Broker, Closed, Refused, truck_request


def setUpModule():
    global broker
    broker = Broker()


def tearDownModule():
    assert broker.stop() == 0, broker.log()


def request(number, method, *params):
    return msgpack.packb([0, number, method, list(params)])


class Refusals(unittest.TestCase):
    """Each ends the connection with a notice that has its code."""

    def refused(self, data, code):
        with broker.client() as client:
            client.send_bytes(data)
            last = client.until_closed()
            self.assertEqual([(found.method, found.params["code"]) for found in last], [("notice", code)])
            self.assertTrue(last[0].params["message"])

    def test_bytes_that_are_no_messagepack(self):
        self.refused(b"\xc1", "bad_frame")

    def test_http(self):
        self.refused(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "bad_frame")

    def test_messages_of_another_shape(self):
        for message in ([], [0], [0, 1, "ping"], [0, 1, "ping", [], 5], [3, 1, "ping", []], [1, 0, None, None],
                        [0, -1, "ping", []], [0, 1 << 32, "ping", []], [0, 1, 7, []], [2, 7, []], ["0", 1, "ping", []],
                        {"method": "ping"}, 5, None, "ping", [True, 1, "ping", []], [0, 1, b"ping", []]):
            with self.subTest(message=message):
                self.refused(msgpack.packb(message), "bad_frame")

    def test_array_header_that_claims_gigabytes(self):
        self.refused(b"\xdd\xff\xff\xff\xff", "too_many_elements")

    def test_map_header_that_claims_gigabytes(self):
        self.refused(b"\x94\x00\x01\xa4ping\x91\xdf\xff\xff\xff\xff", "too_many_elements")

    def test_string_header_that_claims_gigabytes(self):
        self.refused(b"\x94\x00\x01\xdb\xff\xff\xff\xff", "frame_too_large")

    def test_longer_than_the_limit(self):
        self.refused(request(1, "ping", {"x": "y" * (1 << 20)}), "frame_too_large")

    def test_deeper_than_the_limit(self):
        deep = {"x": 1}
        for _ in range(16):
            deep = [deep]
        self.refused(request(1, "ping", {"x": deep}), "too_deep")

    def test_more_elements_than_the_limit(self):
        self.refused(request(1, "ping", {"x": [0] * 65536}), "too_many_elements")

    def test_what_came_before_is_answered(self):
        with broker.client() as client:
            client.send_bytes(request(0, "ping") + request(1, "ping") + b"\xc1" + request(2, "ping"))
            notices = client.until_closed()
            self.assertEqual(sorted(client.responses), [0, 1])
            self.assertEqual([found.params["code"] for found in notices], ["bad_frame"])

    def test_orders_that_came_before_are_answered(self):
        with broker.client("before") as client:
            client.send_bytes(b"".join(request(10 + i, "submit", truck_request("b%d" % i, max_price=1))
                                       for i in range(50)) + b"\xc1")
            notices = client.until_closed()
            self.assertEqual(sorted(client.responses), list(range(10, 60)))
            self.assertEqual([found.params["code"] for found in notices], ["bad_frame"])

    def test_the_notice_survives_what_is_still_being_sent(self):
        """A socket closed with unread input is reset, and the reset may overtake the notice."""
        with broker.client() as client:
            client.send_bytes(b"\xc1" + b"\x00" * 300000)
            self.assertEqual(client.notice()["code"], "bad_frame")

    def test_others_go_on(self):
        with broker.client("acme") as other:
            self.refused(b"\xc1", "bad_frame")
            self.assertIn("time", other.call("ping"))


class Accepted(unittest.TestCase):
    def test_at_the_limits(self):
        with broker.client() as client:
            client.call("hello", {"account": "acme", "filler": "y" * ((1 << 20) - 100)})
            client.call("hello", {"account": "acme", "filler": [0] * 65500})

    def test_byte_by_byte(self):
        with broker.client() as client:
            for byte in request(7, "ping") + request(8, "hello", {"account": "acme"}):
                client.send_bytes(bytes([byte]))
            self.assertIn("time", client.result(7))
            self.assertEqual(client.result(8)["account"], "acme")

    def test_a_long_message_in_pieces(self):
        data = request(0, "hello", {"account": "acme", "filler": os.urandom(900000)}) + request(1, "ping")
        with broker.client() as client:
            for at in range(0, len(data), 1499):
                client.send_bytes(data[at:at + 1499])
            self.assertEqual(client.result(0)["account"], "acme")
            self.assertIn("time", client.result(1))

    def test_ten_thousand_in_one_go(self):
        with broker.client("acme") as client:
            client.send_bytes(b"".join(request(number, "ping") for number in range(10, 10010)))
            for number in range(10, 10010):
                self.assertIn("time", client.result(number))

    def test_pipelined_submits_beyond_what_may_be_outstanding(self):
        """The broker stops reading above 1,024 requests without an answer, and goes on: all are answered."""
        with broker.client("pipeliner") as client:
            count = 5000
            client.send_bytes(b"".join(request(1000 + i, "submit", truck_request("p%d" % i, max_price=1))
                                       for i in range(count)))
            results = [client.result(1000 + i) for i in range(count)]
            self.assertEqual([result["ref"] for result in results], ["p%d" % i for i in range(count)])
            self.assertEqual(len({result["id"] for result in results}), count)

    def test_sent_and_half_closed(self):
        """A client that says all it has to say and shuts its side still gets every answer."""
        with broker.client("half") as client:
            for i in range(100):
                client.send("submit", truck_request("h%d" % i, max_price=1))
            last = client.send("ping")
            client.sock.shutdown(socket.SHUT_WR)
            client.until_closed()
            self.assertEqual(len(client.responses), 101)
            self.assertIn(last, client.responses)

    def test_empty_params_and_ids_of_all_sizes(self):
        with broker.client() as client:
            for number in (0, 127, 128, 65536, (1 << 32) - 1):
                client.send_bytes(msgpack.packb([0, number, "ping", []]))
                self.assertIn("time", client.result(number))

    def test_wrong_params_are_an_answer(self):
        with broker.client("acme") as client:
            for number, params in enumerate(([1], [{}, {}], [[]], {}, None, "x", [None])):
                client.send_bytes(msgpack.packb([0, 500 + number, "ping", params]))
                with self.assertRaises(Refused) as caught:
                    client.result(500 + number)
                self.assertEqual(caught.exception.code, "bad_params")
            self.assertIn("time", client.call("ping"))

    def test_closed_in_the_middle_of_a_message(self):
        with broker.client("acme") as client:
            client.send_bytes(request(1, "ping")[:4])
            client.sock.shutdown(socket.SHUT_WR)
            with self.assertRaises(Closed):
                client.receive()


if __name__ == "__main__":
    unittest.main()

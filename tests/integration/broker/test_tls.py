"""TLS: the same protocol, and the account that a client's certificate says."""

import socket
import ssl
import tempfile
import unittest

from support import Broker, Client, Closed, Refused, make_certificates, run, tls_context, truck_request


def setUpModule():
    global directory, files
    directory = tempfile.TemporaryDirectory(prefix="crossdock-tls-")
    files = directory.name
    make_certificates(files)


def tearDownModule():
    directory.cleanup()


def path(name):
    return "%s/%s" % (files, name)


def options(client_ca=False):
    given = ["--tls-cert", path("broker.crt"), "--tls-key", path("broker.key")]
    return given + (["--tls-client-ca", path("ca.crt")] if client_ca else [])


class WithoutClientCertificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(*options(), tls=tls_context(files))

    @classmethod
    def tearDownClass(cls):
        assert cls.broker.stop() == 0, cls.broker.log()

    def test_says_so_at_the_start(self):
        line = self.broker.wait_log("msg=starting")
        self.assertIn("transport=tls", line)
        self.assertIn("authentication=none", line)
        self.broker.wait_log("msg=no_authentication")

    def test_the_same_protocol(self):
        with self.broker.client("acme") as client:
            client.call("subscribe")
            result = client.call("submit", truck_request("t1", max_price=1))
            self.assertEqual(client.event()["order"]["id"], result["id"])
            orders = [truck_request("b%d" % i, max_price=1, note="n" * 250) for i in range(1000)]
            self.assertEqual(len(client.call("submit", {"orders": orders})["results"]), 1000)
            self.assertEqual([client.event()["order"]["ref"] for _ in range(1000)], [o["ref"] for o in orders])

    def test_framing_errors_have_their_notice(self):
        with self.broker.client() as client:
            client.send_bytes(b"\xc1" + b"\0" * 100000)
            self.assertEqual([found.params["code"] for found in client.until_closed()], ["bad_frame"])

    def test_the_end_is_said_properly(self):
        """close_notify: a client can tell the broker's end from a cut connection."""
        with self.broker.client() as client:
            client.send_bytes(b"\xc1")
            client.notice()
            self.assertEqual(client.sock.recv(1), b"")

    def test_versions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = tls_context(files)
            context.minimum_version = context.maximum_version = version
            with Client((self.broker.host, self.broker.port), tls=context) as client:
                self.assertIn("time", client.call("ping"))
                self.assertEqual(client.sock.version(), version.name.replace("_", "."))
        old = tls_context(files)
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            Client((self.broker.host, self.broker.port), tls=old)

    def test_plain_text_is_turned_away(self):
        with Client((self.broker.host, self.broker.port)) as client:
            client.send("ping")
            with self.assertRaises(Exception):
                client.response(0)
        with self.broker.client("acme") as client:
            self.assertIn("time", client.call("ping"))

    def test_other_than_loopback_is_refused(self):
        result = run("crossdock-broker", *options(), "--listen", "0.0.0.0:0", "--data", path("data"))
        self.assertEqual(result.returncode, 2)
        self.assertIn("not a loopback address", result.stderr)


class WithClientCertificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(*options(client_ca=True), tls=tls_context(files, "acme"), listen="0.0.0.0:0")
        cls.broker.host = "127.0.0.1"

    @classmethod
    def tearDownClass(cls):
        assert cls.broker.stop() == 0, cls.broker.log()

    def connect(self, name):
        return Client((self.broker.host, self.broker.port), tls=tls_context(files, name))

    def refused(self, code, client, method, params=None):
        with self.assertRaises(Refused) as caught:
            client.call(method, params)
        self.assertEqual(caught.exception.code, code)

    def test_says_so_at_the_start(self):
        self.assertIn("authentication=client-certificates", self.broker.wait_log("msg=starting"))
        self.assertNotIn("no_authentication", self.broker.log())

    def test_the_account_is_the_certificates(self):
        with self.connect("acme") as client:
            self.assertEqual(client.call("hello")["account"], "acme")
            self.assertEqual(client.call("hello", {"account": "acme"})["account"], "acme")
            for other in ("bolt", "*"):
                self.refused("forbidden", client, "hello", {"account": other})
            client.call("submit", truck_request("mine", max_price=1))
            self.refused("unknown_field", client, "submit", truck_request("x", max_price=1, account="bolt"))
            self.refused("unknown_field", client, "submit", truck_request("x", max_price=1, account="acme"))
            self.refused("forbidden", client, "cancel", {"ref": "mine", "account": "bolt"})
            self.refused("forbidden", client, "state_hash")
            self.assertEqual([order["account"] for order in client.call("orders")["orders"]], ["acme"])

    def test_an_operators_certificate(self):
        with self.connect("operator") as client:
            self.assertEqual(client.call("hello")["account"], "*")
            self.refused("forbidden", client, "hello", {"account": "acme"})
            self.refused("missing_field", client, "submit", truck_request("whose", max_price=1))
            client.call("subscribe")
            client.call("submit", truck_request("theirs", max_price=1, account="bolt"))
            self.assertEqual(client.event()["account"], "bolt")
            client.call("cancel", {"ref": "theirs", "account": "bolt"})
            self.refused("forbidden", client, "state_hash")

    def test_a_name_that_is_no_account(self):
        with self.connect("badname") as client:
            self.refused("forbidden", client, "hello")
            self.refused("hello_first", client, "orders")

    def test_no_certificate_and_a_strangers(self):
        for name in (None, "stranger"):
            with self.subTest(name=name):
                with self.assertRaises((Closed, ssl.SSLError, ConnectionError)):
                    with self.connect(name) as client:
                        client.call("ping")

    def test_the_test_clock_stays_on_loopback(self):
        result = run("crossdock-broker", *options(client_ca=True), "--listen", "0.0.0.0:0", "--test-clock",
                     "--check-config")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--test-clock: '0.0.0.0:0' is not a loopback address", result.stderr)


class Handshakes(unittest.TestCase):
    def test_one_that_never_comes_does_not_disturb(self):
        with Broker(*options(), tls=tls_context(files)) as broker:
            with socket.create_connection((broker.host, broker.port)):
                with broker.client("acme") as client:
                    self.assertIn("time", client.call("ping"))


if __name__ == "__main__":
    unittest.main()

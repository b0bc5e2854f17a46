"""Settings: where they come from, what is refused, and in which words."""

import os
import tempfile
import unittest

from support import Broker, run


def check(*args, env=None):
    return run("crossdock-broker", *args, "--check-config", env=env)


def setting(result, name):
    """(value, source) of a line of --check-config."""
    for line in result.stdout.splitlines():
        if line.split(" = ")[0] == name:
            value, source = line.split(" = ", 1)[1].split(";")
            return value.strip(), source.strip()
    raise AssertionError(result.stdout + result.stderr)


class Information(unittest.TestCase):
    def test_help(self):
        result = run("crossdock-broker", "--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for part in ("Connections:", "TLS:", "Data:", "--listen HOST:PORT", "127.0.0.1:7400", "--check-config",
                     "CROSSDOCK_MAX_ORDERS", "Default: 7d"):
            self.assertIn(part, result.stdout)
        self.assertLessEqual(max(len(line) for line in result.stdout.splitlines()), 110)

    def test_version(self):
        result = run("crossdock-broker", "--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^crossdock-broker \d+\.\d+\.\d+\n$")

    def test_check_config_prints_a_file_that_can_be_used(self):
        result = check("--max-orders", "7", "--retain-events", "36h")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "broker.ini")
            with open(path, "w", encoding="utf-8") as file:
                file.write(result.stdout)
            again = check("--config", path)
            self.assertEqual((again.returncode, again.stderr), (0, ""))
            self.assertEqual(setting(again, "max-orders"), ("7", "file"))
            self.assertEqual(setting(again, "retain-events"), ("36h", "file"))


class Precedence(unittest.TestCase):
    def test_flag_environment_file_default(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "broker.ini")
            with open(path, "w", encoding="utf-8") as file:
                file.write("# a comment\nmax-orders = 1 ; and another\nbacklog = 2m\nroad-factor = 1.5\nkeep-log = yes\n")
            env = {"CROSSDOCK_CONFIG": path, "CROSSDOCK_BACKLOG": "3m", "CROSSDOCK_ROAD_FACTOR": "1.6"}
            result = check("--road-factor=1.7", env=env)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual(setting(result, "road-factor"), ("1.7", "flag"))
            self.assertEqual(setting(result, "backlog"), ("3m", "environment"))
            self.assertEqual(setting(result, "max-orders"), ("1", "file"))
            self.assertEqual(setting(result, "keep-log"), ("yes", "file"))
            self.assertEqual(setting(result, "max-message"), ("1m", "default"))

    def test_flags_that_are_off(self):
        self.assertEqual(setting(check("--keep-log"), "keep-log"), ("true", "flag"))
        self.assertEqual(setting(check("--keep-log=false", env={"CROSSDOCK_KEEP_LOG": "1"}), "keep-log"),
                         ("false", "flag"))

    def test_the_settings_are_in_effect(self):
        with Broker("--max-message=8k", "--currency", "EUR", env={"CROSSDOCK_ROAD_FACTOR": "1.3"}) as broker:
            with broker.client() as client:
                hello = client.call("hello", {"account": "acme"})
                self.assertEqual(hello["limits"]["message_bytes"], 8192)
                self.assertEqual((hello["currency"], hello["road_factor"]), ("EUR", 1.3))


class Mistakes(unittest.TestCase):
    def mistakes(self, *args, env=None):
        result = check(*args, env=env)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        return result.stderr.splitlines()

    def test_each_names_option_given_and_allowed(self):
        for args, words in (
                (["--max-orders", "0"], "--max-orders: '0' is not allowed; allowed: 1 to 100000000"),
                (["--max-orders", "x"], "--max-orders: 'x' is not allowed; allowed: 1 to 100000000"),
                (["--max-orders", "1.5"], "--max-orders: '1.5' is not allowed; allowed: 1 to 100000000"),
                (["--max-orders", ""], "--max-orders: '' is not allowed; allowed: 1 to 100000000"),
                (["--road-factor", "0.9"], "--road-factor: '0.9' is not allowed; allowed: 1 to 3"),
                (["--road-factor", "1.00001"], "--road-factor: '1.00001' is not allowed; allowed: 1 to 3"),
                (["--retain-events", "7"],
                 "--retain-events: '7' is not allowed; allowed: 0 to 3650d as in 500ms, 30s, 5m, 12h, 7d"),
                (["--retain-events", "7w"],
                 "--retain-events: '7w' is not allowed; allowed: 0 to 3650d as in 500ms, 30s, 5m, 12h, 7d"),
                (["--max-message", "1"],
                 "--max-message: '1' is not allowed; allowed: 4k to 16m as in 64k, 1m, 2g"),
                (["--max-message", "99999999999g"],
                 "--max-message: '99999999999g' is not allowed; allowed: 4k to 16m as in 64k, 1m, 2g"),
                (["--log-level", "loud"],
                 "--log-level: 'loud' is not allowed; allowed: error, warning, info, debug"),
                (["--keep-log=maybe"], "--keep-log: 'maybe' is not allowed; allowed: true or false"),
                (["--currency", "eur"],
                 "--currency: 'eur' is not allowed; allowed: three capital letters (ISO 4217)"),
                (["--data", ""], "--data: '' is not allowed; allowed: a directory's path"),
                (["--listen", "7400"],
                 "--listen: '7400' is not allowed; allowed: HOST:PORT or [IPV6]:PORT, port 0 to 65535"),
                (["--listen", "127.0.0.1:65536"],
                 "--listen: '127.0.0.1:65536' is not allowed; allowed: HOST:PORT or [IPV6]:PORT, port 0 to 65535"),
                (["--nonsense", "1"], "--nonsense: no such option; --help lists them"),
                (["stray"], "stray: no such option; --help lists them"),
                (["--backlog"], "--backlog: its value SIZE is missing"),
                (["--tls-cert", "x"], "--tls-cert: needs --tls-key as well"),
                (["--tls-key", "x"], "--tls-key: needs --tls-cert as well"),
                (["--config", "/nonexistent/broker.ini"], "--config: /nonexistent/broker.ini cannot be read")):
            with self.subTest(args=args):
                # What needs a value and has none would take --check-config for it.
                given = args if args != ["--backlog"] else []
                found = self.mistakes(*given) if given else run("crossdock-broker", *args).stderr.splitlines()
                self.assertIn(words, found)

    def test_all_of_them_are_told(self):
        found = self.mistakes("--max-orders", "0", "--max-orders", "5", "--odd=1", "--listen", "x",
                              env={"CROSSDOCK_BACKLOG": "lots"})
        self.assertEqual(len(found), 5)
        self.assertIn("--max-orders: given twice", found)
        self.assertIn("CROSSDOCK_BACKLOG: 'lots' is not allowed; allowed: 1m to 4g as in 64k, 1m, 2g", found)

    def test_in_the_file(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "broker.ini")
            for text, words in (("max-orders = 0\n", "max-orders in %s: '0' is not allowed; allowed: 1 to 100000000"),
                                ("odd = 1\n", "odd in %s: no such option; --help lists them"),
                                ("help = true\n", "help in %s: no such option; --help lists them"),
                                ("[tls]\ncert = x\n", "[tls] in %s: there are no sections"),
                                ("backlog = 1m\nbacklog = 2m\n", "backlog in %s: given twice"),
                                ("what is this\n", "line 1 of %s: not 'name = value'"),
                                ("\ndata = %s\nodd = 1\n" % ("x" * 193), "line 2 of %s: longer than 199 bytes; so long "
                                 "a value goes in a flag or the environment"),
                                ("\ndata = %s\nodd = 1\n" % ("x" * 193), "odd in %s: no such option; --help lists them"),
                                ("data = %s\nodd = 1" % ("x" * 192), "odd in %s: no such option; --help lists them")):
                with self.subTest(text=text):
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(text)
                    self.assertIn(words % path, self.mistakes("--config", path))

    def test_other_than_loopback_needs_authentication(self):
        for address in ("0.0.0.0:0", "192.0.2.1:0", "[::]:0"):
            found = self.mistakes("--listen", address)
            self.assertIn("--listen: '%s' is not a loopback address; without --tls-client-ca there is no authentication, "
                          "and only loopback may be listened on" % address, found)
            with tempfile.TemporaryDirectory() as directory:
                result = run("crossdock-broker", "--listen", address, "--data", directory)
                self.assertEqual(result.returncode, 2)
        for address in ("127.0.0.1:0", "127.1.2.3:0", "[::1]:0", "localhost:0"):
            self.assertEqual(check("--listen", address).returncode, 0)

    def test_client_ca_needs_a_certificate(self):
        self.assertIn("--tls-client-ca: needs --tls-cert and --tls-key as well", self.mistakes("--tls-client-ca", "x"))

    def test_files_that_cannot_be_used(self):
        with tempfile.TemporaryDirectory() as directory:
            result = run("crossdock-broker", "--listen", "127.0.0.1:0", "--data", directory, "--tls-cert", "/nonexistent",
                         "--tls-key", "/nonexistent")
            self.assertEqual(result.returncode, 1)
            self.assertIn("--tls-cert: /nonexistent cannot be used", result.stderr)


if __name__ == "__main__":
    unittest.main()

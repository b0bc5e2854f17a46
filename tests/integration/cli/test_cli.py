"""The crossdock command against a real broker: every command, every exit status, and what programs and people read."""

import array
import fcntl
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import termios
import time
import unittest

from support import TIMEOUT, Broker, NANJING, SUZHOU, environment, make_certificates, program, run

START = 1893456000  # 2030-01-01T00:00:00Z


def offer_fields(ref, *more):
    return ["offer", "truck", "ref=" + ref, "from=31.23,121.47", "to=39.9,116.4", "kg=12000", "pallets=14",
            "max_detour_km=80", "available_from=2030-01-02T00:00:00Z", "available_until=2030-01-06T00:00:00Z", "base=100",
            *more]


def request_fields(ref, *more):
    return ["request", "truck", "ref=" + ref, "from=31.3,121.4", "to=39.8,116.3", "kg=1000", "pallets=2.5",
            "pickup_from=2030-01-02T00:00:00Z", "pickup_until=2030-01-04T00:00:00Z",
            "deliver_until=2030-01-07T00:00:00Z", "max_price=2000", *more]


def order_line(ref, **more):
    order = {"side": "request", "kind": "truck", "ref": ref, "from": SUZHOU, "to": NANJING, "kg": 1000, "pallets": 2,
             "pickup_from": "2030-01-02T00:00:00Z", "pickup_until": "2030-01-03T00:00:00Z",
             "deliver_until": "2030-01-05T00:00:00Z", "max_price": 500}
    order.update(more)
    return order


class WithBroker(unittest.TestCase):
    """Each test has a broker of its own, at the start of 2030."""

    def setUp(self):
        self.broker = Broker("--test-clock")
        self.addCleanup(self.end)
        self.good("clock", "set", "2030-01-01T00:00:00Z")

    def end(self):
        self.broker.__exit__(None, None, None)

    def crossdock(self, *args, **options):
        return run("crossdock", "--url", "tcp://" + self.broker.address, *args, **options)

    def good(self, *args, **options):
        """Its stdout; it must have succeeded without a word on stderr."""
        done = self.crossdock(*args, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), args)
        return done.stdout

    def lines(self, *args, **options):
        """The same, as JSON Lines."""
        return [json.loads(line) for line in self.good("--json", *args, **options).splitlines()]

    def line(self, *args, **options):
        lines = self.lines(*args, **options)
        self.assertEqual(len(lines), 1)
        return lines[0]

    def spawn(self, *args, **options):
        process = subprocess.Popen([program("crossdock"), "--url", "tcp://" + self.broker.address, *args],
                                   env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(self.reap, process)
        return process

    @staticmethod
    def reap(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()

    def match(self, confirm="manual"):
        """Two orders that make a match."""
        self.good("--account", "carrier", *offer_fields("t1"))
        self.good("--account", "acme", *request_fields("r1", "confirm=" + confirm))


class Usage(unittest.TestCase):
    """Wrong command lines: status 2 and a line that says what is wrong, before anything is sent."""

    TABLE = [
        ([], ": no command; crossdock --help lists them (usage)"),
        (["frob"], ": frob: no such command; crossdock --help lists them (usage)"),
        (["-x"], ": -x: no such command; crossdock --help lists them (usage)"),
        ([""], ": no such command; crossdock --help lists them (usage)"),
        (["ping", "--frob"], ": --frob: no such option; --help lists them (usage)"),
        (["--url"], ": --url: its value URL is missing (usage)"),
        (["ping", "--url", "tcp://h", "--url", "tcp://h"], ": --url: given twice (usage)"),
        (["ping", "--url", "localhost"], ': "localhost" does not begin with tcp:// or tls:// (url)'),
        (["ping", "--url", "tcp://"], ': "tcp://" has no valid host (url)'),
        (["ping", "--url", "tcp://h:99999"], ': "tcp://h:99999": the port is not 1 to 65535 (url)'),
        (["ping", "--url", "tcp://::1:7400"], ': "tcp://::1:7400": an IPv6 address goes in brackets (url)'),
        (["ping", "--url", "tcp://[::1"], ': "tcp://[::1" has no closing bracket (url)'),
        (["ping", "--tls-ca", "/x"], ": TLS needs a URL that begins with tls:// (url)"),
        (["ping", "--tls-insecure"], ": TLS needs a URL that begins with tls:// (url)"),
        (["ping", "--json=maybe"], ": --json: 'maybe' is not allowed; allowed: true or false (usage)"),
        (["ping", "now"], ": ping: one argument too many: now (usage)"),
        (["ping", "--count", "1"], ": ping: does not take --count (usage)"),
        (["orders", "--as", "x"], ": orders: does not take --as (usage)"),
        (["offer", "--as", "x", "truck"], ": offer: does not take --as (usage)"),
        (["offer"], ": offer: KIND FIELD=VALUE... is missing (usage)"),
        (["request"], ": request: KIND FIELD=VALUE... is missing (usage)"),
        (["offer", "boat"], ': kind: "boat" is not truck, cold or warehouse (bad_value)'),
        (["offer", "Truck"], ': kind: "Truck" is not truck, cold or warehouse (bad_value)'),
        (["offer", "truck", "kg"], ": kg: not FIELD=VALUE (bad_value)"),
        (["offer", "truck", "=5"], ": no such field; --help lists them (unknown_field)"),
        (["offer", "truck", "kgs=5"], ": kgs: no such field; --help lists them (unknown_field)"),
        (["offer", "truck", "KG=5"], ": KG: no such field; --help lists them (unknown_field)"),
        (["offer", "truck", "kg=5", "kg=6"], ": kg: given twice (duplicate_field)"),
        (["offer", "truck", "side=offer"], ": side: given twice (duplicate_field)"),
        (["request", "cold", "kind=cold"], ": kind: given twice (duplicate_field)"),
        (["offer", "truck", "account=a", "account=b"], ": account: given twice (duplicate_field)"),
        (["offer", "truck", "kg=heavy"], ': kg: "heavy" is not a number (bad_value)'),
        (["offer", "truck", "kg="], ': kg: "" is not a number (bad_value)'),
        (["offer", "truck", "kg=0x10"], ': kg: "0x10" is not a number (bad_value)'),
        (["offer", "truck", "from=31.2"], ': from: "31.2" is not a place, "lat,lon" (bad_value)'),
        (["offer", "truck", "from=north,east"], ': from: "north,east" is not a place, "lat,lon" (bad_value)'),
        (["offer", "cold", "temp_c=5"], ': temp_c: "5" is not a range, "min..max" (bad_value)'),
        (["offer", "cold", "features=a,,b"], ': features: "a,,b" is not a list of names, "a,b" (bad_value)'),
        (["submit", "a", "b"], ": submit: one argument too many: b (usage)"),
        (["submit", "/no/such/file"], ": /no/such/file: No such file or directory (usage)"),
        (["cancel"], ": cancel: REF|ID is missing (usage)"),
        (["explain"], ": explain: REF|ID is missing (usage)"),
        (["what-if", "cold"], ": what-if: SIDE KIND FIELD=VALUE... is missing (usage)"),
        (["what-if", "need", "cold"], ': side: "need" is not offer or request (usage)'),
        (["what-if", "offer", "boat"], ': kind: "boat" is not truck, cold or warehouse (bad_value)'),
        (["cancel", "a", "b"], ": cancel: one argument too many: b (usage)"),
        (["accept"], ": accept: MATCH is missing (usage)"),
        (["accept", "o0-1"], ': MATCH: "o0-1" is not a match\'s id, such as m0-4 (usage)'),
        (["cancel-match", "m0-0x1"], ': MATCH: "m0-0x1" is not a match\'s id, such as m0-4 (usage)'),
        (["no-show", ""], ': MATCH: "" is not a match\'s id, such as m0-4 (usage)'),
        (["orders", "--state"], ": --state: its value STATE is missing (usage)"),
        (["matches", "--all"], ": matches: does not take --all (usage)"),
        (["watch", "--count", "0"], ": --count: '0' is not allowed; allowed: 1 to 9223372036854775807 (usage)"),
        (["watch", "--count", "1.5"], ": --count: '1.5' is not allowed; allowed: 1 to 9223372036854775807 (usage)"),
        (["watch", "--idle", "-1"], ": --idle: '-1' is not allowed; allowed: 0.001 to 86400 (usage)"),
        (["watch", "--idle", "nan"], ": --idle: 'nan' is not allowed; allowed: 0.001 to 86400 (usage)"),
        (["watch", "--all", "--from", "0.1.5"], ": watch: --from and --all do not go together (usage)"),
        (["clock"], ": clock: set TIME | advance SECONDS is missing (usage)"),
        (["clock", "set"], ": clock: set TIME | advance SECONDS is missing (usage)"),
        (["clock", "stop", "5"], ": clock: set TIME | advance SECONDS is missing (usage)"),
        (["clock", "set", "tomorrow"], ': TIME: "tomorrow" is neither RFC 3339 nor seconds (usage)'),
        (["clock", "set", "2030-02-30T00:00:00Z"], ': TIME: "2030-02-30T00:00:00Z" is neither RFC 3339 nor seconds (usage)'),
        (["clock", "advance", "-5"], ': SECONDS: "-5" is not a whole number of seconds (usage)'),
        (["clock", "advance", "1h"], ': SECONDS: "1h" is not a whole number of seconds (usage)'),
        (["clock", "advance", "2030-01-01T00:00:00Z"],
         ': SECONDS: "2030-01-01T00:00:00Z" is not a whole number of seconds (usage)'),
        (["log", "--url", "tcp://h"], ": log: does not take --url (usage)"),
        (["log", "x"], ": log: one argument too many: x (usage)"),
    ]

    def test_table(self):
        for args, message in self.TABLE:
            with self.subTest(args=args):
                done = run("crossdock", *args)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", "crossdock" + message + "\n"))

    def test_as_json(self):
        done = run("crossdock", "--json", "watch", "--count", "x", "--frob")
        self.assertEqual((done.returncode, done.stderr), (2, ""))
        errors = [json.loads(line)["error"] for line in done.stdout.splitlines()]
        self.assertEqual([(error["code"], error["field"]) for error in errors],
                         [("usage", "--frob"), ("usage", "--count")])

    def test_terminal_is_not_steered(self):
        done = run("crossdock", "x\x1b[2J\x9b\ny")
        self.assertEqual(done.returncode, 2)
        self.assertNotRegex(done.stderr.rstrip("\n"), "[\x00-\x1f\x7f-\x9f]")

    def test_help(self):
        everything = run("crossdock", "--help")
        self.assertEqual((everything.returncode, everything.stderr), (0, ""))
        commands = re.findall(r"^  ([a-z][a-z-]+) ", everything.stdout, re.M)
        self.assertIn("cancel-match", commands)
        for command in commands:
            done = run("crossdock", command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith("Usage: crossdock " + command), done.stdout)
        self.assertIn("max_price", run("crossdock", "request", "-h").stdout)
        self.assertNotIn("max_price", run("crossdock", "offer", "--help").stdout)
        self.assertRegex(run("crossdock", "--version").stdout, r"^crossdock \d+\.\d+\.\d+\n$")


class NoConnection(unittest.TestCase):
    """Status 3."""

    def test_nobody_there(self):
        for command in (["ping"], offer_fields("t"), ["watch"], ["submit"], ["orders"], ["state-hash"], ["cancel", "x"],
                        ["accept", "m0-1"], ["clock", "advance", "5"]):
            with self.subTest(command=command):
                done = run("crossdock", "--url", "tcp://127.0.0.1:1", *command, stdin="")
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (3, "", "crossdock: 127.0.0.1 port 1: Connection refused (connection)\n"))
        done = run("crossdock", "--url", "tcp://127.0.0.1:1", "--json", "ping")
        self.assertEqual((done.returncode, done.stderr), (3, ""))
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "connection")

    def test_environment(self):
        done = run("crossdock", "ping", env={"CROSSDOCK_URL": "tcp://127.0.0.1:2"})
        self.assertEqual((done.returncode, done.stderr),
                         (3, "crossdock: 127.0.0.1 port 2: Connection refused (connection)\n"))
        done = run("crossdock", "ping", "--url", "tcp://127.0.0.1:1", env={"CROSSDOCK_URL": "tcp://127.0.0.1:2"})
        self.assertIn("port 1:", done.stderr)


class Orders(WithBroker):
    def test_offer_and_request(self):
        text = self.good("--account", "carrier", *offer_fields("t1"))
        self.assertEqual(text, "o0-1  accepted (fsynced)  ref t1\n")
        self.assertEqual(self.line("--account", "acme", *request_fields("r1")),
                         {"ref": "r1", "id": "o0-2", "status": "accepted", "durability": "fsynced"})
        matches = self.lines("--account", "acme", "matches")
        self.assertEqual(len(matches), 1)
        self.assertEqual((matches[0]["id"], matches[0]["state"], matches[0]["offer"]["account"]),
                         ("m0-1", "confirmed", "carrier"))
        self.assertEqual([stop["action"] for stop in matches[0]["stops"]], ["pickup", "delivery"])

    def test_made_up_refs_differ(self):
        args = [arg for arg in request_fields("") if not arg.startswith("ref=")]
        refs = {self.line("--account", "acme", *args)["ref"] for _ in range(5)}
        self.assertEqual(len(refs), 5)

    def test_retry_is_the_same_order(self):
        first = self.line("--account", "acme", *request_fields("r1"))
        self.assertEqual(self.line("--account", "acme", *request_fields("r1")), first)
        done = self.crossdock("--account", "acme", *request_fields("r1", "note=other"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("(ref_conflict)", done.stderr)

    def test_every_kind_and_field(self):
        self.good("--account", "house", "offer", "cold", "ref=c1", "at=31.2,121.4", "pallets=100", "kg=50000", "m3=120.5",
                  "temp_c=-22..-18", "from_day=2030-02-01", "until_day=2030-06-01", "per_pallet_day=1.2345", "base=10.5",
                  "features=haccp,temp_log", "min_part=2", "never=foe,enemy", "confirm=manual", "hold_s=60",
                  "min_credit=100", "note=ring the bell: ground floor, left", "currency=CNY", "fill=rest",
                  "valid_until=2030-05-01T08:00:00+08:00")
        self.good("--account", "house", "offer", "warehouse", "ref=w1", "at=31.2,121.4", "m2=500", "from_day=2030-02-01",
                  "until_day=2030-06-01", "per_m2_day=0.35")
        self.good("--account", "acme", "request", "cold", "ref=c2", "at=31.2,121.5", "radius_km=60", "pallets=5",
                  "temp_c=-25..-18", "from_day=2030-02-01", "until_day=2030-03-01", "max_price=900", "per_access_km=2",
                  "only=house", "features=haccp", "fill=now")
        self.good("--account", "acme", "request", "warehouse", "ref=w2", "at=31.2,121.5", "radius_km=60", "m2=50.5",
                  "from_day=2030-02-01", "until_day=2030-03-01", "max_price=900", "valid_until=1896000000")
        matches = self.lines("--account", "acme", "matches")
        self.assertEqual([(match["kind"], match["state"]) for match in matches],
                         [("cold", "proposed"), ("warehouse", "confirmed")])
        self.assertEqual((matches[0]["note"], matches[1]["m2"]), ("ring the bell: ground floor, left", 50.5))

    def test_refused(self):
        for args, error in [
            (["offer", "truck", "kg=5"], "pallets: a truck offer needs pallets"),
            (offer_fields("t1", "radius_km=5"), 'radius_km: a truck offer has no field "radius_km"'),
            (offer_fields("a b"), 'ref: "a b" is not 1 to 64 of A-Za-z0-9._:-'),
            (offer_fields("t1", "m3=1.2345"), "m3: "),
            (request_fields("r1", "fill=half"), 'fill: "half" is not one of rest, now, all_now'),
            (request_fields("r1", "account=a b"), "account: "),
            (["request", "truck", "ref=r", "from=91,0"], "from.lat: "),
        ]:
            with self.subTest(args=args):
                done = self.crossdock("--account", "acme", *args)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertTrue(done.stderr.startswith("crossdock: " + error), done.stderr)
        done = self.crossdock("--json", "--account", "acme", "offer", "truck", "kg=0.5")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "too_many_decimals")

    def test_whose_order(self):
        done = self.crossdock(*offer_fields("t1"))
        self.assertEqual((done.returncode, "(missing_field)" in done.stderr), (1, True))
        self.good(*offer_fields("t1", "account=carrier"))
        self.good(*request_fields("r1", "confirm=manual"), env={"CROSSDOCK_ACCOUNT": "acme"})
        self.assertEqual([order["account"] for order in self.lines("orders")], ["carrier", "acme"])
        self.assertEqual([order["ref"] for order in self.lines("orders", "--account", "acme")], ["r1"])
        self.assertEqual(self.line("accept", "m0-1", "--as", "acme"), {"match": "m0-1", "status": "accepted", "durability": "fsynced"})
        self.assertEqual(self.line("cancel", "t1", "--as", "carrier")["status"], "cancelled")

    def test_bad_account(self):
        done = self.crossdock("--account", "a b", "orders")
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.startswith("crossdock: account: "), done.stderr)


class Commands(WithBroker):
    def test_life_of_matches(self):
        self.good("--account", "carrier", *offer_fields("t1"))
        for number, ref in enumerate(("r1", "r2", "r3", "r4"), start=1):
            self.good("--account", "acme", *request_fields(ref, "confirm=" + ("manual" if number < 3 else "auto")))
        match = ["m0-%d" % number for number in range(5)]
        self.assertEqual(self.good("--account", "acme", "accept", match[1]), "m0-1  accepted\n")
        self.assertEqual(self.good("--account", "acme", "decline", match[2]), "m0-2  declined\n")
        done = self.crossdock("--account", "acme", "decline", "m0-1")
        self.assertEqual((done.returncode, "(wrong_state)" in done.stderr), (1, True), done.stderr)
        self.assertEqual(self.good("--account", "acme", "cancel-match", match[3]), "m0-3  cancelled\n")
        self.good("clock", "set", "2030-01-05T00:00:00Z")
        done = self.crossdock("--account", "stranger", "complete", "m0-1")
        self.assertEqual((done.returncode, "(not_found)" in done.stderr), (1, True))
        self.assertEqual(self.good("--account", "carrier", "complete", match[1]), "m0-1  completed\n")
        self.assertEqual(self.good("--account", "carrier", "no-show", match[4]), "m0-4  no_show\n")
        told = self.lines("watch", "--all", "--idle", "0.3")
        states = {event["match"]["id"]: event["match"]["state"] for event in told if "match" in event}
        self.assertEqual(states, {"m0-1": "completed", "m0-2": "declined", "m0-3": "cancelled", "m0-4": "no_show"})

    def test_cancel(self):
        self.good("--account", "acme", *request_fields("r1"))
        self.good("--account", "acme", *request_fields("o0-1"))
        self.good("--account", "acme", *request_fields("r3"))
        self.assertEqual(self.line("--account", "acme", "cancel", "r3"), {"id": "o0-3", "status": "cancelled", "durability": "fsynced"})
        self.assertEqual(self.line("--account", "acme", "cancel", "o0-1")["id"], "o0-1")
        self.assertEqual(self.line("--account", "acme", "cancel", "ref=o0-1")["id"], "o0-2")
        done = self.crossdock("--account", "acme", "cancel", "nothing")
        self.assertEqual((done.returncode, "(not_found)" in done.stderr), (1, True))

    def test_amend(self):
        self.good("--account", "acme", *request_fields("r1", "note=gate 4"))
        self.assertEqual(self.good("--account", "acme", "amend", "r1", "max_price=2500", "note="),
                         "o0-1  amended, keeps its priority\n")
        self.assertEqual(self.good("--account", "acme", "amend", "o0-1", "max_price=1300", "pallets=3"),
                         "o0-1  amended, loses its priority\n")
        self.assertEqual(self.line("--account", "acme", "amend", "ref=r1", "pallets=3"),
                         {"id": "o0-1", "status": "unchanged", "kept_priority": True, "durability": "fsynced"})
        for wrong, status, code in (("kind=cold", 1, "not_amendable"), ("pallets=0", 1, "out_of_range"),
                                    ("pallets=", 1, "missing_field"), ("base=5", 1, "unknown_field"),
                                    ("ref=r2", 2, "unknown_field"), ("colour=red", 2, "unknown_field"),
                                    ("pallets", 2, "bad_value")):
            done = self.crossdock("--account", "acme", "amend", "r1", wrong)
            self.assertEqual((done.returncode, "(%s)" % code in done.stderr), (status, True), (wrong, done.stderr))
        log = map(json.loads, run("crossdock", "log", "--data", self.broker.data).stdout.splitlines())
        changes = [record["changes"] for record in log if record.get("type") == "amend" and "record" in record]
        self.assertEqual(changes[:2], [{"note": None, "max_price": 2500}, {"pallets": 3, "max_price": 1300}])

    def test_lists(self):
        self.match("auto")
        table = self.good("--account", "acme", "orders").splitlines()
        self.assertEqual(table[0].split(), "ID REF ACCOUNT SIDE KIND STATE AMOUNT OPEN VALID UNTIL".split())
        self.assertEqual(table[1].split(),
                         "o0-2 r1 acme request truck filled 2.5 pallets 0 2030-01-04T00:00:00Z".split())
        table = self.good("matches").splitlines()
        self.assertEqual(table[0].split(), "ID KIND STATE OFFER REQUEST AMOUNT PRICE KM WHEN".split())
        self.assertRegex(table[1], r"^m0-1 +truck +confirmed +carrier/t1 +acme/r1 +2.5 pallets 1000 kg +\d+\.\d\d CNY +"
                                   r"\d+\.\d+ +2030-01-0\dT\d\d:\d\d:\d\dZ to 2030-01-0")
        self.assertEqual(self.good("--account", "nobody", "orders"), "")
        self.assertEqual(len(self.lines("orders", "--state", "filled")), 1)
        self.assertEqual(self.lines("matches", "--state", "proposed"), [])
        self.assertEqual(self.crossdock("orders", "--state", "bogus").returncode, 1)

    def test_lists_all_pages(self):
        orders = [json.dumps(order_line("r%04d" % i)) for i in range(1203)]
        self.good("--account", "acme", "submit", stdin="\n".join(orders))
        listed = self.lines("--account", "acme", "orders")
        self.assertEqual([order["ref"] for order in listed], ["r%04d" % i for i in range(1203)])
        table = self.good("--account", "acme", "orders").splitlines()
        self.assertEqual(len(table), 1204)
        self.assertEqual(len({line.index("request") for line in table[1:]}), 1)

    def test_ping_clock_hash(self):
        self.assertRegex(self.good("ping"), r"^2030-01-01T00:00:00Z  \d+\.\d{3} ms\n$")
        self.assertEqual(self.line("ping")["time"], START)
        self.assertEqual(self.good("clock", "advance", "3600"), "2030-01-01T01:00:00Z\n")
        self.assertEqual(self.line("clock", "set", str(START + 7200)), {"time": START + 7200})
        done = self.crossdock("clock", "set", "2030-01-01T00:00:00Z")
        self.assertEqual((done.returncode, "(out_of_range)" in done.stderr), (1, True))
        before = self.line("state-hash")
        self.assertEqual(before["partition"], 0)
        self.assertRegex(self.good("state-hash"), r"^partition 0  after \d+ records  [0-9a-f]+\n$")
        self.good("--account", "acme", *request_fields("r1"))
        self.assertNotEqual(self.line("state-hash")["hash"], before["hash"])

    def test_no_test_clock(self):
        with Broker() as broker:
            done = run("crossdock", "--url", "tcp://" + broker.address, "clock", "advance", "5")
            self.assertEqual(done.returncode, 1, done.stderr)

    def test_log(self):
        self.match("auto")
        done = run("crossdock", "log", "--data", self.broker.data)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        records = [line for line in lines if "record" in line]
        events = [line for line in lines if "event" in line]
        self.assertEqual(len(records) + len(events), len(lines))
        self.assertEqual([record["record"] for record in records], list(range(len(records))))
        orders = [record for record in records if record["type"] == "order"]
        self.assertEqual([(order["account"], order["id"], order["time"]) for order in orders],
                         [("carrier", "o0-1", START), ("acme", "o0-2", START)])
        self.assertEqual(orders[1]["order"]["pallets"], 2.5)
        self.assertEqual([event["event"] for event in events], ["e0-1-%d" % i for i in range(len(events))])
        told = self.lines("watch", "--all", "--idle", "0.3")
        self.assertEqual([event["id"] for event in told], [event["event"] for event in events])
        self.assertEqual(told[-1]["order"], events[-1]["order"])
        again = run("crossdock", "log", env={"CROSSDOCK_DATA": self.broker.data})
        self.assertEqual(again.stdout, done.stdout)
        done = run("crossdock", "log", "--data", "/no/such/directory")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertTrue(done.stderr.startswith("crossdock: "))

    def test_full_stdout(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([program("crossdock"), "--url", "tcp://" + self.broker.address, "ping"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "crossdock: standard output cannot be written (output)\n"))


class Explain(WithBroker):
    """What people read of an explanation, and what programs get."""

    WANTED = ["cold", "pallets=12", "at=31.3,120.58", "radius_km=120", "from_day=2030-02-10", "until_day=2030-02-20",
              "temp_c=-25..-18", "max_price=1180"]

    def chamber(self, *more):
        self.good("--account", "yard", "offer", "cold", "at=31.2,120.9", "pallets=40", "from_day=2030-02-01",
                  "until_day=2030-03-01", "temp_c=-22..-20", "base=100", *more)

    def test_no_match(self):
        self.chamber("per_pallet_day=9.5")
        self.chamber("per_pallet_day=11")
        self.chamber("per_pallet_day=10", "features=halal")
        asked = self.good("--account", "farm", "what-if", "request", *self.WANTED)
        self.assertEqual(asked, "request (cold, 12 pallets): no match among 3 chambers in reach\n"
                                "  price            3   nearest would match at 1,240.00 (limit 1,180.00)\n")
        self.good("--account", "farm", "request", *self.WANTED, "ref=K-7")
        self.assertEqual(self.good("--account", "farm", "explain", "K-7"), asked.replace("request (", "request K-7 ("))
        told = self.line("--as", "farm", "explain", "K-7")
        self.assertEqual(told["reasons"][0]["nearest"]["needs"], {"max_price": 1240})

    def test_matches(self):
        self.chamber("per_pallet_day=2")
        asked = self.good("--account", "farm", "what-if", "request", *self.WANTED)
        self.assertRegex(asked, r"^request \(cold, 12 pallets\): 1 match among 1 chamber in reach\n"
                                r"  confirmed  12 pallets  at 760.00 CNY \(quote 340.00 CNY\)  40.\d+ km  "
                                r"2030-02-10 to 2030-02-20\n$")
        self.good("--account", "farm", "request", *self.WANTED, "ref=K-7")
        done = self.crossdock("--account", "farm", "explain", "K-7")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "crossdock: ref: the order is filled: all of it is in matches (wrong_state)\n")


class Submit(WithBroker):
    # What is refused before it is sent: line, code, field, message.
    LOCAL = [
        (b"hello", "bad_json", None, "not JSON: invalid token near 'hello'"),
        (b"{", "bad_json", None, "not JSON: string or '}' expected near end of file"),
        (b"{} x", "bad_json", None, "not JSON: end of file expected near 'x'"),
        (b'{"ref":"a"}{"ref":"b"}', "bad_json", None, "not JSON: end of file expected near '{'"),
        (b"[]", "bad_type", None, "an order is a JSON object"),
        (b"5", "bad_type", None, "an order is a JSON object"),
        (b'"x"', "bad_type", None, "an order is a JSON object"),
        (b"null", "bad_type", None, "an order is a JSON object"),
        (b'{"ref":"a",}', "bad_json", "ref", "not JSON: string or '}' expected near '}'"),
        (b"{'ref':'a'}", "bad_json", None, "not JSON: string or '}' expected near '''"),
        (b'{"ref" "a"}', "bad_json", "ref", "not JSON: ':' expected near '\"a\"'"),
        (b'{"kg":NaN}', "bad_json", "kg", "not JSON: invalid token near 'NaN'"),
        (b'{"kg":-Infinity}', "bad_json", "kg", "not JSON: invalid token near '-'"),
        (b'{"kg":01}', "bad_json", "kg", "not JSON: invalid token near '0'"),
        (b'{"kg":1.}', "bad_json", "kg", "not JSON: invalid token near '1.'"),
        (b'{"kg":}', "bad_json", "kg", "not JSON: unexpected token near '}'"),
        (b'{"kg":1e999}', "out_of_range", "kg", "1e999 is too large a number"),
        (b'{"kg":9223372036854775808}', "out_of_range", "kg", "9223372036854775808 is too large a number"),
        (b'{"from":{"lat":-1e999}}', "out_of_range", "from.lat", "-1e999 is too large a number"),
        (b'{"ref":"r","ref":"s"}', "duplicate_field", "ref", "given twice"),
        (b'{"from":{"lat":1,"lat":1}}', "duplicate_field", "from.lat", "given twice"),
        (b'{"ref":"\xff"}', "bad_utf8", "ref", "not UTF-8 at byte 8"),
        (b'{"r\xc3":1}', "bad_utf8", "r", "not UTF-8 at byte 3"),
        (b'{"note":"\xed\xa0\x80"}', "bad_utf8", "note", "not UTF-8 at byte 9"),
        (b'{"note":"a\tb"}', "bad_json", "note", "not JSON: control character 0x9 near '\"a'"),
        (b'{"note":"\\x"}', "bad_json", "note", "not JSON: invalid escape near '\"\\x'"),
        (b'{"note":"abc', "bad_json", "note", "not JSON: premature end of input near '\"abc'"),
        (b"[" * 5000, "too_deep", None, "nested too deep"),
        (b'{"only":' + b"[" * 12 + b"]" * 12 + b"}", "too_deep", None,
         "more than the limit of 1048320 bytes, 12 levels or 65520 elements"),
        (b'{"only":[' + b"1," * 66000 + b"1]}", "too_many_elements", None,
         "more than the limit of 1048320 bytes, 12 levels or 65520 elements"),
        (b'{"note":"' + b"x" * 1100000 + b'"}', "too_long", None, "a line of more than 1048576 bytes"),
        (b'{"note":"' + b"x" * 1048400 + b'"}', "frame_too_large", None,
         "more than the limit of 1048320 bytes, 12 levels or 65520 elements"),
    ]

    # What the broker refuses: the order's change, code, field.
    REMOTE = [
        ({"side": None}, "bad_type", "side"), ({"side": "buy"}, "bad_value", "side"),
        ({"kind": "boat"}, "bad_value", "kind"), ({"ref": 5}, "bad_type", "ref"), ({"ref": "a b"}, "bad_value", "ref"),
        ({"ref": "x" * 65}, "too_long", "ref"), ({"frm": 1}, "unknown_field", "frm"),
        ({"from": {"lat": 91, "lon": 1}}, "out_of_range", "from.lat"), ({"from": {"lat": 1}}, "missing_field", "from.lon"),
        ({"from": "31,121"}, "bad_type", "from"), ({"kg": 0}, "out_of_range", "kg"), ({"kg": -5}, "out_of_range", "kg"),
        ({"kg": 0.5}, "too_many_decimals", "kg"), ({"kg": "abc"}, "bad_value", "kg"), ({"kg": True}, "bad_type", "kg"),
        ({"kg": 1e20}, "out_of_range", "kg"), ({"pallets": 1.234}, "too_many_decimals", "pallets"),
        ({"max_price": 0}, "out_of_range", "max_price"), ({"pickup_until": START}, "out_of_range", "pickup_until"),
        ({"pickup_from": "yesterday"}, "bad_value", "pickup_from"), ({"base": 1}, "unknown_field", "base"),
        ({"features": ["wings"]}, "bad_value", "features"), ({"features": "adr_1"}, "bad_type", "features"),
        ({"only": ["a b"]}, "bad_value", "only"), ({"note": "x" * 257}, "too_long", "note"),
        ({"currency": "yuan"}, "bad_value", "currency"), ({"hold_s": 5}, "out_of_range", "hold_s"),
        ({"temp_c": {"min": 5, "max": 2}}, "out_of_range", "temp_c"), ({"account": "a b"}, "bad_value", "account"),
        ({"account": 5}, "bad_type", "account"), ({"valid_until": "2000-01-01T00:00:00Z"}, "lapsed", "valid_until"),
    ]

    def submit(self, data, *args):
        done = subprocess.run([program("crossdock"), "--url", "tcp://" + self.broker.address, "submit", *args],
                              input=data, env=environment({"CROSSDOCK_ACCOUNT": "acme"}), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60, check=False)
        return done.returncode, done.stderr, [json.loads(line) for line in done.stdout.splitlines()]

    def test_bad_lines_among_good_ones(self):
        lines, expected = [], []
        for i, (line, code, field, message) in enumerate(self.LOCAL):
            good = "l%d" % i
            lines += [json.dumps(order_line(good)).encode(), line]
            error = {"code": code, "message": message}
            if field:
                error["field"] = field
            expected += [("accepted", good), {"ref": None, "error": error}]
        for i, (change, code, field) in enumerate(self.REMOTE):
            good = "g%d" % i
            lines += [json.dumps(order_line(good)).encode(), json.dumps(dict(order_line("bad%d" % i), **change)).encode()]
            expected += [("accepted", good), (code, field)]
        status, errors, results = self.submit(b"\n".join(lines))
        self.assertEqual((status, errors, len(results)), (1, b"", len(expected)))
        for line, result, wanted in zip(lines, results, expected):
            with self.subTest(line=line[:100]):
                if isinstance(wanted, dict):
                    self.assertEqual(result, wanted)
                elif wanted[0] == "accepted":
                    self.assertEqual((result.get("status"), result["ref"]), wanted)
                else:
                    self.assertEqual((result["error"]["code"], result["error"].get("field")), wanted)

    def test_a_file_in_order(self):
        orders = [order_line("r%d" % i, account="a%d" % (i % 7)) for i in range(5000)]
        orders[1234]["kg"] = 0
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            for order in orders:
                print(json.dumps(order), file=file)
            file.flush()
            status, errors, results = self.submit(b"", file.name)
        self.assertEqual((status, errors), (1, b""))
        self.assertEqual([result["ref"] for result in results], [order["ref"] for order in orders])
        self.assertEqual([i for i, result in enumerate(results) if "error" in result], [1234])
        self.assertEqual(len({result["id"] for result in results if "id" in result}), 4999)
        self.assertEqual({order["account"] for order in self.lines("orders")}, {"a%d" % i for i in range(7)})
        status, _, again = self.submit("\n".join(json.dumps(order) for order in orders).encode(), "-")
        self.assertEqual((status, again), (1, results))

    def test_blank_lines_ends_and_nothing(self):
        self.assertEqual(self.submit(b""), (0, b"", []))
        self.assertEqual(self.submit(b"\n \n\t\n\r\n"), (0, b"", []))
        line = json.dumps(order_line("r1")).encode()
        for text in (line, line + b"\n", line + b"\r\n\r\n", b"\n\n" + line + b"\r"):
            status, _, results = self.submit(text)
            self.assertEqual((status, [result["ref"] for result in results]), (0, ["r1"]))

    def test_line_by_line(self):
        """A program that writes an order and waits for its line gets it."""
        process = self.spawn("--account", "acme", "submit")
        for i in range(5):
            process.stdin.write(json.dumps(order_line("r%d" % i)) + "\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], 20)
            self.assertTrue(ready)
            self.assertEqual(json.loads(process.stdout.readline())["ref"], "r%d" % i)
        process.stdin.close()
        self.assertEqual(process.wait(20), 0)

    @staticmethod
    def wait_read(process):
        """Until nothing is left in the pipe to its standard input."""
        left = array.array("i", [1])
        deadline = time.monotonic() + TIMEOUT
        while left[0]:
            fcntl.ioctl(process.stdin, termios.FIONREAD, left)
            assert time.monotonic() < deadline, "it does not read"

    def test_connection_lost(self):
        """Every line that was read is answered, then it ends with 3."""
        process = self.spawn("--account", "acme", "submit")
        process.stdin.write(json.dumps(order_line("first")) + "\n")
        process.stdin.flush()
        self.assertEqual(json.loads(process.stdout.readline())["status"], "accepted")
        self.broker.send_signal(signal.SIGSTOP)
        for i in range(3):
            process.stdin.write(json.dumps(order_line("r%d" % i)) + "\n")
            process.stdin.flush()
            self.wait_read(process)
        self.broker.send_signal(signal.SIGKILL)
        out, errors = process.communicate(timeout=20)
        results = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([(result["ref"], result["error"]["code"]) for result in results],
                         [("r%d" % i, "connection") for i in range(3)])
        self.assertEqual(process.returncode, 3)
        self.assertRegex(errors, r"^crossdock: .* \(connection\)\n$")
        self.broker.wait()
        self.broker.start()

    def test_a_directory(self):
        status, errors, results = self.submit(b"", "/tmp")
        self.assertEqual((status, errors, results), (2, b"crossdock: Is a directory (input)\n", []))

    def test_much_in_little_memory(self):
        """A file of 60 MB passes through a process that may have 400 MB of address space."""
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            for i in range(200):
                print(json.dumps(order_line("r%d" % i, filler="x" * 300000)), file=file)
            file.flush()
            command = 'ulimit -v 400000; exec "$0" "$@"' if not self.sanitized() else 'exec "$0" "$@"'
            done = subprocess.run(["sh", "-c", command, program("crossdock"), "--url", "tcp://" + self.broker.address,
                                   "--account", "acme", "submit", file.name], stdout=subprocess.PIPE,
                                  env=environment(), timeout=15, check=False)
        self.assertEqual(done.returncode, 1)
        codes = {json.loads(line)["error"]["code"] for line in done.stdout.splitlines()}
        self.assertEqual((codes, done.stdout.count(b"\n")), ({"unknown_field"}, 200))

    @staticmethod
    def sanitized():
        with open(program("crossdock"), "rb") as file:
            return b"__asan_init" in file.read() or b"__tsan_init" in file.read()


class Watch(WithBroker):
    def test_all(self):
        self.match("auto")
        events = self.lines("watch", "--all", "--idle", "0.3")
        self.assertEqual([event["type"] for event in events],
                         ["order.accepted", "order.accepted", "match.confirmed", "match.confirmed", "order.filled"])
        self.assertEqual([event["account"] for event in events], ["carrier", "acme", "carrier", "acme", "acme"])
        mine = self.lines("--account", "acme", "watch", "--all", "--count", "2")
        self.assertEqual([event["type"] for event in mine], ["order.accepted", "match.confirmed"])
        text = self.good("--account", "acme", "watch", "--all", "--count", "2").splitlines()
        self.assertRegex(text[0], r"^2030-01-01T00:00:00Z  acme +order.accepted +o0-2 +request truck r1, 2.5 pallets$")
        self.assertRegex(text[1], r"^2030-01-01T00:00:00Z  acme +match.confirmed +m0-1 +truck carrier/t1 for acme/r1, "
                                  r"2.5 pallets 1000 kg, \d+\.\d\d CNY, 2030-01-02T")

    def test_from_a_cursor(self):
        self.match("auto")
        events = self.lines("watch", "--all", "--idle", "0.3")
        rest = self.lines("watch", "--from", events[1]["cursor"], "--idle", "0.3")
        self.assertEqual(rest, events[2:])
        self.assertEqual(self.lines("watch", "--from", events[-1]["cursor"], "--idle", "0.2"), [])
        done = self.crossdock("watch", "--from", "nonsense")
        self.assertEqual((done.returncode, "(bad_cursor)" in done.stderr), (1, True))

    def test_from_now(self):
        self.match("auto")
        self.assertEqual(self.lines("watch", "--idle", "0.2"), [])

    def test_durable(self):
        self.lines("watch", "--durable", "phone", "--idle", "0.1", "--account", "acme")
        first = self.lines("watch", "--durable", "phone", "--all", "--idle", "0.1", "--account", "acme")
        self.assertEqual(first, [])
        self.match("auto")
        self.assertEqual(len(self.lines("watch", "--durable", "box", "--all", "--count", "1", "--account", "acme")), 1)
        rest = self.lines("watch", "--durable", "box", "--idle", "0.3", "--account", "acme")
        self.assertEqual([event["type"] for event in rest], ["match.confirmed", "order.filled"])
        self.assertEqual(self.lines("watch", "--durable", "box", "--idle", "0.2", "--account", "acme"), [])

    def test_nothing_acknowledged_that_was_not_written(self):
        self.match("auto")
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([program("crossdock"), "--url", "tcp://" + self.broker.address, "--account", "acme",
                                   "watch", "--durable", "box", "--all", "--count", "3"], stdout=full,
                                  stderr=subprocess.DEVNULL, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(self.lines("watch", "--durable", "box", "--all", "--count", "3", "--account", "acme")), 3)

    def test_live(self):
        self.good("--account", "acme", *request_fields("r0"))
        process = self.spawn("--json", "--account", "acme", "watch", "--all")
        self.assertEqual(json.loads(process.stdout.readline())["order"]["ref"], "r0")
        self.good("--account", "acme", *request_fields("r1"))
        self.assertEqual(json.loads(process.stdout.readline())["order"]["ref"], "r1")
        self.broker.kill()
        self.assertEqual(process.wait(20), 3)
        self.assertEqual(json.loads(process.stdout.readline())["error"]["code"], "connection")
        self.broker.start()

    def test_drain(self):
        self.good("--account", "acme", *request_fields("r0"))
        process = self.spawn("--account", "acme", "watch", "--all")
        self.assertIn("order.accepted", process.stdout.readline())
        self.assertEqual(self.broker.stop(), 0)
        self.assertEqual(process.wait(20), 3)
        self.assertEqual(process.stderr.readline(), "crossdock: the broker is shutting down (draining)\n")
        self.assertTrue(process.stderr.readline().endswith("(draining)\n"))
        self.broker.start()

    def test_idle_counts_from_the_last_event(self):
        started = time.monotonic()
        self.assertEqual(self.lines("watch", "--idle", "0.5"), [])
        took = time.monotonic() - started
        self.assertTrue(0.5 <= took < 10, took)


class Tls(unittest.TestCase):
    def test_certificates(self):
        with tempfile.TemporaryDirectory(prefix="crossdock-tls-") as directory:
            make_certificates(directory)

            def path(name):
                return os.path.join(directory, name)

            options = ["--tls-cert", path("broker.crt"), "--tls-key", path("broker.key"), "--tls-client-ca",
                       path("ca.crt")]
            acme = ["--tls-ca", path("ca.crt"), "--tls-cert", path("acme.crt"), "--tls-key", path("acme.key")]
            with Broker(*options) as broker:
                url = "tls://" + broker.address
                for args, status, error in [
                    (acme, 0, ""),
                    (acme + ["--account", "acme"], 0, ""),
                    (acme + ["--account", "other"], 1, r"^crossdock: account: .*\(forbidden\)\n$"),
                    (["--tls-insecure"] + acme[2:], 0, ""),
                    (acme[2:], 3, r"^crossdock: the broker's certificate is not trusted: .*\(tls\)\n$"),
                    (["--tls-ca", path("other-ca.crt")] + acme[2:], 3, r"not trusted: .*\(tls\)\n$"),
                    (acme[:4], 3, r"^crossdock: a client certificate and its key go together \(tls\)\n$"),
                    (acme[:2], 3, r"\((tls|connection)\)\n$"),
                    (acme[:2] + ["--tls-cert", path("none"), "--tls-key", path("acme.key")], 3, r"none: .*\(tls\)\n$"),
                ]:
                    with self.subTest(args=args):
                        done = run("crossdock", "--url", url, *args, "orders")
                        self.assertEqual(done.returncode, status, done.stderr)
                        self.assertRegex(done.stderr, error or "^$")
                order = request_fields("r1", "valid_until=2030-01-01T00:00:00Z")
                self.assertEqual(run("crossdock", "--url", url, *acme, *order).returncode, 0)
                done = run("crossdock", "--url", "tls://localhost:%d" % broker.port, *acme, "--json", "orders")
                self.assertEqual(json.loads(done.stdout)["account"], "acme")
                self.assertEqual(run("crossdock", "--url", "tcp://" + broker.address, "ping").returncode, 3)


if __name__ == "__main__":
    unittest.main()

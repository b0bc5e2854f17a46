"""Sends what bad_input.jsonl describes and says what came back. A row is one of

    {"what", "order": base, "set": {}, "drop": [], "hex": {field: msgpack value}, "twice": []}
    {"what", "json" or "json_hex": a line for crossdock submit}
    {"what", "frame": bytes in hex, on a connection that has said hello}
    {"what", "command": [program, argument, ...]}

with "clock": true where it is about a clock that is set by hand; and with what it gets: `error` {code, message,
field}; `notice` {code, message}, where the connection is closed after it; or `exit` and `stderr`. URL in arguments is the broker's."""

import json
import subprocess

import msgpack

import play
from support import Closed, environment, program

TABLE = play.HERE.parent / "bad_input.jsonl"
NOW = 1893369600  # 2029-12-31T00:00:00Z
ACCOUNT = "acme"
FRAME_ID = 77  # the number of the request in a frame that is one
SHANGHAI, NANJING = {"lat": 31.2304, "lon": 121.4737}, {"lat": 32.0603, "lon": 118.7969}

STORAGE_OFFER = {"side": "offer", "at": SHANGHAI, "from_day": "2030-01-01", "until_day": "2030-03-01"}
STORAGE_REQUEST = {"side": "request", "at": SHANGHAI, "radius_km": 50, "from_day": "2030-01-10",
                   "until_day": "2030-01-20",
                   "max_price": 500}
BASES = {
    "truck_offer": {"side": "offer", "kind": "truck", "from": SHANGHAI, "kg": 12000, "pallets": 16,
                    "max_detour_km": 80,
                    "available_from": 1893456000, "available_until": 1893715200},
    "truck_request": {"side": "request", "kind": "truck", "from": SHANGHAI, "to": NANJING, "kg": 500,
                      "pallets": 1,
                      "pickup_from": 1893456000, "pickup_until": 1893542400, "deliver_until": 1893715200,
                      "max_price": 900},
    "cold_offer": dict(STORAGE_OFFER, kind="cold", pallets=100, temp_c={"min": -22, "max": -18}),
    "cold_request": dict(STORAGE_REQUEST, kind="cold", pallets=10, temp_c={"min": -25, "max": -15}),
    "warehouse_offer": dict(STORAGE_OFFER, kind="warehouse", m2=100),
    "warehouse_request": dict(STORAGE_REQUEST, kind="warehouse", m2=60),
}


def rows():
    with open(TABLE, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def packed_order(row, ref):
    """The order of a row, packed key by key, so that it may hold what no dict does."""
    order = dict(BASES[row["order"]], ref=ref)
    order.update(row.get("set", {}))
    for name in row.get("drop", ()):
        del order[name]
    pairs = [msgpack.packb(name) + msgpack.packb(value) for name, value in order.items()]
    for name, value in row.get("hex", {}).items():
        key = int(name[1:]) if name.startswith("#") else name
        pairs.append(msgpack.packb(key) + bytes.fromhex(value))
    pairs += [msgpack.packb(name) + msgpack.packb(order[name]) for name in row.get("twice", ())]
    return b"\xde" + len(pairs).to_bytes(2, "big") + b"".join(pairs)


class Sender:
    """Connections to one broker, on which the rows are tried one after the other."""

    def __init__(self, broker):
        self.broker = broker
        self.url = "tcp://127.0.0.1:%d" % broker.port
        self.client = broker.client(ACCOUNT)
        self.sent = 0

    def close(self):
        self.client.close()

    def send(self, row):
        """What came of a row, in the row's own terms; and the connection that it was sent on is well, or
        closed."""
        if "order" in row:
            return {"error": self.order(row)}
        if "frame" in row:
            return self.frame(bytes.fromhex(row["frame"]))
        if "command" in row:
            return self.command(row)
        return {"error": self.line(row)}

    def order(self, row):
        self.sent += 1
        number = 1000000 + self.sent
        request = b"\x94\x00" + msgpack.packb(number) + msgpack.packb("submit") + b"\x91"
        self.client.send_bytes(request + packed_order(row, "bad%d" % self.sent))
        error, _ = self.client.response(number)
        self.client.call("ping")
        return error

    def frame(self, data):
        with self.broker.client(ACCOUNT) as client:
            client.send_bytes(data)
            while FRAME_ID not in client.responses:
                try:
                    client.receive()
                except Closed:
                    return {"notice": client.notifications.popleft().params if client.notifications else None}
            error, _ = client.response(FRAME_ID)
            client.call("ping")
            return {"error": error}

    def line(self, row):
        """One bad line between two good ones: three lines come out, and the good ones are taken."""
        self.sent += 1
        bad = bytes.fromhex(row["json_hex"]) if "json_hex" in row else row["json"].encode()
        good = [json.dumps(dict(BASES["warehouse_offer"], ref="good%d%s" % (self.sent, end),
                                account=ACCOUNT)).encode()
                for end in "ab"]
        done = self.run(["crossdock", "--url", self.url, "submit"],
                        good[0] + b"\n" + bad + b"\n" + good[1] + b"\n")
        first, found, last = map(json.loads, done.stdout.splitlines())
        if (first.get("status"), last.get("status"), done.returncode) != ("accepted", "accepted", 1):
            return {"code": "the good lines were not taken", "message": done.stdout.decode()}
        return found["error"]

    def command(self, row):
        done = self.run([word.replace("URL", self.url) for word in row["command"]], b"")
        said = done.stderr.decode().replace(self.url, "URL").replace(str(self.broker.port), "PORT")
        return {"exit": done.returncode, "stderr": said}

    @staticmethod
    def run(words, stdin):
        return subprocess.run([program(words[0]), *words[1:]], input=stdin, env=environment(), timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

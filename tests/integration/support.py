"""Starts a real broker and speaks its protocol. For the integration tests.

XD_BIN names the directory of the programs. A broker started here listens on a port that the kernel chose and keeps its
data in a directory of its own, which goes away with it.

    with Broker() as broker, broker.client("acme") as client:
        client.call("submit", truck_request("r1"))
        event = client.event()
"""

import collections
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import msgpack

TIMEOUT = float(os.environ.get("XD_TEST_TIMEOUT", "30"))

Notification = collections.namedtuple("Notification", "method params")


def program(name):
    """The path of one of our programs."""
    return os.path.join(os.environ["XD_BIN"], name)


def run(name, *args, env=None, timeout=TIMEOUT, stdin=None):
    """Runs a program to its end; the completed process has stdout and stderr as text."""
    return subprocess.run([program(name), *args], env=environment(env), timeout=timeout, input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


def environment(more=None):
    """The environment without CROSSDOCK_ settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CROSSDOCK_")}
    kept.update(more or {})
    return kept


class Refused(Exception):
    """The broker answered with an error map."""

    def __init__(self, error):
        super().__init__(error)
        self.code = error["code"]
        self.message = error["message"]
        self.field = error.get("field", "")


class Closed(Exception):
    """The connection ended."""


class Process:
    """A program of ours that runs, its log read as it comes."""

    def __init__(self):
        self.process = None
        self.lines = []
        self.changed = threading.Condition()

    def launch(self, name, *args, env=None):
        """Starts it, with a log that is still empty."""
        self.name = name
        self.lines = []
        self.process = subprocess.Popen([program(name), *args], env=environment(env), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True)
        self.reader.start()

    def _read(self, stream):
        with stream:
            for line in stream:
                with self.changed:
                    self.lines.append(line.rstrip("\n"))
                    self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    def wait_log(self, text, count=1, timeout=TIMEOUT):
        """The count-th line of the log that contains `text`, waited for."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                found = [line for line in self.lines if line and text in line]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if left <= 0 or (self.lines and self.lines[-1] is None):
                    raise AssertionError("no %r in the log of %s:\n%s" % (text, self.name, self.log()))
                self.changed.wait(left)

    def log(self):
        return "\n".join(line for line in self.lines if line)

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=TIMEOUT):
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired as still:
            raise AssertionError("it did not end within %g s:\n%s" % (timeout, self.log())) from still
        self.reader.join(timeout)
        return code

    def stop(self, number=signal.SIGTERM):
        """Stops it; its exit status."""
        if self.process.poll() is None:
            self.send_signal(number)
        return self.wait()

    def kill(self):
        return self.stop(signal.SIGKILL)


class Broker(Process):
    """A running crossdock-broker. `args` are more command-line arguments."""

    def __init__(self, *args, data=None, env=None, tls=None, listen="127.0.0.1:0", start=True):
        super().__init__()
        self.args = list(args)
        self.env = env
        self.tls = tls
        self.listen = listen
        self.own_data = None if data else tempfile.TemporaryDirectory(prefix="crossdock-test-")
        self.data = data or self.own_data.name
        if start:
            self.start()

    def start(self, until="msg=ready "):
        """Starts, and waits until it is ready (or its log has said something else)."""
        self.launch("crossdock-broker", "--listen", self.listen, "--data", self.data, *self.args, env=self.env)
        line = self.wait_log(until)
        if "listen=" not in line:
            return self
        self.address = line.split("listen=")[1].split()[0]
        host, port = self.address.rsplit(":", 1)
        self.host, self.port = host.strip("[]"), int(port)
        return self

    def client(self, account=None, **options):
        """A connection that has said hello as `account` (None: has said nothing yet)."""
        client = Client((self.host, self.port), tls=self.tls, **options)
        if account is not None:
            client.call("hello", {"account": account})
        return client

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            code = self.stop()
            if kind is None and code != 0:
                raise AssertionError("the broker ended with %d:\n%s" % (code, self.log()))
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            if self.own_data:
                self.own_data.cleanup()


class Client:
    """One connection, blocking. What comes unasked is kept until event() or notice() asks for it."""

    def __init__(self, address, tls=None, timeout=TIMEOUT, receive_buffer=None):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout)
        self.sock.connect(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
        self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=64 << 20)
        self.next_id = 0
        self.responses = {}
        self.notifications = collections.deque()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, method, params=None):
        """Sends a request without waiting; its number."""
        number = self.next_id
        self.next_id += 1
        self.send_bytes(msgpack.packb([0, number, method, [] if params is None else [params]]))
        return number

    def notify(self, method, params=None):
        self.send_bytes(msgpack.packb([2, method, [] if params is None else [params]]))

    def send_bytes(self, data):
        self.sock.sendall(data)

    def receive(self):
        """Takes one message off the wire and files it. Raises Closed at the end of the connection."""
        while True:
            for message in self.unpacker:
                if message[0] == 1:
                    self.responses[message[1]] = (message[2], message[3])
                else:
                    self.notifications.append(Notification(message[1], message[2][0]))
                return message
            try:
                data = self.sock.recv(1 << 16)
            except ConnectionError as error:
                raise Closed from error
            except ssl.SSLError as error:
                raise Closed(str(error)) from error
            if not data:
                raise Closed
            self.unpacker.feed(data)

    def response(self, number):
        """(error, result) of a request that was sent."""
        while number not in self.responses:
            self.receive()
        return self.responses.pop(number)

    def result(self, number):
        """The result of a request that was sent; Refused if it was."""
        error, result = self.response(number)
        if error is not None:
            raise Refused(error)
        return result

    def call(self, method, params=None):
        return self.result(self.send(method, params))

    def notification(self, method):
        """The next notification of that method."""
        while True:
            for found in self.notifications:
                if found.method == method:
                    self.notifications.remove(found)
                    return found.params
            self.receive()

    def event(self, kind=None):
        """The next event, or the next of that type."""
        while True:
            event = self.notification("event")
            if kind is None or event["type"] == kind:
                return event

    def notice(self):
        return self.notification("notice")

    def flush_events(self):
        """Everything that has come or is under way now: events that a ping overtakes are not waited for."""
        self.call("ping")
        events = [found.params for found in self.notifications if found.method == "event"]
        self.notifications = collections.deque(f for f in self.notifications if f.method != "event")
        return events

    def until_closed(self):
        """Reads to the end of the connection; the notifications that came."""
        try:
            while True:
                self.receive()
        except Closed:
            found = list(self.notifications)
            self.notifications.clear()
            return found


SHANGHAI = {"lat": 31.23, "lon": 121.47}
SUZHOU = {"lat": 31.30, "lon": 120.58}
NANJING = {"lat": 32.06, "lon": 118.80}


def now():
    return int(time.time())


def truck_offer(ref, at=None, **more):
    """An empty truck in Shanghai that anybody's small load fits."""
    at = at or now()
    order = {"side": "offer", "kind": "truck", "ref": ref, "from": SHANGHAI, "kg": 12000, "pallets": 30,
             "available_from": at + 3600, "available_until": at + 30 * 86400, "max_detour_km": 2000, "per_t_km": 0.5}
    order.update(more)
    return order


def truck_request(ref, at=None, **more):
    """A load from Suzhou to Nanjing that truck_offer can carry at a surplus."""
    at = at or now()
    order = {"side": "request", "kind": "truck", "ref": ref, "from": SUZHOU, "to": NANJING, "kg": 1000, "pallets": 2,
             "pickup_from": at + 7200, "pickup_until": at + 5 * 86400, "deliver_until": at + 8 * 86400,
             "max_price": 5000}
    order.update(more)
    return order


def make_certificates(directory):
    """A CA, a broker's certificate for localhost, a client's of account acme, an operator's, one whose CN is no account, and
    a client's certificate of another CA, with the openssl command. Files NAME.crt and NAME.key in `directory`."""

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=directory, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for authority in ("ca", "other-ca"):
        openssl("req", "-x509", *key, "-keyout", authority + ".key", "-out", authority + ".crt", "-days", "2",
                "-subj", "/CN=" + authority)
    for name, authority, subject in (("broker", "ca", "localhost"), ("acme", "ca", "acme"),
                                     ("operator", "ca", "*"), ("badname", "ca", "not an account"), ("stranger", "other-ca", "acme")):
        openssl("req", "-new", *key, "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + subject)
        extra = os.path.join(directory, name + ".ext")
        with open(extra, "w", encoding="ascii") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", authority + ".crt", "-CAkey", authority + ".key",
                "-CAcreateserial", "-out", name + ".crt", "-days", "2", "-extfile", extra)


def tls_context(directory, name=None):
    """A client's TLS context that trusts ca.crt and shows the certificate `name`, if any."""
    context = ssl.create_default_context(cafile=os.path.join(directory, "ca.crt"))
    if name:
        context.load_cert_chain(os.path.join(directory, name + ".crt"), os.path.join(directory, name + ".key"))
    return context

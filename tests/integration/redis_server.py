"""A redis-server of a test's own."""

import random
import socket
import subprocess
import tempfile


def free_port():
    """One that the kernel gives to no connection, so that it is still free after a while without its server: whoever tries to
    connect to a port of the kernel's own range may even get himself."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Redis:
    """A redis-server on a free port; `synced`: it fsyncs every write. `more` are more of its options."""

    def __init__(self, *more, synced=True):
        self.directory = tempfile.TemporaryDirectory(prefix="crossdock-redis-")
        self.port = free_port()
        self.url = "redis://127.0.0.1:%d" % self.port
        self.command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory.name,
                        "--appendonly", "yes", "--appendfsync", "always" if synced else "everysec", "--save", "", *more]
        self.start()

    def start(self):
        """Starts, and waits until it answers."""
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        while "PONG" not in subprocess.run(["redis-cli", "-p", str(self.port), "ping"], stdout=subprocess.PIPE,
                                           stderr=subprocess.DEVNULL, text=True, check=False).stdout:
            if self.process.poll() is not None:
                raise AssertionError("redis-server ended")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.kill()
        self.directory.cleanup()

    def cli(self, *command):
        return subprocess.run(["redis-cli", "-p", str(self.port), *command], check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()

"""Hosts for the processes of a run: each a network namespace with an address on one bridge, whose cable can be pulled.
Packets of a host that is cut off vanish without a word, as they do in life. Where namespaces are not permitted all hosts
are this machine, on ports that were free, and cannot be cut off."""

import contextlib
import ctypes
import os
import subprocess

import paths  # noqa: F401
from redis_server import free_port

NETWORK = "10.231.0."
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def ip(*args):
    subprocess.run(["ip", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Network:
    """Makes hosts, and takes them all away again."""

    def __init__(self):
        self.prefix = "xdc%d-" % os.getpid()
        self.spaces = []
        self.hosts = {}
        self.real = self._permitted()

    def _permitted(self):
        """Whether there are namespaces for us; makes the one that the bridge is in."""
        try:
            self._space("net")
            ip("-n", self.prefix + "net", "link", "add", "br0", "up", "type", "bridge")
        except (OSError, subprocess.CalledProcessError):
            self.close()
            return False
        return True

    def _space(self, name):
        ip("netns", "add", self.prefix + name)
        self.spaces.append(self.prefix + name)

    def host(self, name):
        """The host of that name, made when it is first asked for."""
        if name not in self.hosts:
            self.hosts[name] = Host(self, name) if self.real else LocalHost(name)
            if self.real:
                self._space(name)
                self.hosts[name].plug_in(len(self.hosts))
        return self.hosts[name]

    def close(self):
        for space in self.spaces:
            subprocess.run(["ip", "netns", "del", space], check=False, stderr=subprocess.DEVNULL)
        self.spaces = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class LocalHost:
    """This machine under another name."""

    prefix = []
    address = "127.0.0.1"

    def __init__(self, name):
        self.name = name

    def port(self, _usual):
        return free_port()

    @contextlib.contextmanager
    def inside(self):
        yield


class Host:
    def __init__(self, network, name):
        self.name = name
        self.net = network.prefix + "net"
        self.space = network.prefix + name
        self.cable = "v-" + name
        self.path = "/var/run/netns/" + self.space
        self.prefix = ["nsenter", "--net=" + self.path]

    def plug_in(self, number):
        self.address = NETWORK + str(number)
        ip("link", "add", "eth0", "netns", self.space, "type", "veth", "peer", "name", self.cable, "netns", self.net)
        ip("-n", self.space, "link", "set", "lo", "up")
        ip("-n", self.space, "address", "add", self.address + "/24", "dev", "eth0")
        ip("-n", self.space, "link", "set", "eth0", "up")
        ip("-n", self.net, "link", "set", self.cable, "up")
        self.heal()

    def port(self, usual):
        return usual

    def cut(self):
        ip("-n", self.net, "link", "set", self.cable, "nomaster")

    def heal(self):
        ip("-n", self.net, "link", "set", self.cable, "master", "br0")

    @contextlib.contextmanager
    def inside(self):
        """Sockets that this thread makes meanwhile are the host's."""
        with open("/proc/thread-self/ns/net", "rb") as home, open(self.path, "rb") as space:
            enter(space)
            try:
                yield
            finally:
                enter(home)


def enter(space):
    if libc.setns(space.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")

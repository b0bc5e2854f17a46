"""libcrossdock as it is installed: what it exports, and the example compiled against it by way of pkg-config."""

import glob
import os
import re
import subprocess
import tempfile
import unittest

from support import Broker, environment

BUILD = os.path.dirname(os.path.abspath(os.environ["XD_BIN"]))
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def output(*command, env=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(env),
                          check=False)
    if done.returncode != 0:
        raise AssertionError("%s: %s" % (" ".join(command), done.stdout + done.stderr))
    return done.stdout


def sanitizers():
    """What a program must be linked with because the library was made so."""
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
        found = re.search(r"^XD_SANITIZE:STRING=(.+)$", cache.read(), re.M)
    return ["-fsanitize=" + found.group(1)] if found else []


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="crossdock-install-")
        cls.addClassCleanup(cls.directory.cleanup)
        output("cmake", "--install", BUILD, "--component", "client", "--prefix", cls.directory.name)
        cls.package = os.path.dirname(cls.find("crossdock.pc"))
        cls.library = os.path.dirname(cls.find("libcrossdock.so"))

    @classmethod
    def find(cls, name):
        found = glob.glob(os.path.join(cls.directory.name, "**", name), recursive=True)
        assert len(found) == 1, (name, found)
        return found[0]

    def test_exports(self):
        """Nothing but what the header declares."""
        with open(self.find("crossdock.h"), encoding="utf-8") as header:
            declared = set(re.findall(r"^XD_CLIENT_API .*?(xd_client_\w+)\(", header.read(), re.M))
        symbols = output("nm", "-D", "--defined-only", os.path.join(self.library, "libcrossdock.so")).splitlines()
        exported = {line.split()[-1] for line in symbols} - {"_init", "_fini"}
        self.assertEqual({name for name in exported if not name.startswith("__")}, declared)

    def compile(self, name, *libraries):
        program = os.path.join(self.directory.name, name)
        flags = output("pkg-config", "--cflags", "crossdock", env={"PKG_CONFIG_PATH": self.package}).split()
        output("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", *flags, *sanitizers(),
               os.path.join(SOURCE, "clients", "examples", "hello.c"), "-o", program, *libraries)
        return program

    def check(self, program):
        with Broker() as broker:
            env = {"LD_LIBRARY_PATH": self.library}
            self.assertEqual(output(program, "tcp://" + broker.address, env=env), "order o0-1\n")
        done = subprocess.run([program, "tcp://127.0.0.1:1"], env=environment(env), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "127.0.0.1 port 1: Connection refused (connection)\n"))

    def test_shared(self):
        libraries = output("pkg-config", "--libs", "crossdock", env={"PKG_CONFIG_PATH": self.package}).split()
        self.check(self.compile("hello", *libraries))

    def test_static(self):
        libraries = output("pkg-config", "--libs", "--static", "crossdock", env={"PKG_CONFIG_PATH": self.package}).split()
        archive = [self.find("libcrossdock.a") if flag == "-lcrossdock" else flag for flag in libraries]
        self.check(self.compile("hello-static", *archive))

    def test_cxx(self):
        """The header is C++ too."""
        flags = output("pkg-config", "--cflags", "crossdock", env={"PKG_CONFIG_PATH": self.package}).split()
        source = os.path.join(self.directory.name, "empty.cc")
        with open(source, "w", encoding="ascii") as file:
            file.write("#include <crossdock.h>\nint main() { return xd_client_fd != nullptr ? 0 : 1; }\n")
        output("c++", "-fsyntax-only", *flags, source)


if __name__ == "__main__":
    unittest.main()

"""The same by the commands alone: crossdock submit and watch write what checker.py reads, as a user would check a broker."""

import json
import os
import subprocess
import tempfile
import unittest

import play
from mix import Mix
from support import run

CHECKER = play.HERE.parents[2] / "checker" / "checker.py"


class Commands(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="crossdock-commands-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def check(self, *files):
        return subprocess.run(["/usr/bin/python3", "-B", str(CHECKER), *files], stdout=subprocess.PIPE,
                              text=True, timeout=60, check=False)

    def test_submit_watch_check(self):
        orders = [order for _, some in Mix(5, 300).rounds() for order in some]
        with play.start() as broker:
            url = "tcp://%s" % broker.address
            self.assertEqual(run("crossdock", "--url", url, "clock", "set", str(orders[0]["time"])).returncode, 0)
            lines = "".join(json.dumps({name: value for name, value in order.items() if name != "time"}) + "\n"
                            for order in orders)
            acks = run("crossdock", "--url", url, "submit", stdin=lines)
            self.assertEqual((acks.returncode, acks.stdout.count("\n")), (0, len(orders)), acks.stderr)
            events = run("crossdock", "--url", url, "--account", "*", "watch", "--all", "--idle", "1", "--json")
            self.assertEqual(events.returncode, 0, events.stderr)
        files = [self.write("orders", lines), self.write("events", events.stdout)]
        done = self.check("--trucks", "1", "--acks", self.write("acks", acks.stdout), *files)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("nothing wrong", done.stdout)
        wrong = self.write("wrong", events.stdout.replace('"price":', '"price":1', 1))
        done = self.check(files[0], wrong)
        self.assertEqual(done.returncode, 1)
        self.assertIn("sides-differ: ", done.stdout)


if __name__ == "__main__":
    unittest.main()

"""docs/MATCHING.md says what the programs say, and its pictures can be drawn from that."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOLS = ROOT / "tools" / "pictures"
sys.path.insert(0, str(TOOLS))

import played  # noqa: E402  (from tools/pictures)

PROGRAMS = os.environ["XD_BIN"]
PAGE = (ROOT / "docs" / "MATCHING.md").read_text(encoding="utf-8")
LARGEST = 150000  # bytes of a picture


class Matching(unittest.TestCase):
    def test_commands(self):
        """Every command of the page prints what the page says."""
        pieces = played.read(PAGE)
        played.play(PROGRAMS, pieces)
        commands = [piece for piece in pieces if isinstance(piece, played.Command)]
        self.assertGreater(len(commands), 30)
        for command in commands:
            self.assertEqual(command.printed, command.said, " ".join(command.words))
        self.assertEqual(played.write(pieces), PAGE)

    def test_pictures(self):
        """The script draws the pictures that the page shows: well-formed, small, and self-contained."""
        with tempfile.TemporaryDirectory() as out:
            subprocess.run(
                [sys.executable, "-B", str(TOOLS / "draw"), "--programs", PROGRAMS, "--out", out],
                check=True,
                timeout=120,
            )
            drawn = sorted(os.listdir(out))
            self.assertEqual(drawn, sorted(path.name for path in (ROOT / "docs" / "pictures").glob("*.svg")))
            for name in drawn:
                self.assertIn("](pictures/%s)" % name, PAGE)
                for path in (pathlib.Path(out) / name, ROOT / "docs" / "pictures" / name):
                    self.check(path)

    def test_search(self):
        """The program that the tree's picture comes from still finds what the picture shows."""
        told = subprocess.run([os.path.join(PROGRAMS, "crossdock-picture-search")], check=True, timeout=120,
                              stdout=subprocess.PIPE, text=True).stdout
        now, kept = json.loads(told), json.loads((TOOLS / "search.json").read_text(encoding="utf-8"))
        for name in ("stores", "request", "match"):
            self.assertEqual(now[name], kept[name])
        leaves = [node for node in now["nodes"] if node["leaf"]]
        self.assertEqual(sum(leaf["orders"] for leaf in leaves), now["stores"])
        self.assertLess(sum(leaf.get("turn", 0) > 0 for leaf in leaves), len(leaves) / 4)

    def check(self, path):
        self.assertLess(path.stat().st_size, LARGEST, path)
        root = xml.etree.ElementTree.parse(path).getroot()
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        for element in root.iter():
            for name, value in element.items():
                self.assertNotIn("nan", value.lower(), (path, element.tag, name))
                self.assertFalse(name.endswith("href"), (path, element.tag))


if __name__ == "__main__":
    unittest.main()

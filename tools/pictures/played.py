"""Plays the examples of docs/MATCHING.md.

Its indented blocks are commands and what they print. All of them are run from top to bottom against one broker
with a clock of its own, so the page says what the programs say. The pictures are drawn from the events of the
same broker.
"""

import json
import os
import shlex
import subprocess
import tempfile

TIMEOUT = 30
COMMANDS = {
    "crossdock": None,
    "tools/pictures/positions": os.path.join(os.path.dirname(os.path.abspath(__file__)), "positions"),
}
PROMPT = "    $ "


class Command:
    """A command of the page, the lines that it is said to print, and those that it did."""

    def __init__(self, lines):
        self.source = lines
        self.words = shlex.split(" ".join(line.strip().removesuffix("\\") for line in lines)[2:])
        self.said = []
        self.printed = None


def read(page):
    """The page in pieces: plain lines, and Commands with their output."""
    pieces, lines = [], page.split("\n")
    while lines:
        line = lines.pop(0)
        if not line.startswith(PROMPT):
            pieces.append(line)
            continue
        source = [line]
        while source[-1].endswith("\\"):
            source.append(lines.pop(0))
        command = Command(source)
        while lines and lines[0].startswith("    ") and not lines[0].startswith(PROMPT):
            command.said.append(lines.pop(0)[4:])
        pieces.append(command)
    return pieces


def write(pieces):
    """The page with what the commands printed."""
    lines = []
    for piece in pieces:
        if isinstance(piece, Command):
            lines += piece.source + [("    " + line).rstrip() for line in piece.printed]
        else:
            lines.append(piece)
    return "\n".join(lines)


def start_broker(programs, data):
    """(process, URL) of a broker that is ready, on a port that the kernel chose."""
    process = subprocess.Popen(
        [os.path.join(programs, "crossdock-broker"), "--listen", "127.0.0.1:0", "--data", data, "--test-clock"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if "msg=ready " in line:
            return process, "tcp://" + line.split("listen=")[1].split()[0]
    raise RuntimeError("the broker did not start")


def run(programs, url, words):
    """What a command of the page prints."""
    if words[0] not in COMMANDS:
        raise RuntimeError("not a command for this page: " + " ".join(words))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CROSSDOCK_")}
    environment.update(CROSSDOCK_URL=url, PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(
        [COMMANDS[words[0]] or os.path.join(programs, words[0]), *words[1:]],
        env=environment,
        timeout=TIMEOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def events(programs, url):
    """Every event so far, oldest first. An order of nobody else's marks the end."""
    run(
        programs,
        url,
        [
            "crossdock",
            "--account",
            "the-end",
            "offer",
            "warehouse",
            "ref=the-end",
            "at=0,0",
            "m2=1",
            "from_day=2099-01-01",
            "until_day=2099-01-02",
        ],
    )
    watch = subprocess.Popen(
        [
            os.path.join(programs, "crossdock"),
            "--url",
            url,
            "--account",
            "*",
            "watch",
            "--all",
            "--json",
            "--idle",
            str(TIMEOUT),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    told = []
    for line in watch.stdout:
        told.append(json.loads(line))
        if told[-1]["account"] == "the-end":
            break
    watch.terminate()
    watch.stdout.close()
    watch.wait(TIMEOUT)
    return told[:-1]


def play(programs, pieces):
    """Runs the commands among the pieces, in order, and keeps what they printed; every event that came of it."""
    with tempfile.TemporaryDirectory(prefix="crossdock-pictures-") as data:
        process, url = start_broker(programs, data)
        try:
            for piece in pieces:
                if isinstance(piece, Command):
                    piece.printed = run(programs, url, piece.words).rstrip("\n").split("\n")
            return events(programs, url)
        finally:
            process.terminate()
            process.stderr.close()
            process.wait(TIMEOUT)


def order_of(command):
    """What an offer or request command submits, as a map of texts; None for other commands."""
    words = command.words[3:]
    if not words or words[0] not in ("offer", "request"):
        return None
    return {
        "account": command.words[2],
        "side": words[0],
        "kind": words[1],
        **dict(word.split("=", 1) for word in words[2:]),
    }


def orders(pieces):
    """The orders that the page submits, by ref, as (Command, map)."""
    found = [(piece, order_of(piece)) for piece in pieces if isinstance(piece, Command)]
    return {order["ref"]: (command, order) for command, order in found if order}

"""The measuring programs: building them, the books they are given, their answers."""

import hashlib
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "../../.."))
BIN = os.environ.get("XD_BIN", os.path.join(ROOT, "build/release/bin"))
PLACE = os.path.join(ROOT, "build/bench-engine")
TREE, COUNTING, SCAN = ("crossdock-bench-engine" + suffix for suffix in ("", "-counting", "-scan"))

# A book made by other code than this is another book.
MADE_BY = (
    "flow.c",
    "flow.h",
    "flow_events.c",
    "orders.c",
    "orders_storage.c",
    "orders_truck.c",
    "prepare.c",
    "snapshot.c",
    "../../../engine/snapshot/snapshot.c",
    "../../../clients/bench/places.c",
    "../../../clients/bench/data/cn_places.csv",
)


class Failed(Exception):
    """A program did not do what it should."""


def say(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def build():
    subprocess.run([os.path.join(ROOT, "tools/install-packages"), "build", "bench-engine"], check=True)
    if "XD_BIN" in os.environ:
        return
    for command in (
        ["cmake", "--preset", "release"],
        ["cmake", "--build", "--preset", "release", "--target", TREE, COUNTING, SCAN],
    ):
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def has_scan():
    """The scan is written for AVX2."""
    with open("/proc/cpuinfo", encoding="ascii") as file:
        return "avx2" in file.read() and os.path.exists(os.path.join(BIN, SCAN))


def call(program, *arguments, wrapper=(), quiet=False):
    """Runs a program; its answers, one for each line of JSON, and what it said beside them."""
    command = [*wrapper, os.path.join(BIN, program), *[str(argument) for argument in arguments]]
    done = subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE if quiet else None, check=False
    )
    if done.returncode != 0:
        raise Failed("%s ended with %d: %s" % (" ".join(command), done.returncode, done.stderr or ""))
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def made_by():
    digest = hashlib.sha256()
    for name in MADE_BY:
        with open(os.path.join(HERE, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:12]


def book(shape, resting, turns, seed, unmatched=False):
    """The file of a prepared book, made now if it is not there yet."""
    directory = os.path.join(PLACE, "books")
    os.makedirs(directory, exist_ok=True)
    kind = "unmatched" if unmatched else "%g" % turns
    path = os.path.join(directory, "%s-%d-%s-%d-%s" % (shape, resting, kind, seed, made_by()))
    if not os.path.exists(path):
        say(
            "making a book of %d resting orders (%s%s)"
            % (resting, shape, ", none matched" if unmatched else "")
        )
        call(
            TREE,
            "prepare",
            "--shape",
            shape,
            "--resting",
            resting,
            "--seed",
            seed,
            "--turns",
            turns,
            "--out",
            path + ".new",
            *(["--unmatched"] if unmatched else []),
            quiet=True
        )
        os.rename(path + ".new", path)
    return path


def run(program, path, seconds, check=0):
    answers, _ = call(program, "run", "--from", path, "--seconds", seconds, "--check", check)
    return answers[0]


def instructions(path, commands):
    """Instructions a command, all carried out under valgrind; None where it is not there."""
    wrapper = [
        "valgrind",
        "--tool=callgrind",
        "--instr-atstart=no",
        "--toggle-collect=xd_engine_apply",
        "--callgrind-out-file=/dev/null",
    ]
    try:
        answers, said = call(TREE, "run", "--from", path, "--commands", commands, wrapper=wrapper, quiet=True)
    except (Failed, FileNotFoundError) as why:
        say("no instructions counted: %s" % why)
        return None
    collected = re.search(r"Collected : (\d+)", said)
    return int(collected.group(1)) / (answers[0]["submits"] + answers[0]["cancels"]) if collected else None

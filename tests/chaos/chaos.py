"""One run: start, load, break, heal, judge."""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time

import hosts
import judge
import paths  # noqa: F401
import schedule
from load import Listener, Owner, Submitter, Told
from processes import wait_until
from topology import SHAPES, Topology

LISTENERS = ["*", "a0", "a1", "a2", "a3", "a4"]
SUBMITTERS = 3
HEAL_S = 60
TOLD_S = 3  # within which a partition that is well has told what happened in it
WHOLE_S = 20
RETRIED = 400


def options(arguments):
    parser = argparse.ArgumentParser(prog="tests/chaos/run", description=__doc__)
    parser.add_argument("--redis", choices=sorted(SHAPES), default="single")
    parser.add_argument("--brokers", type=int, default=3)
    parser.add_argument("--matchers", type=int, default=0, help="0: the brokers have the engine inside")
    parser.add_argument("--partitions", type=int, default=2, help="of each kind, where there are matchers")
    parser.add_argument("--level", help="--durability of the brokers; fsynced, and replicated:1 under sentinels")
    parser.add_argument("--may-lose", action="store_true", help="the level does not cover what is done: losses must be told")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seconds", type=float, help="instead of --minutes")
    parser.add_argument("--seed", type=int, help="of orders and actions; drawn if left out")
    parser.add_argument("--rate", type=float, default=100, help="orders a second")
    parser.add_argument("--every", type=float, default=2.5, metavar="SECONDS", help="between actions")
    parser.add_argument("--only", metavar="WHAT,...", help="only these actions: kill, stop, cut ...")
    parser.add_argument("--lease-ms", type=int, default=1000)
    parser.add_argument("--redis-timeout-ms", type=int, default=3000)
    parser.add_argument("--schedule", action="store_true", help="print what would be done, and end")
    parser.add_argument("--keep", action="store_true", help="keep logs and data")
    chosen = parser.parse_args(arguments)
    chosen.seconds = chosen.seconds or 60 * chosen.minutes
    chosen.seed = random.SystemRandom().randrange(10 ** 6) if chosen.seed is None else chosen.seed
    return chosen


class Run:
    def __init__(self, chosen, say=print):
        self.chosen = chosen
        self.say = say
        self.told = Told(chosen.level or SHAPES[chosen.redis].level, chosen.may_lose)
        self.listeners, self.events = [], []
        self.undo = []  # (when, text, what to do)
        self.silences = []
        self.topology = None

    # --- from beginning to end ---

    def run(self):
        """What was wrong, in words."""
        directory = tempfile.mkdtemp(prefix="crossdock-chaos-")
        wrong = ["it did not come to an end"]
        try:
            with hosts.Network() as network:
                self.topology = Topology(network, directory, self.chosen)
                self.actions = self.plan(network.real)
                try:
                    wrong = self._run(network)
                finally:
                    self.topology.end()
                wrong += self.topology.wrong()
                if wrong or self.chosen.keep:
                    self.write_down(directory)
        finally:
            if wrong or self.chosen.keep:
                self.say("logs, data and what clients were told are in " + directory)
            else:
                shutil.rmtree(directory, ignore_errors=True)
        return wrong

    def plan(self, cuts):
        if not cuts:
            self.say("no network namespaces here: no host is cut off")
        actions = schedule.make(self.chosen.seed, self.chosen, self.chosen.seconds, cuts)
        only = self.chosen.only and self.chosen.only.split(",")
        return [action for action in actions if not only or action.what in only]

    def _run(self, _network):
        self.topology.start()
        judge.serving(self.topology.fronts)
        self.start_clients()
        self.began = time.monotonic()
        for action in self.actions:
            self.wait_till(action.at)
            self.act(action)
        self.wait_till(self.chosen.seconds)
        self.heal()
        return self.judge()

    def start_clients(self):
        fronts, seed, chosen = self.topology.fronts, self.chosen.seed, self.chosen
        self.owner = Owner(self.told, fronts, seed + 1, chosen.rate / 15)
        self.listeners = [Listener(self.told, fronts, account, seed + 10 + i, self.owner.hear if i == 0 else None)
                          for i, account in enumerate(LISTENERS)]
        self.submitters = [Submitter(self.told, fronts, "s%d" % i, chosen.rate / SUBMITTERS, seed + 100 + i)
                           for i in range(SUBMITTERS)]
        for one in [*self.listeners, self.owner, *self.submitters]:
            one.start()

    # --- the actions ---

    def now(self):
        return time.monotonic() - self.began

    def wait_till(self, at, until=lambda: False):
        """Lets time go on: what was done is undone when its time has come. True if it was not for nothing."""
        while self.now() < at:
            self.topology.keep()
            due = [item for item in self.undo if item[0] <= self.now()]
            for item in due:
                self.undo.remove(item)
                item[2]()
            self.report()
            if until():
                return True
            time.sleep(0.02)
        return False

    def report(self):
        """A line of progress a minute."""
        minute = int(self.now() // 60)
        if minute > getattr(self, "reported", 0):
            self.reported = minute
            self.say("%7.2f   %d acknowledged, %d sent, %d events heard" %
                     (self.now(), len(self.told.acked), len(self.told.sent), len(self.listeners[0].events)))

    def program(self, target):
        """Who is meant; None where nobody is just now."""
        redis = self.topology.redis
        if target == "owner":
            front = self.told.last_front
            return front.broker if front else self.topology.fronts[0].broker
        if target in ("master", "replica"):
            if not self.wait_till(self.now() + WHOLE_S, redis.whole):
                self.say("          passed over: for %d s there was no master with a replica" % WHOLE_S)
                return None
            master = redis.master()
            return master if target == "master" else next(one for one in redis.redis if one is not master)
        return next((one for one in self.topology.programs() if one.name == target), None)

    def act(self, action):
        text = "%7.2f %s %s" % (action.at, action.what, action.target) + (" for %.2f s" % action.lasts if action.lasts else "")
        if action.what == "reshard":
            redis = self.topology.redis
            whole = self.wait_till(self.now() + WHOLE_S, redis.whole)
            done = redis.reshard(key_of(action.target)) if whole else "passed over, for not all nodes are there"
            self.say("%s: %s" % (text, done))
            return
        program = self.program(action.target)
        if program is None:
            return
        self.say(text + (" (%s)" % program.name if program.name != action.target else ""))
        back = getattr(self, "do_" + action.what)(program)
        if back:
            self.undo.append((self.now() + action.lasts, text, back))

    def do_kill(self, program):
        program.kill()
        return lambda: program.running() or program.start()

    def do_terminate(self, program):
        program.terminate()

        def again():
            if program.running():
                program.wanted = True
            else:
                program.start()
        return again

    def do_stop(self, program):
        program.pause()
        return program.go_on

    def do_cut(self, program):
        program.host.cut()
        return program.host.heal

    def do_failover(self, _program):
        redis = self.topology.redis
        self.say("          sentinel answers: " + redis.others[0].ask("sentinel", "failover", redis.master_name))

    # --- the end ---

    def heal(self):
        for _, _, back in self.undo:
            back()
        self.undo = []
        self.owner.stop()
        for one in self.submitters:
            one.stop()
        deadline = time.monotonic() + HEAL_S
        while time.monotonic() < deadline and any(one.is_alive() for one in self.submitters):
            self.topology.keep()
            time.sleep(0.02)
        for one in self.submitters:
            if one.is_alive():
                self.told.complain("%d orders of %s have no answer %d s after all was well", len(one.open), one.label, HEAL_S)
        self.owner.join(10)
        if not self.wait_whole():
            self.told.complain("Redis was not whole %d s after all was well", HEAL_S)

    def wait_whole(self):
        """Events are told when the replicas that are asked for have them: so none is missing that is to come."""
        deadline = time.monotonic() + HEAL_S
        while time.monotonic() < deadline:
            self.topology.keep()
            if self.topology.redis.whole():
                return True
            time.sleep(0.1)
        return False

    def judge(self):
        front = judge.serving(self.topology.fronts)
        keys = random.Random(self.chosen.seed).sample(sorted(self.told.acked), min(RETRIED, len(self.told.acked)))
        judge.retry(front, self.told, keys)
        due = {judge.same_event(event) for event in judge.history(front)}
        self.wait_listeners(due)
        for one in self.listeners:
            one.stop()
        for one in self.listeners:
            one.join(10)
        partitions = 1 if not self.chosen.matchers else 3 * self.chosen.partitions
        front = judge.serving(self.topology.fronts)
        whole_until = judge.time_of(front)
        wait_until(lambda: judge.time_of(front) > whole_until + TOLD_S, 60, "the telling of what had happened")
        self.events = judge.history(front)
        one = judge.Judge(self.told, self.listeners, due, self.events, whole_until, partitions, self.chosen.may_lose)
        wrong = one.run() + self.told.wrong
        self.tell(one)
        return wrong

    def write_down(self, directory):
        """What was sent, told and heard, for whoever looks for the cause."""
        files = {"orders": self.told.sent.values(), "commands": self.told.commands, "history": self.events,
                 "acks": [[*key, *answer] for key, answer in self.told.acked.items()]}
        files.update({"heard-" + one.account.replace("*", "all"): one.events.values() for one in self.listeners})
        for name, rows in files.items():
            with open(os.path.join(directory, name + ".jsonl"), "w", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)

    def wait_listeners(self, known):
        """Until the listeners have all that there is, or a while has passed."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            self.topology.keep()
            if {judge.same_event(event) for event in list(self.listeners[0].events.values())} >= known:
                return
            time.sleep(0.1)

    def tell(self, one):
        longest, began = self.told.longest_silence(self.began, self.began + self.chosen.seconds)
        levels = sorted({durability for _, durability in self.told.acked.values()})
        self.say("%d orders sent, %d acknowledged (%s), %d refused; %d events, %d matches confirmed; %s"
                 % (len(self.told.sent), len(self.told.acked), ", ".join(levels), len(self.told.refused), len(one.events),
                    one.kinds["match.confirmed"] // 2, ", ".join("%s %d" % pair for pair in sorted(one.figures.items()))))
        self.say("longest time without an acknowledgement: %.2f s, from %.2f s on" % (longest, began - self.began))
        self.say("told to clients: " + ", ".join("%s %d" % pair for pair in self.told.codes.most_common()))


def key_of(target):
    return {"market": "xd:market"}.get(target, target)


def main(arguments, say=lambda text: print(text, flush=True)):
    chosen = options(arguments)
    say("seed %d: %s, %d brokers, %d matchers, %g orders/s, %g s" % (
        chosen.seed, chosen.redis, chosen.brokers, chosen.matchers, chosen.rate, chosen.seconds))
    if chosen.schedule:
        for action in schedule.make(chosen.seed, chosen, chosen.seconds, True):
            say("%7.2f %s %s for %.2f s" % action)
        return 0
    wrong = Run(chosen, say).run()
    for line in wrong[:40]:
        say("WRONG: " + line)
    say("%d wrong; replay with --seed %d" % (len(wrong), chosen.seed) if wrong else "every promise was kept")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

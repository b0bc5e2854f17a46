"""What is done to whom, and when: the same for the same seed, shape and length. Drawn before the run begins."""

import collections
import random

Action = collections.namedtuple("Action", "at what target lasts")

CALM_S = 2.0  # before the first, and after the last


def choices(chosen, cuts):
    """(weight, what, targets, shortest, longest): `lasts` is drawn between the two."""
    lease = chosen.lease_ms / 1000
    brokers = ["b%d" % i for i in range(chosen.brokers)]
    matchers = ["m%d" % i for i in range(chosen.matchers)]
    workers = matchers or ["owner"]
    found = [(4, "kill", workers, 0, 2), (3, "stop", workers, 1.2 * lease, 2.5 * lease), (2, "terminate", workers, 0, 1),
             (2, "kill", brokers, 0, 2), (2, "stop", brokers, 0.5, 2.5 * lease), (1, "terminate", brokers, 0, 1)]
    if cuts:
        found += [(2, "cut", workers, 1.2 * lease, 3 * lease), (1, "cut", brokers, 0.5, 3 * lease)]
    return found + REDIS[chosen.redis](chosen, cuts)


def single(_chosen, cuts):
    found = [(3, "kill", ["r0"], 0, 1.5), (1, "terminate", ["r0"], 0, 1), (1, "stop", ["r0"], 0.2, 3)]
    return found + ([(1, "cut", ["r0"], 0.5, 4)] if cuts else [])


def sentinel(_chosen, cuts):
    """Of a master that is gone for longer than sentinels wait for it, another takes the place."""
    found = [(4, "kill", ["master"], 3, 5), (3, "stop", ["master"], 3, 6), (2, "failover", ["master"], 0, 0),
             (1, "stop", ["master"], 0.2, 0.7), (1, "kill", ["replica"], 0.5, 3), (1, "kill", ["s0", "s1", "s2"], 1, 3)]
    return found + ([(3, "cut", ["master"], 3, 6)] if cuts else [])


def cluster(chosen, _cuts):
    """The slots that matter: of partitions, of accounts' refs, of what all agree on."""
    partitions = ["{p%d}" % number for number in range(3 * chosen.partitions if chosen.matchers else 1)]
    return [(8, "reshard", partitions, 0, 0), (2, "reshard", ["{a1}", "{a7}", "market"], 0, 0), (1, "stop", ["r0", "r1", "r2"], 0.2, 1.5),
            (1, "kill", ["r0", "r1", "r2"], 0, 1)]


REDIS = {"single": single, "sentinel": sentinel, "cluster": cluster}


def make(seed, chosen, seconds, cuts):
    """The actions of a run of so many seconds. None lasts beyond its end, none falls on what is down already."""
    rng = random.Random(seed)
    table = choices(chosen, cuts)
    at, actions = CALM_S, []
    busy = {}
    while True:
        at += rng.uniform(0.5, 1.5) * chosen.every
        if at > seconds - CALM_S:
            return actions
        _, what, targets, shortest, longest = rng.choices(table, [row[0] for row in table])[0]
        target = rng.choice(targets)
        lasts = round(min(rng.uniform(shortest, longest), seconds - at), 2)
        if busy.get(target, 0) <= at:
            busy[target] = at + lasts + 0.5
            actions.append(Action(round(at, 2), what, target, lasts))

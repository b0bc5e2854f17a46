"""A random market of all three kinds, the same for the same seed: orders, and what their owners do when they
hear of matches. It is played against the twin (for the checker's own tests) or against a real broker."""

import random

from figures import DAY_S, day_number, day_text

CITIES = [(31.2304, 121.4737, 25), (39.9042, 116.4074, 19), (23.1291, 113.2644, 15), (22.5431, 114.0579, 13),
          (30.5728, 104.0668, 11), (29.563, 106.5516, 10), (34.3416, 108.9398, 9), (30.5928, 114.3055, 9),
          (30.2741, 120.1551, 8), (32.0603, 118.7969, 8), (31.299, 120.5853, 7), (36.6512, 117.1201, 6),
          (36.0671, 120.3826, 6), (34.7466, 113.6254, 6), (28.2282, 112.9388, 5), (34.2044, 117.2858, 4),
          (29.8683, 121.544, 4), (26.0745, 119.2965, 4), (31.8206, 117.2272, 4), (39.0842, 117.2009, 6),
          (31.4912, 120.3119, 4), (33.3477, 120.1616, 3), (28.682, 115.8579, 3), (38.0428, 114.5149, 3)]
START = 1893456000  # 2030-01-01T00:00:00Z
FEATURES = ["tail_lift", "box_body", "gps_tracking", "food_grade", "atp_fra", "atp_frb", "atp_frc", "adr_3"]
ACCOUNTS = 40


class Mix:
    """Orders come in rounds, a few at each second. `days` is how long the market is
    open."""
    def __init__(self, seed, orders, round_size=5, days=12, accounts=ACCOUNTS, truck_share=0.4):
        self.rng = random.Random(seed)
        self.amending = random.Random(~seed)
        self.left = orders
        self.round_size = round_size
        self.step_s = max(1, days * DAY_S * round_size // max(1, orders))
        self.accounts = accounts
        self.truck_share = truck_share
        self.now = START
        self.made = 0
        self.open_orders = []
        self.wrote = {}
        self.states = {}
        self.proposed = {}

    # --- orders ---

    def rounds(self):
        """(time, orders) until all have been given."""
        while self.left > 0:
            self.now += self.rng.randint(0, 2 * self.step_s)
            count = min(self.left, self.rng.randint(1, 2 * self.round_size - 1))
            self.left -= count
            yield self.now, [self.order() for _ in range(count)]

    def order(self):
        rng = self.rng
        self.made += 1
        side = "offer" if rng.random() < 0.42 else "request"
        draw = rng.random()
        order = {"side": side, "ref": "x%d" % self.made, "account": "a%d" % rng.randrange(self.accounts),
                 "time": self.now}
        if draw < self.truck_share:
            self._truck(order, side)
        else:
            self._storage(order, side, "cold" if rng.random() < 0.5 else "warehouse")
        self._terms(order, side)
        self.open_orders.append((order["account"], order["ref"]))
        self.wrote[order["account"], order["ref"]] = order
        return order

    def _place(self):
        lat, lon, _ = self.rng.choices(CITIES, [city[2] for city in CITIES])[0]
        if self.rng.random() < 0.3:
            return {"lat": lat, "lon": lon}
        return {"lat": round(lat + self.rng.gauss(0, 0.15), 4),
                "lon": round(lon + self.rng.gauss(0, 0.15), 4)}
    def _terms(self, order, side):
        rng = self.rng
        if rng.random() < 0.25:
            order["confirm"] = "manual"
            order["hold_s"] = rng.choice([30, 900, 3600, 86400])
        draw = rng.random()
        if draw < 0.06:
            order["fill"] = "now"
        elif side == "request" and draw < (0.4 if "min_part" in order else 0.12):
            order["fill"] = "all_now"
        if rng.random() < 0.1:
            order[rng.choice(["never", "only"])] = ["a%d" % account
                                                    for account in rng.sample(range(self.accounts), 8)]
        if rng.random() < 0.03:
            order["min_credit"] = rng.choice([500, 501])
        if rng.random() < (0.6 if side == "offer" else 0.15):
            order["features"] = rng.sample(FEATURES, 4 if side == "offer" else 1)
        if rng.random() < 0.03:
            order["currency"] = "USD"
        if rng.random() < 0.1:
            order["note"] = "gate %d" % rng.randint(1, 9)

    def _truck(self, order, side):
        rng = self.rng
        order["kind"] = "truck"
        order["from"] = self._place()
        start = self.now + rng.randint(-2 * 3600, 36 * 3600)
        if side == "offer":
            if rng.random() < 0.6:
                order["to"] = self._place()
            order.update(kg=rng.choice([3000, 12000, 24000]), pallets=rng.choice([6, 15, 33]),
                         max_detour_km=rng.choice([50, 200, 600, "812.345"]), available_from=start,
                         available_until=max(start, self.now) + rng.randint(12, 96) * 3600,
                         base=rng.choice([0, 50, "99.99"]),
                         per_t_km=rng.choice([0.2, 0.4, "0.4567"]),
                         per_detour_km=rng.choice([0, 1, "2.3456"]))
            if rng.random() < 0.3:
                order["speed_kmh"] = rng.choice([50, 72.5, 85])
            if rng.random() < 0.3:
                order["temp_c"] = {"min": -25, "max": 12}
            if rng.random() < 0.2:
                order["m3"] = rng.choice([30, 60.5])
            return
        order["to"] = self._place()
        until = max(start, self.now) + rng.randint(3, 30) * 3600
        pallets = rng.choice([1, 2, "2.5", 4, 8])
        order.update(kg=int(float(pallets) * rng.randint(200, 700)), pallets=pallets, pickup_from=start,
                     pickup_until=until, deliver_until=until + rng.randint(5, 48) * 3600,
                     max_price=rng.randint(300, 6000))
        if rng.random() < 0.5:
            order.update(load_min=rng.choice([15, 30, 60]), unload_min=rng.choice([15, 45]))
        if rng.random() < 0.12:
            low = rng.choice([-22, -20, 2, 6])
            order["temp_c"] = {"min": low, "max": low + rng.choice([0.5, 4])}
        if rng.random() < 0.1:
            order["m3"] = rng.choice([3, 10.25])

    def _storage(self, order, side, kind):
        rng = self.rng
        order.update(kind=kind, at=self._place())
        first = self.now // DAY_S + rng.randint(1, 6)
        unit, scale = ("pallets", 1) if kind == "cold" else ("m2", 3)
        if side == "offer":
            order.update(from_day=day_text(first - rng.randint(0, 5)),
                         until_day=day_text(first + rng.randint(10, 60)),
                         base=rng.choice([0, 20]))
            order[unit] = rng.choice([20, 60, 200]) * scale
            order["per_pallet_day" if kind == "cold" else "per_m2_day"] = rng.choice([1, 1.25, "2.0005"])
            if rng.random() < 0.3:
                order["kg"] = rng.choice([9000, 50000])
            if rng.random() < 0.2:
                order["min_part"] = rng.choice([2, 5.5])
        else:
            days, amount = rng.randint(1, 20), rng.choice([2, 5, 7.5, 30, 90]) * scale
            order.update(from_day=day_text(first), until_day=day_text(first + days),
                         radius_km=rng.choice([20, 60, 150, 400]),
                         max_price=round(amount * days * rng.choice([1.1, 2, 3]) + 60, 2))
            order[unit] = amount
            if rng.random() < 0.4:
                order["min_part"] = round(amount / rng.choice([2, 5]), 2)
            if rng.random() < 0.3:
                order["kg"] = int(amount * 333) + 1
            if rng.random() < 0.2:
                order["per_access_km"] = rng.choice([0.5, "0.1234"])
        if kind == "cold":
            low = rng.choice([-25, -20, 2])
            order["temp_c"] = {"min": low, "max": low + (4 if side == "offer" else 8)}

    # --- what owners do ---

    def hear(self, event):
        match = event.get("match")
        if match:
            if match["state"] in ("proposed", "confirmed"):
                self.states[match["id"]] = match
                if event["type"] == "match.proposed":
                    self.proposed[match["id"]] = match
            else:
                self.states.pop(match["id"], None)

    def acts(self):
        """(method, account, match id or (account, ref)) of what owners do now; some of it is refused, as in
        life."""
        rng = self.rng
        acts = []
        matches = list(self.states.values())
        for match in rng.sample(matches,
                                min(len(matches), 1 + int(len(matches) ** 0.5), 2 * self.round_size)):
            account = match[rng.choice(["offer", "request"])]["account"]
            acts.append((self._choice(match["state"]), account, match["id"]))
        proposed, self.proposed = self.proposed, {}
        for match in proposed.values():
            if rng.random() < 0.6:
                acts += [("accept", match[side]["account"], match["id"]) for side in ("offer", "request")]
        if self.open_orders and self.amending.random() < 0.4:
            key = self.amending.choice(self.open_orders)
            acts.append(("amend", key[0], (key, self._changes(self.wrote[key]))))
        if self.open_orders and rng.random() < 0.3:
            key = self.open_orders.pop(rng.randrange(len(self.open_orders)))
            acts.append(("cancel", key[0], key))
        return acts

    def _changes(self, order):
        """New terms for an order, some of them for the better; what it has become meanwhile nobody here knows."""
        rng = self.amending
        unit = "m2" if order["kind"] == "warehouse" else "pallets"
        often = {"note": "gate %d" % rng.randint(1, 9), "min_credit": rng.choice([0, 500, None]),
                 unit: round(float(order[unit]) * rng.choice([0.25, 0.5, 0.75, 1, 1.25, 2]), 2),
                 "confirm": rng.choice(["auto", "manual"]), "never": rng.choice([None, ["a1", "a2"]]),
                 "features": rng.choice([None, rng.sample(FEATURES, 2)])}
        if order["side"] == "request":
            often["max_price"] = round(float(order["max_price"]) * rng.choice([0.5, 0.9, 1.2, 3]), 2)
        else:
            often["base"] = rng.choice([0, 10, 80])
        if order["kind"] != "truck":
            often["kg"] = rng.choice([None, 4000, 60000])
            often["until_day"] = day_text(day_number(order["until_day"]) + rng.randint(-4, 6))
            often["min_part"] = rng.choice([None, 1, 2.5])
        elif order["side"] == "offer":
            often["available_until"] = order["available_until"] + rng.randint(-12, 12) * 3600
            often["max_detour_km"] = rng.choice([20, 300, 900])
        else:
            often["deliver_until"] = order["deliver_until"] + rng.randint(-4, 12) * 3600
        return {name: often[name] for name in rng.sample(sorted(often), rng.choice([1, 1, 2]))}

    def _choice(self, state):
        if state == "proposed":
            return self.rng.choice(["accept", "accept", "decline"])
        return self.rng.choice(["cancel_match", "complete", "no_show", "complete"])


def play_twin(twin, mix):
    """The mix through the twin; the orders as submitted."""
    from amend import Held
    from twin import WrongState
    submitted, heard = [], 0

    def listen():
        nonlocal heard
        for event in twin.events[heard:]:
            mix.hear(event)
        heard = len(twin.events)

    for now, orders in mix.rounds():
        twin.clock(now)
        for order in orders:
            submitted.append(order)
            twin.submit(now, order)
        listen()
        for method, account, what in mix.acts():
            try:
                if method == "cancel":
                    if what in twin.by_ref:
                        twin.cancel(now, twin.by_ref[what])
                elif method == "amend":
                    if what[0] in twin.by_ref:
                        twin.amend(now, twin.by_ref[what[0]], what[1])
                else:
                    match = next(match for match in twin.matches if match.id == what)
                    getattr(twin, method)(now, account, match)
            except (WrongState, Held):
                pass
            listen()
    return submitted

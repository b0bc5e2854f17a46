"""An order as its owner wrote it, in integers, with the defaults filled in."""

from figures import DAY_S, DIMS, MONEY, RATE, Malformed, day_number, fixed, rounded, seconds

UNKNOWN_CREDIT = 500
MAIN_DIM = {"truck": "pallets", "cold": "pallets", "warehouse": "m2"}
IMPLIED = {"atp_frc": ("atp_frb", "atp_fra", "atp_fna"), "atp_frb": ("atp_fra", "atp_fna"),
           "atp_fra": ("atp_fna",)}
NOT_TERMS = ("wrote", "market_currency", "id", "age", "credit", "time", "open", "state", "room", "matches", "live",
             "closed", "filled", "checked", "cancelled_by_owner")


def place_of(value):
    return (rounded(value["lat"], 7), rounded(value["lon"], 7))


def range_of(value):
    return None if value is None else (fixed(value["min"], 1), fixed(value["max"], 1))


class Order:
    """What was submitted. `age` and `id` come with its acceptance."""

    def __init__(self, wrote, currency):
        self.wrote, self.market_currency = wrote, currency
        self.account = wrote["account"]
        self.ref = wrote["ref"]
        self.time = seconds(wrote["time"]) if "time" in wrote else None
        self.id = None
        self.age = None
        self.offer = wrote["side"] == "offer"
        if not self.offer and wrote["side"] != "request":
            raise Malformed("side %r" % (wrote["side"],))
        self.kind = wrote["kind"]
        self.truck = self.kind == "truck"
        self.main = MAIN_DIM[self.kind]
        self.fill = wrote.get("fill", "rest")
        self.manual = wrote.get("confirm", "auto") == "manual"
        self.hold_s = fixed(wrote.get("hold_s", 900), 0)
        self.min_credit = fixed(wrote.get("min_credit", 0), 0)
        self.credit = UNKNOWN_CREDIT
        self.features = frozenset(wrote.get("features", ()))
        if self.offer:
            self.features = self.features.union(*(IMPLIED.get(name, ()) for name in self.features))
        self.only = frozenset(wrote.get("only", ()))
        self.never = frozenset(wrote.get("never", ()))
        self.currency = wrote.get("currency", currency)
        self.note = wrote.get("note", "")
        self.amounts = {dim: fixed(wrote[dim], scale) for dim, scale in DIMS.items() if dim in wrote}
        self.amount = self.amounts[self.main]
        self.temp = range_of(wrote.get("temp_c"))
        self.base = fixed(wrote.get("base", 0), MONEY)
        if self.truck:
            self._read_truck(wrote)
        else:
            self._read_storage(wrote)
        if not self.offer:
            self.max_price = fixed(wrote["max_price"], MONEY)
        self.valid_until = seconds(wrote["valid_until"]) if "valid_until" in wrote else self.latest

    def amended(self, changes):
        """Another order: as this one would be with the changes, None taking a field out."""
        wrote = {name: value for name, value in {**self.wrote, **changes}.items() if value is not None}
        return Order(wrote, self.market_currency)

    def terms(self):
        """All that the owner may have written, as it was read."""
        return {name: value for name, value in vars(self).items() if name not in NOT_TERMS}

    def become(self, other):
        """Takes over the terms of the amended order; id, age and what has come of it are its own."""
        own = {name: getattr(self, name) for name in ("id", "age", "credit", "time")}
        vars(self).update({**vars(other), **own})

    def _read_truck(self, wrote):
        self.min_part = 0
        self.start = place_of(wrote["from"])
        self.to = place_of(wrote["to"]) if "to" in wrote else None
        if self.offer:
            self.max_detour_m = fixed(wrote["max_detour_km"], 3)
            self.available_from = seconds(wrote["available_from"])
            self.available_until = self.latest = seconds(wrote["available_until"])
            self.speed = fixed(wrote.get("speed_kmh", 60), 1)
            self.per_t_km = fixed(wrote.get("per_t_km", 0), RATE)
            self.per_detour_km = fixed(wrote.get("per_detour_km", 0), RATE)
            return
        self.pickup_from = seconds(wrote["pickup_from"])
        self.pickup_until = self.latest = seconds(wrote["pickup_until"])
        self.deliver_until = seconds(wrote["deliver_until"])
        self.load_s = 60 * fixed(wrote.get("load_min", 0), 0)
        self.unload_s = 60 * fixed(wrote.get("unload_min", 0), 0)

    def _read_storage(self, wrote):
        self.at = place_of(wrote["at"])
        self.from_day, self.until_day = day_number(wrote["from_day"]), day_number(wrote["until_day"])
        self.min_part = fixed(wrote.get("min_part", 0), DIMS[self.main])
        if self.offer:
            self.latest = self.until_day * DAY_S
            self.rate = fixed(wrote.get("per_pallet_day" if self.kind == "cold" else "per_m2_day", 0), RATE)
            return
        self.latest = self.from_day * DAY_S
        self.radius_m = fixed(wrote["radius_km"], 3)
        self.per_access_km = fixed(wrote.get("per_access_km", 0), RATE)

    def __repr__(self):
        return "%s %s %s/%s" % (self.kind, "offer" if self.offer else "request", self.account, self.ref)

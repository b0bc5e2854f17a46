"""Random books small enough to be solved exactly. All of a book is drawn from its kind, its load and a seed.

A book is a list of (account, order) as clients write them, in the order in which they arrive: at random, all at the
same second, before anything in them begins. Every order is its own account's. Amounts are whole pallets and square
metres, or kilograms; money is CNY."""

import random

NOW = 1893456000  # 2030-01-01
DAY = NOW // 86400
HOUR = 3600

# requests for each offer, by load
LOADS = ("light", "even", "heavy", "crowded")
STORAGE_REQUESTS = {"light": 2, "even": 4, "heavy": 8, "crowded": 16}
STORAGE_OFFERS = 3
TRUCK_BOOKS = {"light": (6, 4), "even": (5, 8), "heavy": (3, 10), "crowded": (2, 10)}  # offers, requests

KINDS = ("cold", "cold, parts", "warehouse", "warehouse, parts", "truck, lane", "truck, roaming")

# A day of storage, for a pallet of cold and for a square metre of warehouse.
RATE = {"cold": 4.0, "warehouse": 0.9}
CHAMBERS = (({"min": -25, "max": -20}, {"min": -30, "max": -18}), ({"min": 0, "max": 3}, {"min": -1, "max": 4}))


def make(kind, load, seed):
    """[(account, order)] of the book."""
    dice = random.Random("%s/%s/%d" % (kind, load, seed))
    if kind.startswith("truck"):
        offers, requests = truck_book(dice, kind.endswith("roaming"), *TRUCK_BOOKS[load])
    else:
        offers, requests = storage_book(dice, kind.split(",")[0], kind.endswith("parts"),
                                        STORAGE_OFFERS, STORAGE_OFFERS * STORAGE_REQUESTS[load])
    named = [("o%d" % i, order) for i, order in enumerate(offers)]
    named += [("r%d" % i, order) for i, order in enumerate(requests)]
    for name, order in named:
        order["ref"] = name
    dice.shuffle(named)
    return named


def money(value):
    return round(value, 2)


def place(dice, lat, lon):
    """Somewhere in a box, to the fourth decimal."""
    return {"lat": round(dice.uniform(*lat), 4), "lon": round(dice.uniform(*lon), 4)}


# --- storage ---


def storage_book(dice, kind, parts, offers, requests):
    """Ten days in a district of 100 km; capacity and amounts are such that four requests ask for about what
    one offer has."""
    return [storage_offer(dice, kind, parts) for _ in range(offers)], \
        [storage_request(dice, kind, parts) for _ in range(requests)]


def of_kind(kind, pallets):
    """An amount: a pallet is four square metres of floor."""
    return {"pallets": pallets} if kind == "cold" else {"m2": 4 * pallets}


def draw_chamber(dice):
    return CHAMBERS[dice.random() < 0.2]


def storage_offer(dice, kind, parts):
    pallets = dice.randint(20, 50)
    order = {
        "side": "offer", "kind": kind, "at": place(dice, (30, 30.9), (120, 121)),
        "from_day": day_text(dice.randint(1, 2)), "until_day": day_text(dice.randint(9, 11)),
        "base": dice.randint(0, 60),
        "per_pallet_day" if kind == "cold" else "per_m2_day": round(RATE[kind] * dice.uniform(0.7, 1.3), 4),
    }
    order.update(of_kind(kind, pallets))
    if kind == "cold":
        order["temp_c"] = draw_chamber(dice)[0]
        if dice.random() < 0.3:
            order["kg"] = pallets * dice.randint(300, 600)
    if parts and dice.random() < 0.3:
        order.update(min_part=2 if kind == "cold" else 8)
    if dice.random() < 0.6:
        order["features"] = ["dock_leveller"]
    return order


def storage_request(dice, kind, parts):
    pallets, days = dice.randint(5, 25), dice.randint(2, 6)
    first = dice.randint(2, 9 - days)
    units = pallets if kind == "cold" else 4 * pallets
    order = {
        "side": "request", "kind": kind, "at": place(dice, (30, 30.9), (120, 121)),
        "radius_km": dice.randint(40, 150), "from_day": day_text(first), "until_day": day_text(first + days),
        "max_price": money((40 + RATE[kind] * units * days) * dice.uniform(0.9, 2)),
        "per_access_km": dice.randint(0, 2),
    }
    order.update(of_kind(kind, pallets))
    if kind == "cold":
        order["temp_c"] = draw_chamber(dice)[1]
        if dice.random() < 0.3:
            order["kg"] = pallets * dice.randint(200, 700)
    if parts:
        order["min_part"] = max(1, units // 4)
    if dice.random() < 0.2:
        order["features"] = ["dock_leveller"]
    return order


def day_text(day):
    return "2030-01-%02d" % (1 + day)


# --- trucks ---


def truck_book(dice, roaming, offers, requests):
    """Roads of 400 km eastwards between twelve towns; trucks that go that way, or anywhere."""
    towns = [place(dice, (30, 31.5), (117, 121)) for _ in range(12)]
    return [truck_offer(dice, towns, roaming) for _ in range(offers)], \
        [truck_request(dice, towns) for _ in range(requests)]


def near(dice, town):
    return {"lat": round(town["lat"] + dice.uniform(-0.05, 0.05), 4),
            "lon": round(town["lon"] + dice.uniform(-0.05, 0.05), 4)}


def eastwards(dice, towns, least):
    """Two towns, the second at least so many degrees further east."""
    while True:
        start, end = dice.sample(towns, 2)
        if end["lon"] - start["lon"] >= least or dice.random() < 0.02:
            return near(dice, start), near(dice, end)


def truck_offer(dice, towns, roaming):
    start, end = eastwards(dice, towns, 1.5)
    pallets = dice.choice((8, 16, 33))
    ready = NOW + dice.randint(2, 6) * HOUR
    order = {
        "side": "offer", "kind": "truck", "from": start, "pallets": pallets, "kg": pallets * 600,
        "available_from": ready, "available_until": ready + dice.randint(14, 20) * HOUR,
        "max_detour_km": dice.randint(60, 200), "base": dice.randint(40, 100),
        "per_t_km": round(dice.uniform(0.3, 0.6), 4), "per_detour_km": round(dice.uniform(1.5, 4), 4),
    }
    if not roaming:
        order["to"] = end
    if dice.random() < 0.2:
        order["temp_c"] = {"min": -25, "max": 25}
    return order


def truck_request(dice, towns):
    start, end = eastwards(dice, towns, 0.5)
    pallets, ready = dice.randint(2, 12), NOW + dice.randint(2, 12) * HOUR
    kg = pallets * dice.randint(200, 600)
    order = {
        "side": "request", "kind": "truck", "from": start, "to": end, "pallets": pallets, "kg": kg,
        "pickup_from": ready, "pickup_until": ready + dice.randint(4, 10) * HOUR,
        "deliver_until": ready + dice.randint(12, 24) * HOUR, "load_min": dice.randint(10, 40),
        "unload_min": dice.randint(10, 40),
        "max_price": money((70 + 0.45 * kg / 1000 * 150 * (end["lon"] - start["lon"]) + 150)
                           * dice.uniform(0.7, 1.8)),
    }
    if order["max_price"] <= 0:
        order["max_price"] = 50.0
    if dice.random() < 0.1:
        order["temp_c"] = {"min": 2, "max": 8}
    return order

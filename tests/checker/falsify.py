"""Ninety ways to falsify one thing in a stream of events, and the name under which the checker must report each."""

import copy

from figures import day_number, day_text


def truck(match, offer, request):
    return match["kind"] == "truck"


def pooled(match, offer, request):
    return match["kind"] == "truck" and len(match["stops"]) >= 4


def storage(match, offer, request):
    return match["kind"] != "truck"


def plus(step):
    return lambda value: round(value + step, 4)


def at_match(wanted, change, kind="match.confirmed"):
    """A falsification of what the first such match's events say."""
    def falsify(stream):
        stream.set(stream.pair(kind, wanted), *change)
    return falsify


def of_order(wanted, side, change):
    """A falsification of what was submitted: as if the rule had been another when the match was made."""
    def falsify(stream):
        event = stream.pair("match.confirmed", wanted)[0]
        order = stream.wrote(event["match"][side])
        other = stream.wrote(event["match"]["request" if side == "offer" else "offer"])
        order.update(change(order, other))
    return falsify


def carrier(stream, wanted=truck, kind="match.confirmed"):
    return next(event for event in stream.pair(kind, wanted)
                if event["account"] == event["match"]["offer"]["account"])


def shipper(stream, wanted=truck, kind="match.confirmed"):
    return next(event for event in stream.pair(kind, wanted)
                if event["account"] == event["match"]["request"]["account"])


# --- the stream ---


def drop(stream):
    del stream.events[100]


def double(stream):
    stream.events.insert(101, copy.deepcopy(stream.events[100]))


def swap_events(stream):
    stream.events[100], stream.events[101] = stream.events[101], stream.events[100]


def wrong_cursor(stream):
    stream.events[50]["cursor"] = "0.1.9"


def back_in_time(stream):
    stream.events[100]["time"] -= 100000


def no_time(stream):
    del stream.events[10]["time"]


def unknown_type(stream):
    stream.events[10]["type"] = "order.improved"


# --- orders ---


def amended(stream, wanted):
    """The order of the first order.amended that is wanted."""
    return stream.events[stream.first("order.amended", lambda event: wanted(event["order"]))]["order"]


def keep_priority(stream):
    amended(stream, lambda order: not order["kept_priority"])["kept_priority"] = True


def amend_kind(stream):
    order = amended(stream, lambda order: order["changes"].get("note"))
    order["changes"]["speed_kmh" if order["kind"] == "truck" else "fill"] = 70 if order["kind"] == "truck" else "rest"


def amend_away(stream):
    """A storage offer with a live match is said to have shrunk to next to nothing."""
    live = {}
    for event in stream.events:
        match, order = event.get("match"), event.get("order")
        if match and match["kind"] != "truck":
            live[match["id"]] = match["offer"]["id"] if match["state"] in ("proposed", "confirmed") else None
        elif order and event["type"] == "order.amended" and order["id"] in live.values():
            order["changes"], order["amount"] = {"m2" if order["kind"] == "warehouse" else "pallets": 0.01}, 0.01
            return
    raise AssertionError("no offer with a live match was amended")


def amend_open(stream):
    order = amended(stream, lambda order: order["side"] == "request")
    order["open"] += 1


def forge_order(stream):
    stream.events[stream.first("order.accepted")]["order"]["ref"] = "never-sent"


def other_amount(stream):
    stream.events[stream.first("order.accepted")]["order"]["amount"] += 1


def other_validity(stream):
    stream.events[stream.first("order.accepted")]["order"]["valid_until"] += 1


def wrong_order_state(stream):
    stream.events[stream.first("order.accepted")]["order"]["state"] = "filled"


def accept_twice(stream):
    index = stream.first("order.accepted")
    stream.insert(index + 1, copy.deepcopy(stream.events[index]))


def open_less(stream):
    index = stream.first("order.accepted", lambda event: event["order"]["side"] == "request")
    stream.events[index]["order"]["open"] -= 1


def order_to_stranger(stream):
    stream.events[stream.first("order.accepted")]["account"] = "stranger"


def not_filled(stream):
    last = {event["time"]: event for event in stream.events}
    stream.remove([stream.events[stream.first("order.filled", lambda event: last[event["time"]] is event)]])


def filled_twice(stream):
    index = stream.first("order.filled")
    stream.insert(index + 1, copy.deepcopy(stream.events[index]))


def filled_unmatched(stream):
    index = stream.first("order.expired", lambda event: event["order"]["side"] == "request")
    event = stream.events[index]
    event["type"], event["order"]["state"] = "order.filled", "filled"


def expire_early(stream):
    event = stream.events.pop(stream.first("order.expired"))
    index = stream.first("order.accepted", lambda other: other["order"]["id"] == event["order"]["id"])
    event["time"] = stream.events[index]["time"]
    stream.insert(index + 1, event)


def not_expired(stream):
    stream.remove([stream.events[stream.first("order.expired")]])


def expired_again(stream):
    index = stream.first("order.expired")
    stream.insert(index + 1, copy.deepcopy(stream.events[index]))


def rejected_valid(stream):
    index = stream.first("order.accepted")
    event = stream.events[index]
    event["type"] = "order.rejected"
    event["order"].update(state="rejected", error={"code": "lapsed", "message": ""})


# --- telling both sides ---


def tell_one_side(stream):
    stream.remove(stream.pair("match.confirmed")[:1])


def tell_stranger(stream):
    stream.pair("match.confirmed", storage)[0]["account"] = "stranger"


def other_price_to_shipper(stream):
    stream.pair("match.confirmed", storage)[0]["match"]["price"] += 0.01


def foreign_stop(stream):
    whole = carrier(stream, pooled)["match"]["stops"]
    shipper(stream, pooled)["match"]["stops"] = copy.deepcopy(whole)


def own_eta(stream):
    shipper(stream)["match"]["stops"][-1]["eta"] += 60


def own_place(stream):
    stop = shipper(stream)["match"]["stops"][0]
    stop["lat"] = round(stop["lat"] + 0.001, 7)


# --- who ---


def pair_again(stream):
    """A pair that was parted is told as matched again."""
    index = stream.first("match.declined")
    ended = stream.events[index]["match"]
    events = copy.deepcopy([event for event in stream.every(ended["id"])
                            if event["type"] == "match.proposed"])
    for event in events:
        event["match"]["id"] = "m0-999999"
        event["time"] = stream.events[index]["time"]
        event["match"]["hold_until"] = event["time"] + 900
    stream.insert(stream.after_last(ended["id"]), *events)


def served_twice(stream):
    """The same request on another truck."""
    events = copy.deepcopy(stream.pair("match.confirmed", truck))
    index = stream.events.index(stream.every(events[0]["match"]["id"])[1]) + 1
    for event in events:
        event["match"]["id"] = "m0-999999"
    stream.insert(index, *events)


def closed_order(stream):
    """Matched after it was cancelled: the cancelling is told before the match."""
    pair = stream.pair("match.confirmed", storage)
    accepted = next(event for event in stream.events
                    if event["type"] == "order.accepted"
                    and event["order"]["id"] == pair[0]["match"]["offer"]["id"])
    event = copy.deepcopy(accepted)
    event.update(type="order.cancelled", time=pair[0]["time"])
    event["order"].update(state="cancelled", reason="owner")
    stream.insert(stream.events.index(pair[0]), event)


def lapsed_order(stream):
    pair = stream.pair("match.confirmed", storage)
    request = stream.wrote(pair[0]["match"]["request"])
    request["valid_until"] = pair[0]["time"]
    for event in stream.events:
        if "order" in event and event["order"]["id"] == pair[0]["match"]["request"]["id"]:
            event["order"]["valid_until"] = pair[0]["time"]


def other_party(stream):
    for event in stream.pair("match.confirmed", storage):
        event["match"]["offer"]["id"] = "o0-1"


# --- plans ---


def stop_order(stream):
    """Two neighbours change places, with their times."""
    stops = carrier(stream, pooled)["match"]["stops"]
    stops[0], stops[1] = stops[1], stops[0]


def delivery_first(stream):
    stops = carrier(stream)["match"]["stops"]
    own = [k for k, stop in enumerate(stops) if stop["order"] == carrier(stream)["match"]["request"]["id"]]
    stops[own[0]], stops[own[1]] = stops[own[1]], stops[own[0]]


def eta(stream):
    carrier(stream)["match"]["stops"][0]["eta"] += 1


def leave(stream):
    carrier(stream)["match"]["stops"][0]["leave"] += 1


def stop_dropped(stream):
    carrier(stream, pooled)["match"]["stops"].pop()


def fixed_moved(stream):
    """A later load's event moves a stop that the truck was on its way to."""
    for index, event in enumerate(stream.events):
        if event["type"] != "match.confirmed" or event["match"]["kind"] != "truck" or \
                event["account"] != event["match"]["offer"]["account"]:
            continue
        first = event["match"]["stops"][0]
        if first["action"] == "delivery":  # its pickup is history, so the truck has left for it
            first["eta"] += 600
            return
    raise AssertionError("no load was added to a moving truck")


def reschedule_lost(stream):
    match_id = stream.events[stream.first("match.rescheduled")]["match"]["id"]
    stream.remove([event for event in stream.every(match_id) if event["type"] == "match.rescheduled"])


def reschedule_idle(stream):
    pair = stream.pair("match.confirmed", truck)
    event = copy.deepcopy(shipper(stream))
    event["type"] = "match.rescheduled"
    stream.insert(stream.events.index(pair[1]) + 1, event)


def truck_of(stream, **change):
    stream.wrote(carrier(stream, pooled)["match"]["offer"]).update(change)


def load_of(stream, **change):
    stream.wrote(carrier(stream, pooled)["match"]["request"]).update(change)


# --- the life of matches ---


def ended_then_completed(stream):
    pair = stream.pair("match.cancelled")
    events = copy.deepcopy(pair)
    for event in events:
        event["type"], event["match"]["state"] = "match.completed", "completed"
    stream.insert(stream.after_last(pair[0]["match"]["id"]), *events)


def decline_confirmed(stream):
    for event in stream.pair("match.cancelled"):
        event["type"], event["match"]["state"] = "match.declined", "declined"


def unborn(stream):
    match_id = stream.pair("match.completed")[0]["match"]["id"]
    stream.remove([event for event in stream.every(match_id) if event["type"] != "match.completed"])


def wrong_match_state(stream):
    stream.set(stream.pair("match.confirmed"), "state", lambda _: "proposed")


def hold_longer(stream):
    stream.set(stream.pair("match.proposed"), "hold_until", plus(1))


def lapse_lost(stream):
    stream.remove(stream.pair("match.lapsed"))


def lapse_early(stream):
    lapsed = stream.pair("match.lapsed")
    proposed = [event for event in stream.every(lapsed[0]["match"]["id"])
                if event["type"] == "match.proposed"]
    stream.remove(lapsed)
    for event in lapsed:
        event["time"] = proposed[0]["time"]
    stream.insert(stream.events.index(proposed[1]) + 1, *lapsed)


def confirmed_unasked(stream):
    for event in stream.pair("match.proposed", storage):
        event["type"] = "match.confirmed"
        event["match"]["state"] = "confirmed"
        del event["match"]["hold_until"]


def proposed_needlessly(stream):
    for event in stream.pair("match.confirmed", lambda match, offer, request: "manual" not in
                             (offer.get("confirm"), request.get("confirm"))
                             and request.get("fill") != "all_now"):
        event["type"] = "match.proposed"
        event["match"].update(state="proposed", hold_until=event["time"] + 900)


def price_changed_later(stream):
    stream.set(stream.pair("match.completed"), "price", plus(0.01))


def completed_too_soon(stream):
    """A store match is completed by its owner the moment that it is made."""
    pair = stream.pair("match.confirmed", lambda match, offer, request: storage(match, offer, request) and
                       match["from_day"] > "2030-01-03")
    stream.remove([event for event in stream.every(pair[0]["match"]["id"]) if event not in pair])
    events = copy.deepcopy(pair)
    for event in events:
        event["type"] = "match.completed"
        event["match"].update(state="completed", by="offer")
    stream.insert(stream.events.index(pair[1]) + 1, *events)


def completed_by_clock_early(stream):
    for event in stream.pair("match.completed", lambda match, offer, request: match.get("by")):
        del event["match"]["by"]


def ended_by_nobody(stream):
    for event in stream.pair("match.cancelled"):
        del event["match"]["by"]


def group_half_declined(stream):
    """One part of an all_now proposal goes, the other stays."""
    for index, event in enumerate(stream.events):
        if event["type"] == "match.declined" and event["match"].get("reason") == "group":
            stream.remove(stream.pair("match.declined", lambda match, offer,
                                      request: match["id"] == event["match"]["id"]))
            return
    raise AssertionError("no group was declined")


def worst_offer(stream):
    """An offer as good as the chosen one, but cheaper, is there all along."""
    pair = stream.pair("match.confirmed", lambda match, offer, request: storage(match, offer, request) and
                       offer["ref"] < request["ref"] and "fill" not in offer and "fill" not in request and
                       match["surplus"] > 20)
    index = next(k for k, event in enumerate(stream.events)
                 if event["type"] == "order.accepted"
                 and event["order"]["id"] == pair[0]["match"]["request"]["id"])
    offer = dict(stream.wrote(pair[0]["match"]["offer"]), ref="rival", account="rival-house", base=0,
                 confirm="auto")
    offer.pop("per_pallet_day", None)
    offer.pop("per_m2_day", None)
    offer.pop("valid_until", None)
    stream.orders.append(offer)
    accepted = copy.deepcopy(next(event for event in stream.events if event["type"] == "order.accepted" and
                                  event["order"]["id"] == pair[0]["match"]["offer"]["id"]))
    accepted.update(account="rival-house", time=stream.events[index]["time"])
    accepted["order"].update(ref="rival", account="rival-house", id="o0-999999")
    stream.insert(index, accepted)


def stay_apart(stream):
    """A match is never told, nor what followed from it."""
    pair = stream.pair("match.confirmed", lambda match, offer, request: storage(match, offer, request) and
                       "fill" not in request and "min_part" not in request)
    match = pair[0]["match"]
    stream.remove([event for event in stream.events
                   if ("match" in event and event["match"]["id"] == match["id"]) or
                   (event["type"] == "order.filled" and event["order"]["id"] == match["request"]["id"])])


def widen(name, step):
    return lambda order, other: {name: order[name] + step}


FALSE = [
    # (what is falsified, under which name it is reported)
    ("an event dropped", drop, "event-gap"),
    ("an event doubled", double, "event-duplicate"),
    ("two events swapped", swap_events, "event-duplicate"),
    ("a cursor", wrong_cursor, "cursor"),
    ("a time before the last", back_in_time, "time-backwards"),
    ("an event without a time", no_time, "event-shape"),
    ("a type that does not exist", unknown_type, "event-shape"),
    ("an order nobody submitted", forge_order, "not-submitted"),
    ("an order's amount", other_amount, "order-figures"),
    ("an order's validity", other_validity, "order-figures"),
    ("an order's state", wrong_order_state, "order-state"),
    ("an order accepted twice", accept_twice, "accepted-twice"),
    ("less open than was asked", open_less, "order-open"),
    ("an order told to a stranger", order_to_stranger, "not-a-party"),
    ("a priority that was lost", keep_priority, "amend-priority"),
    ("an amendment that changes the kind", amend_kind, "amend-field"),
    ("an amendment that takes from a live match", amend_away, "amend-held"),
    ("an amendment that gives other open", amend_open, "order-open"),
    ("filled and not told", not_filled, "filled-missing"),
    ("filled told twice", filled_twice, "filled-wrong"),
    ("filled without a match", filled_unmatched, "filled-wrong"),
    ("expired too early", expire_early, "expiry-early"),
    ("not expired", not_expired, "expiry-missing"),
    ("expired twice", expired_again, "after-end"),
    ("rejected as lapsed while valid", rejected_valid, "rejected-wrongly"),
    ("a match told to one side", tell_one_side, "one-sided"),
    ("a match told to a stranger", tell_stranger, "not-a-party"),
    ("another price for one side", other_price_to_shipper, "sides-differ"),
    ("another's stop shown", foreign_stop, "foreign-stop"),
    ("the shipper's own time", own_eta, "eta"),
    ("the shipper's own place", own_place, "stops"),
    ("a metre", at_match(truck, ("km", plus(0.001))), "km"),
    ("a metre of storage", at_match(storage, ("km", plus(0.001))), "km"),
    ("an added metre", at_match(truck, ("added_km", plus(0.001))), "added-km"),
    ("a hundredth of the quote", at_match(storage, ("quote", plus(0.01))), "quote"),
    ("a hundredth of a truck's quote", at_match(truck, ("quote", plus(-0.01))), "quote"),
    ("a hundredth of the surplus", at_match(storage, ("surplus", plus(0.01))), "surplus"),
    ("the gain not shared", at_match(storage, ("price", plus(0.01))), "price"),
    ("the cost of access", at_match(lambda match, offer, request: "access" in match, ("access", plus(0.01))),
     "access"),
    ("an amount", at_match(truck, ("kg", plus(1))), "amounts"),
    ("the credit", at_match(storage, ("offer", lambda party: dict(party, credit=501))), "match-parties"),
    ("another offer's id", other_party, "match-parties"),
    ("the currency", at_match(storage, ("currency", lambda _: "EUR")), "match-parties"),
    ("the days", at_match(storage, ("until_day", lambda day: day_text(day_number(day) + 1))), "days"),
    ("another kind", of_order(storage, "offer", lambda order, other: {"currency": "EUR"}), "who-currency"),
    ("the same account", of_order(storage, "offer", lambda order, other: {"never": [other["account"]]}),
     "who-never"),
    ("only others", of_order(storage, "request", lambda order, other: {"only": ["x"]}), "who-only"),
    ("too little credit", of_order(truck, "request", lambda order, other: {"min_credit": 501}), "who-credit"),
    ("a feature missing", of_order(truck, "request", lambda order, other: {"features": ["guarded"]}),
     "who-features"),
    ("the limit exceeded", of_order(storage, "request", lambda order, other: {"max_price": 1}),
     "surplus-negative"),
    ("a parted pair again", pair_again, "barred"),
    ("a load served twice", served_twice, "overserved"),
    ("a closed order matched", closed_order, "closed-order"),
    ("a lapsed order matched", lapsed_order, "lapsed-order"),
    ("beyond the radius", of_order(storage, "request", lambda order, other: {"radius_km": 0}), "radius"),
    ("days not offered", of_order(storage, "offer", lambda order, other: {"from_day": other["until_day"]}),
     "days"),
    ("a chamber too warm", of_order(lambda match, offer, request: match["kind"] == "cold", "offer",
                                    lambda order, other: {"temp_c": {"min": -60, "max": 20}}), "band"),
    ("more than there is", of_order(lambda match, offer, request: match["kind"] == "cold", "offer",
                                    lambda order, other: {"pallets": 0.5}), "calendar"),
    ("too heavy for the floor",
     of_order(lambda match, offer, request: storage(match, offer, request) and "kg" in request,
                                         "offer", lambda order, other: {"kg": 1}), "calendar"),
    ("a lot that was split", of_order(lambda match, offer, request: storage(match, offer, request) and
                                      "min_part" in request and match.get("m2", match.get("pallets")) <
                                      request.get("m2", request.get("pallets")), "request",
                                      lambda order, other: {"min_part": 0}), "part-unsplit"),
    ("a part too small",
     of_order(lambda match, offer, request: storage(match, offer, request) and "min_part" in request and
                                  match.get("m2", match.get("pallets")) <
                                  request["m2" if match["kind"] == "warehouse" else "pallets"], "request",
                                  lambda order, other: {"min_part": order.get("m2", order.get("pallets"))}),
     "part-small"),
    ("less than the offer lets go", of_order(storage, "offer", lambda order, other: {"min_part": 10 ** 6}),
     "part-offer-min"),
    ("stops swapped", stop_order, "plan-order"),
    ("delivered before picked up", delivery_first, "plan-order"),
    ("a stop left out", stop_dropped, "plan-order"),
    ("a time of arrival", eta, "eta"),
    ("a time of leaving", leave, "eta"),
    ("a fixed stop moved", fixed_moved, "fixed-stop-moved"),
    ("moved and not told", reschedule_lost, "reschedule-missing"),
    ("not moved and told", reschedule_idle, "reschedule-needless"),
    ("a truck too small", lambda stream: truck_of(stream, kg=1), "load"),
    ("a truck full on a leg", lambda stream: truck_of(stream, pallets=0.01), "load"),
    ("a temperature it cannot run", lambda stream: load_of(stream, temp_c={"min": 50, "max": 60}),
     "temperature"),
    ("two temperatures at once", lambda stream: truck_of(stream, temp_c={"min": 99, "max": 100}) or
     load_of(stream, temp_c={"min": 50, "max": 60}), "temperature"),
    ("picked up too late", lambda stream: load_of(stream, pickup_until=1893456001, pickup_from=1893456000,
                                                  valid_until=1999999999), "pickup-window"),
    ("delivered too late", lambda stream: load_of(stream, deliver_until=1893456000), "delivery-window"),
    ("home too late", lambda stream: truck_of(stream, available_until=1893456001, valid_until=1999999999),
     "plan-end"),
    ("too far out of its way", lambda stream: truck_of(stream, max_detour_km=0), "detour"),
    ("a completed match after its end", ended_then_completed, "after-end"),
    ("a confirmed match declined", decline_confirmed, "match-state"),
    ("a match from nowhere", unborn, "match-state"),
    ("a match's state", wrong_match_state, "match-state"),
    ("a hold too long", hold_longer, "hold"),
    ("a hold that never lapses", lapse_lost, "lapse-missing"),
    ("a hold cut short", lapse_early, "lapse-early"),
    ("a manual side not asked", confirmed_unasked, "confirmed-unasked"),
    ("nobody to be asked", proposed_needlessly, "proposed-needlessly"),
    ("a price changed afterwards", price_changed_later, "figures-changed"),
    ("completed before it began", completed_too_soon, "begun"),
    ("completed by the clock too early", completed_by_clock_early, "completed-early"),
    ("cancelled by nobody", ended_by_nobody, "ended-by"),
    ("a group torn apart", group_half_declined, "group-broken"),
    ("a better offer passed over", worst_offer, "better-offer"),
    ("what fits stays apart", stay_apart, "unmatched-fit"),
]

"""Numbers as the rules want them: fixed-point integers, distances, drives, money. Exact but for the sine and
cosine of a distance, whose last micrometre is left open (rule 1)."""

import calendar
import datetime
import math
from decimal import Decimal, InvalidOperation

EARTH_RADIUS_M = 6371008.8
DAY_S = 86400
DIMS = {"pallets": 2, "kg": 0, "m3": 3, "ldm": 2, "m2": 2}
MONEY = 2
RATE = 4
HALF_WIDTH = 1e-6  # metres around a half, within which either neighbour will do


class Malformed(ValueError):
    """A value that is not of its field's kind."""


def fixed(value, scale):
    """The integer value x 10^scale of a JSON number or decimal string; Malformed if it has more decimals than
    that."""
    if isinstance(value, bool) or value is None:
        raise Malformed("%r is not a number" % (value,))
    if isinstance(value, int):
        return value * 10 ** scale
    try:
        text = repr(value) if isinstance(value, float) else value
        scaled = Decimal(text).scaleb(scale)
        whole = int(scaled)
    except (InvalidOperation, TypeError, ValueError, OverflowError) as error:
        raise Malformed("%r is not a number" % (value,)) from error
    if whole != scaled:
        raise Malformed("%r has more than %d decimals" % (value, scale))
    return whole


def rounded(value, scale):
    """The same with excess decimals rounded half away from zero."""
    if isinstance(value, int):
        return value * 10 ** scale
    scaled = Decimal(repr(value) if isinstance(value, float) else value).scaleb(scale)
    return int(scaled.to_integral_value(rounding="ROUND_HALF_UP"))


def decimal_text(value, scale):
    """Value x 10^-scale without trailing zeros."""
    if scale == 0:
        return str(value)
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole, part = divmod(value, 10 ** scale)
    part = ("%0*d" % (scale, part)).rstrip("0")
    return sign + str(whole) + ("." + part if part else "")


def number(value, scale):
    """Value x 10^-scale as JSON writes it: an integer where it is whole, else a float."""
    whole, part = divmod(value, 10 ** scale)
    return whole if part == 0 else float(decimal_text(value, scale))


def seconds(value):
    """Epoch seconds of a number or an RFC 3339 time."""
    if isinstance(value, str) and "T" in value.upper():
        moment = datetime.datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
        return calendar.timegm(moment.utctimetuple())
    return fixed(value, 0)


def time_text(value):
    return datetime.datetime.fromtimestamp(value, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_number(value):
    """Days since 1970-01-01 of YYYY-MM-DD."""
    if isinstance(value, int):
        return value
    return datetime.date.fromisoformat(value).toordinal() - datetime.date(1970, 1, 1).toordinal()


def day_text(value):
    return datetime.date.fromordinal(value + datetime.date(1970, 1, 1).toordinal()).isoformat()


def round_half_up(numerator, denominator):
    return (2 * numerator + denominator) // (2 * denominator)


def ceil_div(numerator, denominator):
    return -(-numerator // denominator)


def drive_s(metres, speed_tenths):
    """metres x 3.6 / km/h, rounded up."""
    return ceil_div(metres * 36, speed_tenths)


class Roads:
    """Distances in metres between places (lat_e7, lon_e7), remembered. A distance that lies within a
    micrometre of a half is `doubtful`: its other neighbour is as good, and settle() makes it the one that
    counts."""

    def __init__(self, road_factor_e4=12500):
        self.factor = road_factor_e4 / 10000
        self.angles = {}
        self.known = {}
        self.doubtful = {}

    def _angles(self, place):
        found = self.angles.get(place)
        if found is None:
            lat, lon = math.radians(place[0] / 1e7), math.radians(place[1] / 1e7)
            found = self.angles[place] = (math.sin(lat), math.cos(lat), lon)
        return found

    def exact(self, a, b):
        """Metres as a double, by the arc tangent form of the great circle (Vincenty on a sphere)."""
        sin_a, cos_a, lon_a = self._angles(a)
        sin_b, cos_b, lon_b = self._angles(b)
        turn = lon_b - lon_a
        cos_turn = math.cos(turn)
        across = math.hypot(cos_b * math.sin(turn), cos_a * sin_b - sin_a * cos_b * cos_turn)
        along = sin_a * sin_b + cos_a * cos_b * cos_turn
        return EARTH_RADIUS_M * math.atan2(across, along) * self.factor

    def metres(self, a, b):
        if a == b:
            return 0
        key = (a, b) if a < b else (b, a)
        found = self.known.get(key)
        if found is None:
            value = self.exact(a, b)
            found = self.known[key] = math.floor(value + 0.5)
            if abs(value - math.floor(value) - 0.5) < HALF_WIDTH:
                self.doubtful[key] = found - 1 if found > value else found + 1
        return found

    def settle(self, a, b, told):
        """True if `told` may be the distance; it is from now on."""
        if self.metres(a, b) == told:
            return True
        key = (a, b) if a < b else (b, a)
        if self.doubtful.get(key) != told:
            return False
        self.swap(key)
        return True

    def swap(self, key):
        self.known[key], self.doubtful[key] = self.doubtful[key], self.known[key]


def truck_quote(base, per_t_km, kg, loaded_m, per_detour_km, added_m):
    """Hundredths: base is in hundredths, rates in 1e-4 a kilometre."""
    exact_e8 = base * 10 ** 8 + per_t_km * kg * loaded_m + per_detour_km * added_m * 1000
    return round_half_up(exact_e8, 10 ** 8)


def storage_quote(base, rate, amount, days):
    """Hundredths: amount in hundredths of a pallet or square metre."""
    return round_half_up(base * 10 ** 4 + rate * amount * days, 10 ** 4)


def access_cost(per_access_km, metres):
    return round_half_up(per_access_km * metres, 10 ** 5)


def limit_of(max_price, part, whole):
    return max_price * part // whole


def price_of(quote, surplus):
    return quote + surplus // 2

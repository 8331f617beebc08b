"""What every readout and outcome must be, worked out exactly or by integration; shares no code with features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from scipy import integrate

from features.definition import Base, Feature
from features.outcome import Outcome
from tests.features.oracle import NULL, SCALE, Event, rounded, us

DAY_US, DAY_MINUTES = 86_400_000_000, 1_440
OF_THE_POSTERIOR = ("p_alive", "expected_orders")


def unit(base: Base) -> int:
    """How many of an aggregate's integers make one of what people count in."""
    what = str(base.aggregation)
    if what in ("sum", "last_number", "first_order_sum"):
        return SCALE[str(base.field)]
    if what == "attribute":
        return 1 if base.value is not None else 1_000
    return DAY_MINUTES if what in ("gap_sum", "gap_max") else 1


def readout_value(  # noqa: C901 (one case a readout, all in sight)
    feature: Feature, integers: Sequence[int], cutoff: datetime, timezone: str = "UTC"
) -> float | None:
    """Value of one feature from its base aggregates, which may be NULL."""
    kind = str(feature.readout)
    if kind == "day_of_year":
        ahead = cutoff + timedelta(seconds=86_400 * feature.parameters[0])
        return float(ahead.astimezone(ZoneInfo(timezone)).timetuple().tm_yday)
    if kind == "age_unanswered":
        first, second = integers
        return None if first == NULL or (second != NULL and second >= first) else (us(cutoff) - first) / DAY_US
    if NULL in integers:
        return None
    if kind in OF_THE_POSTERIOR:
        return posterior(feature, integers, cutoff)
    plain = [Fraction(number) for number in integers]
    scaled = [number / unit(base) for number, base in zip(plain, feature.bases, strict=True)]
    value: Fraction | None
    match kind:
        case "value":
            value = scaled[0]
        case "age_days":
            value = (us(cutoff) - plain[0]) / DAY_US
        case "span_days":
            value = (plain[1] - plain[0]) / DAY_US
        case "ratio":
            value = scaled[0] / scaled[1] if plain[1] else None
        case "trend":
            days = [base.window_days or 0 for base in feature.bases]
            value = (scaled[0] / days[0]) / (scaled[1] / days[1]) if plain[1] else None
        case "share":
            value = scaled[0] / sum(scaled) if sum(scaled) else None
        case "difference":
            value = scaled[0] - sum(scaled[1:])
        case "spread":
            value = plain[0] ** 2 / plain[1] if plain[1] else None
        case "gap_mean_days":
            value = plain[0] / plain[1] / DAY_MINUTES if plain[1] else None
        case "age_per_gap":
            age = (us(cutoff) - plain[0]) / DAY_US * DAY_MINUTES
            value = age / (plain[1] / plain[2]) if plain[1] else None
        case "gap_sd_days" | "gap_variation":
            squares, total, count = plain
            if count < 2 or (kind == "gap_variation" and not total):
                return None
            deviation = math.sqrt(max((squares - total**2 / count) / (count - 1), 0))
            return deviation / (DAY_MINUTES if kind == "gap_sd_days" else float(total / count))
        case _:
            raise AssertionError(kind)
    return None if value is None else float(value)


def posterior(feature: Feature, integers: Sequence[int], cutoff: datetime) -> float | None:
    """MBG/NBD posterior, by integrating over the customer's rate and chance to drop out.

    A customer orders at a rate (gamma distributed over customers: shape r, rate alpha) and drops out after each order,
    the first included, with a chance (beta distributed: a, b). With p fixed, a customer who is there orders
    ``(1 - exp(-rate p t)) / p`` times in t days.

    References
    ----------
    Batislam, Denizel and Filiztekin (2007), IJRM 24(3); Hoppe and Wagner (2007), Marketing JRM 3(2).
    """
    count, first, last = integers
    r, alpha, a, b, *horizon = feature.parameters
    repeats, recency, age = count - 1, (last - first) / DAY_US, (us(cutoff) - first) / DAY_US
    if count < 1:
        return None

    def alive(rate: float, p: float) -> float:
        return (1 - p) ** (repeats + 1) * rate**repeats * math.exp(-rate * age)

    def gone(rate: float, p: float) -> float:
        return p * (1 - p) ** repeats * rate**repeats * math.exp(-rate * recency)

    def orders(rate: float, p: float) -> float:
        expected = -math.expm1(-rate * p * horizon[0]) / p if p > 0 else rate * horizon[0]
        return alive(rate, p) * expected

    everything = _mean(alive, r, alpha, a, b) + _mean(gone, r, alpha, a, b)
    wanted = _mean(orders if horizon else alive, r, alpha, a, b)
    return wanted / everything


def _mean(of: object, r: float, alpha: float, a: float, b: float) -> float:
    """Integral of a function of rate and p over their densities, up to the densities' constants."""
    scale = 60.0  # beyond 60 e-foldings nothing is left

    def over_rate(p: float) -> float:
        def weighed(u: float) -> float:
            return of(u / alpha, p) * math.exp(-u)  # type: ignore[operator]

        # split where the mass may be narrow: a customer of many days knows its rate well
        head = integrate.quad(weighed, 0, 1, weight="alg", wvar=(r - 1, 0), epsabs=0, epsrel=1e-9, limit=200)[0]
        tail = integrate.quad(lambda u: weighed(u) * u ** (r - 1), 1, scale, epsabs=0, epsrel=1e-9, limit=200)[0]
        return float(head + tail)

    return float(
        integrate.quad(over_rate, 0, 1, weight="alg", wvar=(a - 1, b - 1), epsabs=0, epsrel=1e-8, limit=200)[0]
    )


def outcome_value(events: Sequence[Event], outcome: Outcome, cutoff: datetime) -> int:
    """Value of one outcome of one customer."""
    begin = cutoff + timedelta(days=outcome.start_days)
    end = cutoff + timedelta(days=outcome.end_days)
    orders: dict[object, list[Event]] = {}
    for number, event in enumerate(events):
        orders.setdefault((event.type, event.order or number), []).append(event)
    total = 0
    for (event_type, _), lines in orders.items():
        if event_type == "refund" and outcome.measure == "net_amount":
            total -= _money([line for line in lines if begin <= line.at < end])
        elif event_type in outcome.event_types and begin <= min(line.at for line in lines) < end:
            total += 1 if outcome.measure == "count" else _money([line for line in lines if line.at < end])
    return total


def _money(lines: Sequence[Event]) -> int:
    return sum(rounded(line.numbers.get("amount", 0), 100) or 0 for line in lines)


def moment(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)

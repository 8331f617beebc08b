"""What a feature is called, its unit, when it is null, and a sentence about it: all derived from its definition."""

from __future__ import annotations

import hashlib
import re
from typing import assert_never

from features.grammar import Aggregation, Base, Readout

__all__ = ["description", "name", "null_meaning", "slug", "unit"]


_FIELD_UNITS = {
    "amount": "money",
    "discount": "money",
    "duration_seconds": "seconds",
    "quantity": "pieces",
    "rating": "points",
    "value": "units",
}
_NOUNS = frozenset(
    {"event", "purchase", "refund", "return", "session", "view", "visit", "click", "login", "review", "order"}
)


def slug(event_type: str | None) -> str:
    """Event type as part of a name; one with other characters than letters, digits and ``_`` also gets a hash.

    Examples
    --------
    >>> slug("purchase"), slug(None)
    ('purchase', 'event')
    >>> slug("bought: again!").startswith("bought_again_")
    True
    """
    if event_type is None:
        return "event"
    plain = re.sub(r"[^A-Za-z0-9]+", "_", event_type).strip("_")
    if plain == event_type:
        return event_type
    if re.fullmatch(r"[A-Za-z0-9_]+", event_type):
        return event_type
    return f"{plain or 'type'}_{hashlib.sha256(event_type.encode()).hexdigest()[:6]}"


def name(readout: Readout, bases: tuple[Base, ...], parameters: tuple[float, ...] = ()) -> str:
    """Derived name of a feature.

    Examples
    --------
    >>> count = Base(aggregation=Aggregation.COUNT, event_type="purchase", window_days=28)
    >>> name(Readout.VALUE, (count,))
    'purchase_count_28d'
    """
    first = bases[0]
    who = slug(first.event_type)
    match readout:
        case Readout.VALUE:
            return f"{_measure(first)}{_window(first)}"
        case Readout.AGE_DAYS:
            if first.event_type is None and first.aggregation is Aggregation.FIRST:
                return f"tenure_days{_window(first, tail='')}"
            return f"days_since_{first.aggregation}_{who}{_window(first, tail='')}"
        case Readout.SPAN_DAYS:
            return f"days_first_to_last_{who}{_window(first, tail='')}"
        case Readout.RATIO:
            return f"{_ratio(first, bases[1])}{_window(first)}"
        case Readout.TREND:
            return f"{_measure(first)}_{first.window_days}d_per_{bases[1].window_days}d"
        case Readout.SHARE:
            return f"{who}_{first.field}_share{_window(first)}"
        case Readout.GAP_MEAN_DAYS | Readout.GAP_SD_DAYS | Readout.GAP_VARIATION:
            return f"{who}_{readout}{_window(first, tail='')}"
        case Readout.AGE_PER_GAP:
            return f"{who}_days_since_last_per_gap_mean{_window(bases[1], tail='')}"
        case _:
            assert_never(readout)


def unit(readout: Readout, bases: tuple[Base, ...], parameters: tuple[float, ...] = ()) -> str:
    """Unit of a feature's value.

    Examples
    --------
    >>> unit(Readout.VALUE, (Base(aggregation=Aggregation.SUM, event_type="purchase", field="amount"),))
    'money'
    """
    match readout:
        case Readout.VALUE:
            return _unit(bases[0])
        case Readout.RATIO:
            return f"{_unit(bases[0])} per {_unit(bases[1]).removesuffix('s')}"
        case Readout.TREND | Readout.SHARE | Readout.GAP_VARIATION | Readout.AGE_PER_GAP:
            return "ratio"
        case Readout.AGE_DAYS | Readout.SPAN_DAYS | Readout.GAP_MEAN_DAYS | Readout.GAP_SD_DAYS:
            return "days"
        case _:
            assert_never(readout)


def null_meaning(readout: Readout, bases: tuple[Base, ...], parameters: tuple[float, ...] = ()) -> str:
    """When a feature is null; empty if it never is."""
    who = _who(bases[0])
    match readout:
        case Readout.VALUE:
            return f"fewer than two {who}" if bases[0].aggregation is Aggregation.GAP_MAX else ""
        case Readout.AGE_DAYS | Readout.SPAN_DAYS:
            return f"no {who}{_within(bases[0])}"
        case Readout.RATIO | Readout.TREND:
            return f"no {_phrase(bases[1])}{_within(bases[1])}"
        case Readout.SHARE:
            return f"{bases[0].field} and {bases[1].field} add up to nothing{_within(bases[0])}"
        case Readout.GAP_MEAN_DAYS:
            return f"fewer than two {who}"
        case Readout.GAP_SD_DAYS | Readout.GAP_VARIATION:
            return f"fewer than three {who}"
        case Readout.AGE_PER_GAP:
            return f"fewer than two {who}, or no time between them"
        case _:
            assert_never(readout)


def description(readout: Readout, bases: tuple[Base, ...], parameters: tuple[float, ...] = ()) -> str:  # noqa: C901 (one case a readout)
    """One sentence about a feature.

    Examples
    --------
    >>> description(Readout.VALUE, (Base(aggregation=Aggregation.COUNT, event_type="purchase", window_days=28),))
    'Number of purchases in the last 28 days.'
    """
    first = bases[0]
    who, within = _who(first), _within(first)
    match readout:
        case Readout.VALUE:
            return f"{_phrase(first).capitalize()}{within}."
        case Readout.AGE_DAYS:
            return f"Days since the {first.aggregation} of the {who}{within}."
        case Readout.SPAN_DAYS:
            return f"Days between the first and the last of the {who}{within}."
        case Readout.RATIO:
            return f"{_phrase(first).capitalize()} divided by {_phrase(bases[1])}{within}."
        case Readout.TREND:
            against = f"{within} against that{_within(bases[1])}"
            return f"{_phrase(first).capitalize()} a day{against}; 1 is steady, less is fading."
        case Readout.SHARE:
            return f"{str(first.field).capitalize()} as a share of {first.field} plus {bases[1].field}, {who}{within}."
        case Readout.GAP_MEAN_DAYS:
            return f"Mean days between consecutive {who}{within}."
        case Readout.GAP_SD_DAYS:
            return f"Standard deviation of the days between consecutive {who}{within}."
        case Readout.GAP_VARIATION:
            return f"Standard deviation of the days between consecutive {who} divided by their mean{within}."
        case Readout.AGE_PER_GAP:
            return f"Days since the last of the {who} divided by the customer's own mean days between them."
        case _:
            assert_never(readout)


def _window(base: Base, *, tail: str = "_lifetime") -> str:
    if base.window_days is not None:
        return f"_{base.window_days}d"
    return "" if base.aggregation in {Aggregation.ACTIVE_DAYS, Aggregation.GAP_COUNT, Aggregation.GAP_MAX} else tail


def _within(base: Base) -> str:
    return f" in the last {base.window_days} days" if base.window_days is not None else ""


def _who(base: Base) -> str:
    """Plural of the event type: a word of its own where English has one, else "… events"."""
    words = slug(base.event_type).replace("_", " ")
    return f"{words}s" if words in _NOUNS else f"{words} events"


def _measure(base: Base) -> str:  # noqa: C901 (one case an aggregation)
    who = slug(base.event_type)
    match base.aggregation:
        case Aggregation.COUNT:
            return f"{who}_count"
        case Aggregation.LINES:
            return f"{who}_line_count"
        case Aggregation.SUM:
            return f"{who}_{base.field}_sum"
        case Aggregation.PRESENT:
            return f"{who}_{base.field}_count"
        case Aggregation.ACTIVE_DAYS:
            return f"{who}_active_days"
        case Aggregation.GAP_COUNT:
            return f"{who}_gap_count"
        case Aggregation.GAP_SUM:
            return f"{who}_gap_sum_minutes"
        case Aggregation.GAP_SQUARES:
            return f"{who}_gap_squares"
        case Aggregation.GAP_MAX:
            return f"{who}_gap_max_days"
        case Aggregation.FIRST | Aggregation.LAST:
            return f"{who}_{base.aggregation}_time"
        case _:
            assert_never(base.aggregation)


def _ratio(top: Base, bottom: Base) -> str:
    if top.aggregation is Aggregation.SUM and bottom.aggregation in {Aggregation.COUNT, Aggregation.PRESENT}:
        if top.event_type == bottom.event_type:
            return f"{slug(top.event_type)}_{top.field}_mean"
    elif top.event_type == bottom.event_type:
        return f"{_measure(top)}_per_{_measure(bottom).removeprefix(slug(bottom.event_type) + '_')}"
    return f"{_measure(top)}_per_{_measure(bottom)}"


def _phrase(base: Base) -> str:
    who = _who(base)
    match base.aggregation:
        case Aggregation.COUNT:
            return f"number of {who}"
        case Aggregation.LINES:
            return f"number of lines of {who}"
        case Aggregation.SUM:
            return f"sum of the {base.field} of {who}"
        case Aggregation.PRESENT:
            return f"number of lines of {who} with {base.field}"
        case Aggregation.ACTIVE_DAYS:
            return f"number of days with {who}"
        case Aggregation.GAP_COUNT:
            return f"number of gaps between {who}"
        case Aggregation.GAP_SUM | Aggregation.GAP_SQUARES:
            return f"{'sum' if base.aggregation is Aggregation.GAP_SUM else 'squares'} of the minutes between {who}"
        case Aggregation.GAP_MAX:
            return f"longest time in days between consecutive {who}"
        case Aggregation.FIRST | Aggregation.LAST:
            return f"{base.aggregation} time of {who}"
        case _:
            assert_never(base.aggregation)


def _unit(base: Base) -> str:
    match base.aggregation:
        case Aggregation.COUNT:
            return "orders" if base.event_type is not None else "events"
        case Aggregation.LINES | Aggregation.PRESENT:
            return "lines"
        case Aggregation.SUM:
            return _FIELD_UNITS[str(base.field)]
        case Aggregation.ACTIVE_DAYS | Aggregation.GAP_MAX:
            return "days"
        case Aggregation.GAP_COUNT:
            return "gaps"
        case Aggregation.GAP_SUM | Aggregation.GAP_SQUARES:
            return "minutes"
        case Aggregation.FIRST | Aggregation.LAST:
            return "microseconds since 1970"
        case _:
            assert_never(base.aggregation)

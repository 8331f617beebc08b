"""What one base aggregate is called inside a sentence, and when it is null or 0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

from features.grammar import TAIL_DAYS, Aggregation, Base, Where
from features.naming_base import ONE_ROW, slug
from features.nouns import ANY_EVENT, FIELDS, NOUNS, an, shown
from features.words import OF_THE_TAIL

__all__ = ["absent", "phrase", "singular", "who", "windows_text", "within", "zero"]

_PLAIN_WORDS: Final = frozenset({"event", "visit", "order"})
"""Words that need no "event" behind them although no built-in type is called so."""


def within(base: Base) -> str:
    """Window, behind a sentence."""
    if base.window_days is not None:
        days = "day" if base.window_days == 1 else f"{base.window_days} days"
        return f" in the {'next' if base.aggregation is Aggregation.RUNNING_OUT else 'last'} {days}"
    if base.last_lines is not None:
        return f" in the last {base.last_lines} rows of the last {TAIL_DAYS} days"
    no_window = base.aggregation not in OF_THE_TAIL or base.aggregation is Aggregation.STREAK
    return "" if no_window else f" in the last {TAIL_DAYS} days"


def who(base: Base) -> str:
    """Plural of the rows: a word of its own where English has one, else "… events"; and the filter."""
    return _noun(base)[1] + _of(base.where)


def singular(base: Base) -> str:
    """Singular of :func:`who`."""
    return _noun(base)[0] + _of(base.where)


def phrase(base: Base) -> str:  # noqa: C901 (one case an aggregation)
    """What is measured, inside a sentence, without the window."""
    all_of_them = who(base)
    field, fields = FIELDS.get(base.field or "", ("", ""))
    match base.aggregation:
        case Aggregation.COUNT:
            return f"number of {all_of_them}"
        case Aggregation.LINES:
            return f"number of {f'rows of {all_of_them}' if base.where is None else _rows(base)}"
        case Aggregation.SUM:
            return f"sum of the {field} of {all_of_them}"
        case Aggregation.PRESENT:
            return f"number of {_rows(base)} with {an(field)}"
        case Aggregation.ACTIVE_DAYS:
            return f"number of days with {all_of_them}"
        case Aggregation.STREAK:
            return f"number of days in a row with {all_of_them}, up to the cutoff's day or the one before"
        case Aggregation.GAP_COUNT:
            return f"number of gaps between {all_of_them}"
        case Aggregation.GAP_SUM | Aggregation.GAP_SQUARES:
            kind = "sum of the days" if base.aggregation is Aggregation.GAP_SUM else "squares of the minutes"
            return f"{kind} between {all_of_them}"
        case Aggregation.GAP_MAX:
            return f"longest time in days between consecutive {all_of_them}"
        case Aggregation.FIRST | Aggregation.LAST:
            return f"{base.aggregation} time of {all_of_them}"
        case Aggregation.WEEKDAY_SQUARES | Aggregation.HOUR_SQUARES:
            slot = "weekday" if base.aggregation is Aggregation.WEEKDAY_SQUARES else "hour of the day"
            return f"squares of the number of {all_of_them} of each {slot}"
        case Aggregation.WEEKEND:
            return f"number of {all_of_them} on a Saturday or Sunday"
        case Aggregation.LAST_NUMBER:
            return f"last {field} of {all_of_them}"
        case Aggregation.DISTINCT:
            return f"number of different {fields} among {all_of_them}"
        case Aggregation.TOP:
            return f"number of {_rows(base)} with the most frequent {field}"
        case Aggregation.RUNNING_OUT:
            return f"number of {all_of_them} that run out"
        case Aggregation.FIRST_ORDER_SUM:
            return f"{field} of the first {singular(base)}"
        case Aggregation.FIRST_ORDER_IS:
            return f"whether the first {singular(base)} was {_value(str(base.field), str(base.value))}"
        case Aggregation.ATTRIBUTE:
            if base.value is None:
                return f"attribute {shown(str(base.field))} as known at the cutoff"
            return f"whether the attribute {shown(str(base.field))} is {shown(base.value)}"
        case _:
            assert_never(base.aggregation)


def windows_text(bases: Iterable[Base]) -> str:
    """Every window that a feature looks at, as a cell of a table; empty if it looks at no events.

    Examples
    --------
    >>> windows_text(Base(aggregation=Aggregation.COUNT, event_type="view", window_days=days) for days in (7, 28))
    '7 days, 28 days'
    """
    return ", ".join(dict.fromkeys(filter(None, map(_window_text, bases))))


def _window_text(base: Base) -> str:
    if base.aggregation is Aggregation.ATTRIBUTE:
        return ""
    if base.window_days is not None:
        return f"{'next ' if base.aggregation is Aggregation.RUNNING_OUT else ''}{base.window_days} days"
    if base.last_lines is not None:
        return f"last {base.last_lines} rows"
    return f"{TAIL_DAYS} days" if base.aggregation in OF_THE_TAIL else "lifetime"


def absent(base: Base) -> str:
    """When the base aggregate is null; empty if it never is."""
    match base.aggregation:
        case Aggregation.FIRST | Aggregation.LAST | Aggregation.FIRST_ORDER_SUM:
            return f"no {who(base)}{within(base)}"
        case Aggregation.FIRST_ORDER_IS:
            return f"no {who(base)}, or no {str(base.field).replace('_', ' ')} of the first"
        case Aggregation.LAST_NUMBER:
            return f"no {who(base)} with {an(FIELDS[str(base.field)][0])}{within(base)}"
        case Aggregation.GAP_MAX:
            return f"fewer than two {who(base)}{within(base)}"
        case Aggregation.ATTRIBUTE:
            return f"the attribute {shown(str(base.field))} was not known"
        case _:
            return ""


def zero(base: Base) -> str:
    """When the base aggregate is 0, so that nothing can be divided by it."""
    match base.aggregation:
        case Aggregation.SUM:
            return f"the {FIELDS[str(base.field)][0]} of {who(base)} adds up to 0{within(base)}"
        case Aggregation.PRESENT | Aggregation.TOP | Aggregation.DISTINCT:
            return f"no {who(base)} with {an(FIELDS[str(base.field)][0])}{within(base)}"
        case Aggregation.COUNT | Aggregation.LINES | Aggregation.ACTIVE_DAYS:
            return f"no {who(base)}{within(base)}"
        case _:
            return f"the {phrase(base)} is 0{within(base)}"


def _noun(base: Base) -> tuple[str, str]:
    if base.event_type is None:
        return ANY_EVENT
    if base.event_type in NOUNS:
        return NOUNS[base.event_type]
    words = slug(base.event_type).replace("_", " ")
    one = words if words in _PLAIN_WORDS else f"{words} event"
    return one, f"{one}s"


def _rows(base: Base) -> str:
    return who(base) if base.event_type in ONE_ROW else f"rows of {who(base)}"


def _of(where: Where | None) -> str:
    return "" if where is None else f" {_value(where.field, where.value)}"


def _value(field: str, value: str) -> str:
    link = {"kind": "of kind", "source": "from source"}.get(field, f"on {field}")
    return f"{link} {shown(value)}"

"""The words of the feature grammar: what is measured (a base aggregate) and how it can be read out.

A *base aggregate* is an exact integer about one customer at one cutoff: an aggregation of one event type, perhaps of
one number of its rows, perhaps in a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from features.errors import UsageError, did_you_mean
from features.events import SCALES

__all__ = [
    "MAX_EVENTS",
    "NULL_INT",
    "OF_A_NUMBER",
    "OF_THE_TAIL",
    "TAIL_DAYS",
    "Aggregation",
    "Base",
    "Family",
    "Readout",
    "base_from_dict",
]

NULL_INT: Final = -(2**63)
"""A base aggregate that is not defined: the first time of what never happened."""
MAX_EVENTS: Final = 4_096
"""Windows, gaps and active days look at this many of a customer's last events (and ties of the oldest one)."""
TAIL_DAYS: Final = 400
"""Windows, gaps and active days look at events not older than this."""


class Aggregation(StrEnum):
    """What can be measured. An order is a distinct ``order_id`` (absent: the row) at its earliest line's time."""

    COUNT = "count"  # orders
    LINES = "lines"  # rows
    SUM = "sum"  # of a number over the lines of the orders of the window
    PRESENT = "present"  # lines of those orders that have the number
    ACTIVE_DAYS = "active_days"  # distinct local days with a row
    FIRST = "first"  # time of the first order, µs
    LAST = "last"  # time of the last order, µs
    GAP_COUNT = "gap_count"  # gaps between consecutive orders
    GAP_SUM = "gap_sum"  # of their whole minutes
    GAP_SQUARES = "gap_squares"  # of their whole minutes, squared
    GAP_MAX = "gap_max"  # whole minutes


OF_A_NUMBER: Final = frozenset({Aggregation.SUM, Aggregation.PRESENT})
OF_THE_TAIL: Final = frozenset(
    {
        Aggregation.ACTIVE_DAYS,
        Aggregation.GAP_COUNT,
        Aggregation.GAP_SUM,
        Aggregation.GAP_SQUARES,
        Aggregation.GAP_MAX,
    }
)
"""Aggregations that see the tail only, even without a window; the others then see the customer's whole life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """One base aggregate.

    Parameters
    ----------
    aggregation : Aggregation
        What is measured.
    event_type : str or None
        Which events; None is every event, each row its own order.
    field : str or None
        A key of :data:`features.events.SCALES`, for ``SUM`` and ``PRESENT`` only.
    window_days : int or None
        ``[cutoff - window, cutoff)`` in days of 86,400 s, at most :data:`TAIL_DAYS`. None: the whole life, or the
        tail for active days and gaps.

    Raises
    ------
    UsageError
        If the parts do not fit together.

    Examples
    --------
    >>> Base(aggregation=Aggregation.COUNT, event_type="purchase", window_days=28).to_dict()
    {'aggregation': 'count', 'event_type': 'purchase', 'field': None, 'window_days': 28}
    """

    aggregation: Aggregation
    event_type: str | None
    field: str | None = None
    window_days: int | None = None

    def __post_init__(self) -> None:
        if (self.field is not None) != (self.aggregation in OF_A_NUMBER):
            needs = "a field" if self.aggregation in OF_A_NUMBER else "no field"
            raise UsageError(f"the aggregation {self.aggregation} has field {self.field!r}", expected=needs)
        if self.field is not None and self.field not in SCALES:
            raise UsageError(f"the field {self.field!r} cannot be summed", remedy=did_you_mean(self.field, SCALES))
        if self.window_days is not None and not 1 <= self.window_days <= TAIL_DAYS:
            raise UsageError(f"a window of {self.window_days} days", expected=f"1 to {TAIL_DAYS} days")

    def to_dict(self) -> dict[str, str | int | None]:
        """Return the parts as JSON can hold them."""
        return {
            "aggregation": str(self.aggregation),
            "event_type": self.event_type,
            "field": self.field,
            "window_days": self.window_days,
        }


class Readout(StrEnum):
    """How a feature is computed from its base aggregates, in the order they are listed."""

    VALUE = "value"  # the aggregate itself, in its unit
    AGE_DAYS = "age_days"  # cutoff - time
    SPAN_DAYS = "span_days"  # last - first
    RATIO = "ratio"  # first / second
    TREND = "trend"  # first / second, each divided by its window: 1 is steady
    SHARE = "share"  # first / (first + second)
    GAP_MEAN_DAYS = "gap_mean_days"  # of gap_sum, gap_count
    GAP_SD_DAYS = "gap_sd_days"  # of gap_squares, gap_sum, gap_count
    GAP_VARIATION = "gap_variation"  # standard deviation / mean, of gap_squares, gap_sum, gap_count
    AGE_PER_GAP = "age_per_gap"  # (cutoff - last) / mean gap, of last, gap_sum, gap_count


class Family(StrEnum):
    """What a feature tells about a customer."""

    RECENCY = "recency"
    FREQUENCY = "frequency"
    MONETARY = "monetary"
    REGULARITY = "regularity"
    TREND = "trend"
    LIFECYCLE = "lifecycle"


def base_from_dict(parts: Mapping[str, object]) -> Base:
    """Base aggregate of what :meth:`Base.to_dict` gave.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is no such thing.
    """
    event_type, field, window = parts["event_type"], parts["field"], parts["window_days"]
    if (
        not isinstance(event_type, str | None)
        or not isinstance(field, str | None)
        or not isinstance(window, int | None)
    ):
        raise TypeError(f"the aggregate {dict(parts)} has parts of other types")
    aggregation = Aggregation(str(parts["aggregation"]))
    return Base(aggregation=aggregation, event_type=event_type, field=field, window_days=window)

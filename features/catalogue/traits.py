"""What the catalogue knows about an event type of a log, and short forms to write features with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from features.definition import Aggregation, Base, Family, Feature, Readout

__all__ = ["LONG", "MAX_LENGTH", "MAX_VALUES", "MIDDLE", "SHORT", "WINDOWS", "TypeTraits", "base", "ratio", "value"]

WINDOWS: Final = (7, 14, 28, 56, 91, 182, 364)
"""Whole weeks, so that each window holds the same number of each weekday."""
SHORT, MIDDLE, LONG = 28, 91, 364

MAX_VALUES: Final = 12
"""Values of one column of one event type that the catalogue may tell apart."""
MAX_LENGTH: Final = 64
"""Characters of the longest value that is kept: a longer one is an address or a text, not a name to tell rows apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeTraits:
    """What the rows of an event type carry.

    Parameters
    ----------
    fields : frozenset of str
        Log columns that any row has; of :data:`features.events.TRAIT_COLUMNS`.
    values : mapping of str to tuple of str
        For each of :data:`features.events.VALUE_COLUMNS` that has any: the values to tell apart, in alphabetical order.
        A log offers the :data:`MAX_VALUES` most frequent ones.

    Examples
    --------
    >>> TypeTraits(fields=frozenset({"order_id"})).is_rich
    True
    """

    fields: frozenset[str] = frozenset()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def has_amount(self) -> bool:
        """Whether any row has an amount."""
        return "amount" in self.fields

    @property
    def has_discount(self) -> bool:
        """Whether any row has a discount."""
        return "discount" in self.fields

    @property
    def has_orders(self) -> bool:
        """Whether any row has an ``order_id``: several rows may then be one event."""
        return "order_id" in self.fields

    @property
    def is_rich(self) -> bool:
        """Whether the type is worth the full set of windows: it carries money or orders."""
        return self.has_amount or self.has_discount or self.has_orders


def base(
    aggregation: Aggregation, event_type: str | None, window_days: int | None = None, field: str | None = None
) -> Base:
    """Short form of a base aggregate."""
    return Base(aggregation=aggregation, event_type=event_type, field=field, window_days=window_days)


def value(family: Family, of: Base) -> Feature:
    """Feature that is a base aggregate itself."""
    return Feature(readout=Readout.VALUE, bases=(of,), family=family)


def ratio(family: Family, top: Base, bottom: Base) -> Feature:
    """Feature that is one base aggregate divided by another."""
    return Feature(readout=Readout.RATIO, bases=(top, bottom), family=family)

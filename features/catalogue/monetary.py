"""Monetary: what was spent, what was taken off, and how much at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.catalogue.traits import LONG, MIDDLE, SHORT, TypeTraits, base, ratio, value
from features.definition import Aggregation, Family, Feature, Readout

__all__ = ["features"]

_WINDOWS = (SHORT, MIDDLE, 182, LONG)


def features(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    """List the family's features."""
    for name, traits in types.items():
        for field, has_it in (("amount", traits.has_amount), ("discount", traits.has_discount)):
            if has_it:
                yield from _money(name, field)
        if traits.has_amount and traits.has_discount:
            for days in (SHORT, MIDDLE, LONG):
                sums = (base(Aggregation.SUM, name, days, "discount"), base(Aggregation.SUM, name, days, "amount"))
                yield Feature(readout=Readout.SHARE, bases=sums, family=Family.MONETARY)


def _money(name: str, field: str) -> Iterator[Feature]:
    for days in _WINDOWS:
        yield value(Family.MONETARY, base(Aggregation.SUM, name, days, field))
    for window in (SHORT, MIDDLE, LONG, None):
        total, orders = base(Aggregation.SUM, name, window, field), base(Aggregation.COUNT, name, window)
        yield ratio(Family.MONETARY, total, orders)

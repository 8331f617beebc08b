"""Monetary: what was spent, what was taken off, what came back, and how much at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.catalogue.depth import Depth, depth
from features.catalogue.forms import difference, has, per
from features.catalogue.traits import LONG, MIDDLE, SHORT, TypeTraits, base, ratio, value
from features.definition import Aggregation, Family, Feature, Readout

__all__ = ["features"]

_WINDOWS = (SHORT, MIDDLE, 182, LONG)


def features(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    """List the family's features."""
    for name, traits in types.items():
        is_full = depth(name, traits) is Depth.FULL
        for field, has_it in (("amount", traits.has_amount), ("discount", traits.has_discount)):
            if has_it:
                yield from _money(name, field) if is_full else _less_money(name, field)
        if traits.has_amount and traits.has_discount and is_full:
            for days in (SHORT, MIDDLE, LONG):
                sums = (base(Aggregation.SUM, name, days, "discount"), base(Aggregation.SUM, name, days, "amount"))
                yield Feature(readout=Readout.SHARE, bases=sums, family=Family.MONETARY)
        if is_full and "quantity" in traits.fields:
            pieces = base(Aggregation.SUM, name, MIDDLE, "quantity")
            yield value(Family.MONETARY, pieces)
            yield ratio(Family.MONETARY, pieces, base(Aggregation.COUNT, name, MIDDLE))
    yield from _refunds(types)


def _money(name: str, field: str) -> Iterator[Feature]:
    for days in _WINDOWS:
        yield value(Family.MONETARY, base(Aggregation.SUM, name, days, field))
    for window in (SHORT, MIDDLE, LONG, None):
        total, orders = base(Aggregation.SUM, name, window, field), base(Aggregation.COUNT, name, window)
        yield ratio(Family.MONETARY, total, orders)


def _less_money(name: str, field: str) -> Iterator[Feature]:
    for days in (MIDDLE, LONG):
        yield value(Family.MONETARY, base(Aggregation.SUM, name, days, field))
    yield ratio(Family.MONETARY, base(Aggregation.SUM, name, LONG, field), base(Aggregation.COUNT, name, LONG))


def _refunds(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    yield from per(Family.MONETARY, types, "refund", "purchase", (LONG, None))
    if has(types, "refund", "amount") and has(types, "purchase", "amount"):
        for days in (MIDDLE, LONG):
            paid, back = (base(Aggregation.SUM, name, days, "amount") for name in ("purchase", "refund"))
            yield difference(Family.MONETARY, paid, back)
            yield ratio(Family.MONETARY, back, paid)

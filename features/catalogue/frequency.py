"""Frequency: how often each type of event happened, on how many days, in how many lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.catalogue.traits import LONG, MIDDLE, SHORT, WINDOWS, TypeTraits, base, ratio, value
from features.definition import Aggregation, Family, Feature

__all__ = ["features"]

_FEW = (7, SHORT, MIDDLE, LONG)


def features(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    """List the family's features."""
    for name, traits in types.items():
        for days in WINDOWS if traits.is_rich else _FEW:
            yield value(Family.FREQUENCY, base(Aggregation.COUNT, name, days))
        for days in (SHORT, MIDDLE, LONG):
            yield value(Family.FREQUENCY, base(Aggregation.ACTIVE_DAYS, name, days))
        if traits.has_orders:
            for days in (SHORT, MIDDLE, LONG):
                yield value(Family.FREQUENCY, base(Aggregation.LINES, name, days))
                lines, orders = base(Aggregation.LINES, name, days), base(Aggregation.COUNT, name, days)
                yield ratio(Family.FREQUENCY, lines, orders)
    if "purchase" in types:
        yield from _per_purchase(types)


def _per_purchase(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    for name, traits in types.items():
        if traits.has_orders and name != "purchase":
            for days in (MIDDLE, LONG):
                purchases = base(Aggregation.COUNT, "purchase", days)
                yield ratio(Family.FREQUENCY, base(Aggregation.COUNT, name, days), purchases)

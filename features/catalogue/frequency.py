"""Frequency: how often each type of event happened, on how many days, in how many rows and visits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.catalogue.depth import Depth, depth
from features.catalogue.traits import LONG, MIDDLE, SHORT, WINDOWS, TypeTraits, base, ratio, value
from features.definition import Aggregation, Family, Feature

__all__ = ["features"]

_COUNTED = {
    Depth.FULL: WINDOWS,
    Depth.ACTIVE: (7, SHORT, MIDDLE, LONG),
    Depth.LEAN: (7, SHORT, MIDDLE),
    Depth.BRIEF: (SHORT, MIDDLE),
    Depth.RARE: (MIDDLE,),
}
_ELSEWHERE = frozenset({"purchase", "refund", "return", "delivered", "cart", "checkout"})
"""Types whose ratio to purchases is another family's."""


def features(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    """List the family's features."""
    for name, traits in types.items():
        how_much = depth(name, traits)
        for days in _COUNTED[how_much]:
            yield value(Family.FREQUENCY, base(Aggregation.COUNT, name, days))
        if how_much in {Depth.FULL, Depth.ACTIVE}:
            for days in (SHORT, MIDDLE, LONG):
                yield value(Family.FREQUENCY, base(Aggregation.ACTIVE_DAYS, name, days))
        if traits.has_orders and how_much is Depth.FULL:
            for days in (SHORT, MIDDLE, LONG):
                yield value(Family.FREQUENCY, base(Aggregation.LINES, name, days))
                lines, orders = base(Aggregation.LINES, name, days), base(Aggregation.COUNT, name, days)
                yield ratio(Family.FREQUENCY, lines, orders)
    if "purchase" in types:
        yield from _per_purchase(types)
    if any("session_id" in traits.fields for traits in types.values()):
        for days in (SHORT, MIDDLE):
            yield value(Family.FREQUENCY, base(Aggregation.DISTINCT, None, days, "session_id"))


def _per_purchase(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    for name, traits in types.items():
        if traits.has_orders and name not in _ELSEWHERE:
            for days in (MIDDLE, LONG):
                purchases = base(Aggregation.COUNT, "purchase", days)
                yield ratio(Family.FREQUENCY, base(Aggregation.COUNT, name, days), purchases)

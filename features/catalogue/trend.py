"""Trend: a short window against a longer one that contains it; 1 is steady, less is fading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.catalogue.depth import Depth, depth
from features.catalogue.traits import LONG, MIDDLE, SHORT, TypeTraits, base
from features.definition import Aggregation, Base, Family, Feature, Readout

__all__ = ["features"]

_SPANS = {
    Depth.FULL: ((7, SHORT), (14, 56), (SHORT, MIDDLE), (MIDDLE, LONG)),
    Depth.ACTIVE: ((SHORT, MIDDLE),),
    Depth.LEAN: ((SHORT, MIDDLE),),
    Depth.BRIEF: (),
    Depth.RARE: (),
}


def features(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    """List the family's features."""
    for name, traits in types.items():
        how_much = depth(name, traits)
        for short, long in _SPANS[how_much]:
            yield _trend(base(Aggregation.COUNT, name, short), base(Aggregation.COUNT, name, long))
        for field, has_it in (("amount", traits.has_amount), ("discount", traits.has_discount)):
            if has_it and how_much is Depth.FULL:
                for short, long in ((SHORT, MIDDLE), (MIDDLE, LONG)):
                    sums = (base(Aggregation.SUM, name, short, field), base(Aggregation.SUM, name, long, field))
                    yield _trend(*sums)


def _trend(short: Base, long: Base) -> Feature:
    return Feature(readout=Readout.TREND, bases=(short, long), family=Family.TREND)

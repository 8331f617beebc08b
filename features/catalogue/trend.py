"""Trend: a short window against a longer one that contains it; 1 is steady, less is fading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.catalogue.traits import LONG, MIDDLE, SHORT, TypeTraits, base
from features.definition import Aggregation, Base, Family, Feature, Readout

__all__ = ["features"]


def features(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    """List the family's features."""
    for name, traits in types.items():
        spans = ((7, SHORT), (14, 56), (SHORT, MIDDLE), (MIDDLE, LONG)) if traits.is_rich else ((SHORT, MIDDLE),)
        for short, long in spans:
            yield _trend(base(Aggregation.COUNT, name, short), base(Aggregation.COUNT, name, long))
        for field, has_it in (("amount", traits.has_amount), ("discount", traits.has_discount)):
            if has_it:
                for short, long in ((SHORT, MIDDLE), (MIDDLE, LONG)):
                    sums = (base(Aggregation.SUM, name, short, field), base(Aggregation.SUM, name, long, field))
                    yield _trend(*sums)


def _trend(short: Base, long: Base) -> Feature:
    return Feature(readout=Readout.TREND, bases=(short, long), family=Family.TREND)

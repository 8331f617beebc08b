"""Regularity: the rhythm of each type of event, and whether the present silence fits it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.catalogue.traits import TypeTraits, base, value
from features.definition import Aggregation, Family, Feature, Readout

__all__ = ["features"]


def features(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    """List the family's features."""
    for name, traits in types.items():
        count, total, squares = (
            base(aggregation, name)
            for aggregation in (Aggregation.GAP_COUNT, Aggregation.GAP_SUM, Aggregation.GAP_SQUARES)
        )
        last = base(Aggregation.LAST, name)
        yield Feature(readout=Readout.GAP_MEAN_DAYS, bases=(total, count), family=Family.REGULARITY)
        yield Feature(readout=Readout.AGE_PER_GAP, bases=(last, total, count), family=Family.REGULARITY)
        if traits.is_rich:
            moments = (squares, total, count)
            yield Feature(readout=Readout.GAP_SD_DAYS, bases=moments, family=Family.REGULARITY)
            yield Feature(readout=Readout.GAP_VARIATION, bases=moments, family=Family.REGULARITY)
            yield value(Family.REGULARITY, base(Aggregation.GAP_MAX, name))

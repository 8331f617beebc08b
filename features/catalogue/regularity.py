"""Regularity: the rhythm of what customers do, whether the present silence fits it, and when in the week they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.catalogue.depth import Depth, depth
from features.catalogue.traits import LONG, TypeTraits, base, ratio, value
from features.definition import Aggregation, Family, Feature, Readout

__all__ = ["features"]

_WHEN = frozenset({"purchase", "session", "live_watch"})
"""Types whose time of the week says something of its own."""


def features(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    """List the family's features."""
    for name, traits in types.items():
        how_much = depth(name, traits)
        if how_much in {Depth.FULL, Depth.ACTIVE}:
            yield from _rhythm(name, is_full=how_much is Depth.FULL)
        if name in _WHEN:
            yield from _when(name)


def _rhythm(name: str, *, is_full: bool) -> Iterator[Feature]:
    count, total, squares = (
        base(aggregation, name) for aggregation in (Aggregation.GAP_COUNT, Aggregation.GAP_SUM, Aggregation.GAP_SQUARES)
    )
    last = base(Aggregation.LAST, name)
    yield Feature(readout=Readout.GAP_MEAN_DAYS, bases=(total, count), family=Family.REGULARITY)
    yield Feature(readout=Readout.AGE_PER_GAP, bases=(last, total, count), family=Family.REGULARITY)
    if is_full:
        moments = (squares, total, count)
        yield Feature(readout=Readout.GAP_SD_DAYS, bases=moments, family=Family.REGULARITY)
        yield Feature(readout=Readout.GAP_VARIATION, bases=moments, family=Family.REGULARITY)
        yield value(Family.REGULARITY, base(Aggregation.GAP_MAX, name))


def _when(name: str) -> Iterator[Feature]:
    count = base(Aggregation.COUNT, name, LONG)
    for aggregation in (Aggregation.WEEKDAY_SQUARES, Aggregation.HOUR_SQUARES):
        bases = (count, base(aggregation, name, LONG))
        yield Feature(readout=Readout.SPREAD, bases=bases, family=Family.REGULARITY)
    yield ratio(Family.REGULARITY, base(Aggregation.WEEKEND, name, LONG), count)

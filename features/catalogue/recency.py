"""Recency: how long ago each type of event last happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.catalogue.traits import TypeTraits, base
from features.definition import Aggregation, Family, Feature, Readout

__all__ = ["features"]


def features(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    """List the family's features."""
    who: list[str | None] = [*types]
    if len(types) > 1:
        who.append(None)
    for event_type in who:
        last = base(Aggregation.LAST, event_type)
        yield Feature(readout=Readout.AGE_DAYS, bases=(last,), family=Family.RECENCY)

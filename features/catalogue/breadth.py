"""Breadth: how many different things are looked at and bought, by how many ways, and how much is one and the same."""

from __future__ import annotations

from collections.abc import Iterator

from features.catalogue.depth import Depth, depth
from features.catalogue.forms import Types, distinct, top_share
from features.catalogue.traits import LONG, value
from features.definition import Aggregation, Base, Family, Feature

__all__ = ["features"]

_LAST = 50


def features(types: Types) -> Iterator[Feature]:
    """List the family's features."""
    for name, traits in types.items():
        if depth(name, traits) is Depth.FULL or name == "view":
            for field in ("item_id", "category"):
                yield from distinct(Family.BREADTH, types, name, field, last=_LAST)
            yield from top_share(Family.BREADTH, types, name, "category", LONG)
    for field in ("channel", "device"):
        yield from distinct(Family.BREADTH, types, "purchase", field, last=_LAST)
        if sum(field in traits.fields for traits in types.values()) > 1:
            of = Base(aggregation=Aggregation.DISTINCT, event_type=None, field=field, last_lines=_LAST)
            yield value(Family.BREADTH, of)
    yield from distinct(Family.BREADTH, types, "view", "page", last=_LAST)

"""Satisfaction: what customers said when they were asked, last and on average."""

from __future__ import annotations

from collections.abc import Iterator

from features.catalogue.forms import Types, has, kinds, mean
from features.catalogue.traits import LONG, base, value
from features.definition import Aggregation, Base, Family, Feature, Where

__all__ = ["features"]

_RATED = ("review", "survey", "ticket_closed")


def features(types: Types) -> Iterator[Feature]:
    """List the family's features."""
    for name in _RATED:
        if has(types, name, "rating"):
            found = kinds(types, name) if name == "survey" else ()
            yield from _of_each(types, name, found) if found else _of_all(types, name)


def _of_all(types: Types, name: str) -> Iterator[Feature]:
    yield value(Family.SATISFACTION, base(Aggregation.LAST_NUMBER, name, None, "rating"))
    yield from mean(Family.SATISFACTION, types, name, LONG, "rating")


def _of_each(types: Types, name: str, found: tuple[str, ...]) -> Iterator[Feature]:
    """The points of one kind of survey are not those of another."""
    for kind in found:
        where = Where(field="kind", value=kind)
        last = Base(aggregation=Aggregation.LAST_NUMBER, event_type=name, field="rating", window_days=LONG, where=where)
        yield value(Family.SATISFACTION, last)
        yield from mean(Family.SATISFACTION, types, name, LONG, "rating", kind=kind)

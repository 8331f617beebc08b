"""Short forms of the features that several families write; each gives nothing where the log lacks what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from features.catalogue.traits import TypeTraits, base, ratio, value
from features.definition import Aggregation, Base, Family, Feature, Readout, Where

__all__ = ["Types", "difference", "distinct", "has", "kinds", "mean", "per", "rows", "top_share"]

Types: TypeAlias = Mapping[str, TypeTraits]


def rows(event_type: str, days: int, field: str, text: str) -> Base:
    """Rows with one value of a column."""
    where = Where(field=field, value=text)
    return Base(aggregation=Aggregation.LINES, event_type=event_type, window_days=days, where=where)


def kinds(types: Types, event_type: str, field: str = "kind") -> tuple[str, ...]:
    """Values of a column that an event type has."""
    return types[event_type].values.get(field, ()) if event_type in types else ()


def has(types: Types, event_type: str, *fields: str) -> bool:
    """Whether the log has these columns of the event type."""
    return event_type in types and types[event_type].fields.issuperset(fields)


def mean(
    family: Family, types: Types, event_type: str, days: int, field: str, *, kind: str | None = None
) -> Iterator[Feature]:
    """Mean of a number over the rows that have it."""
    if has(types, event_type, field):
        where = None if kind is None else Where(field="kind", value=kind)
        parts = (
            Base(aggregation=aggregation, event_type=event_type, window_days=days, field=field, where=where)
            for aggregation in (Aggregation.SUM, Aggregation.PRESENT)
        )
        yield ratio(family, *parts)


def per(family: Family, types: Types, top: str, bottom: str, windows: Sequence[int | None]) -> Iterator[Feature]:
    """How many of one type of event there are for each of another."""
    if top in types and bottom in types:
        for days in windows:
            yield ratio(family, base(Aggregation.COUNT, top, days), base(Aggregation.COUNT, bottom, days))


def distinct(
    family: Family, types: Types, event_type: str, field: str, *, days: int | None = None, last: int | None = None
) -> Iterator[Feature]:
    """How many different values of a text."""
    if has(types, event_type, field):
        of = Base(
            aggregation=Aggregation.DISTINCT, event_type=event_type, field=field, window_days=days, last_lines=last
        )
        yield value(family, of)


def top_share(family: Family, types: Types, event_type: str, field: str, days: int) -> Iterator[Feature]:
    """Share of the rows with a text that have the most frequent one."""
    if has(types, event_type, field):
        parts = (base(aggregation, event_type, days, field) for aggregation in (Aggregation.TOP, Aggregation.PRESENT))
        yield ratio(family, *parts)


def difference(family: Family, *bases: Base) -> Feature:
    """Feature that is the first less the others."""
    return Feature(readout=Readout.DIFFERENCE, bases=bases, family=family)

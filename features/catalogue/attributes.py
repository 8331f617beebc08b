"""Attributes: what the table of customers knew about them at the cutoff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from features.catalogue.traits import value
from features.definition import Aggregation, Base, Family, Feature

__all__ = ["Attribute", "features"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute of customers.

    Parameters
    ----------
    name : str
        Column of the table of customers.
    values : tuple of str
        The texts to tell apart; empty for a number.
    """

    name: str
    values: tuple[str, ...] = ()


def features(attributes: Sequence[Attribute]) -> Iterator[Feature]:
    """List the family's features: a number as it is, and for a text whether it is each of the values."""
    for attribute in sorted(attributes, key=lambda one: one.name):
        for text in sorted(attribute.values) if attribute.values else (None,):
            of = Base(aggregation=Aggregation.ATTRIBUTE, event_type=None, field=attribute.name, value=text)
            yield value(Family.ATTRIBUTES, of)

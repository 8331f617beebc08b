"""Lifecycle: how long the customer has been one, how it began, and what the whole of that time amounts to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.catalogue.depth import Depth, depth
from features.catalogue.traits import TypeTraits, base, ratio, value
from features.definition import Aggregation, Base, Family, Feature, Readout

__all__ = ["features"]


def features(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    """List the family's features."""
    if types:
        since = base(Aggregation.FIRST, None)
        yield Feature(readout=Readout.AGE_DAYS, bases=(since,), family=Family.LIFECYCLE)
    for name, traits in types.items():
        how_much = depth(name, traits)
        first, last = base(Aggregation.FIRST, name), base(Aggregation.LAST, name)
        if len(types) > 1 and how_much in {Depth.FULL, Depth.ACTIVE}:
            yield Feature(readout=Readout.AGE_DAYS, bases=(first,), family=Family.LIFECYCLE)
        if how_much is not Depth.BRIEF:
            yield value(Family.LIFECYCLE, base(Aggregation.COUNT, name))
        if how_much is Depth.FULL:
            yield Feature(readout=Readout.SPAN_DAYS, bases=(first, last), family=Family.LIFECYCLE)
        for field, has_it in (("amount", traits.has_amount), ("discount", traits.has_discount)):
            if has_it:
                yield value(Family.LIFECYCLE, base(Aggregation.SUM, name, None, field))
    if "purchase" in types:
        yield from _first_purchase(types["purchase"])


def _first_purchase(traits: TypeTraits) -> Iterator[Feature]:
    """How it began: what was paid and taken off, and by which way the customer came."""
    amount, discount = (base(Aggregation.FIRST_ORDER_SUM, "purchase", None, field) for field in ("amount", "discount"))
    if traits.has_amount:
        yield value(Family.LIFECYCLE, amount)
    if traits.has_discount:
        yield value(Family.LIFECYCLE, discount)
    if traits.has_amount and traits.has_discount:
        yield ratio(Family.LIFECYCLE, discount, amount)
    for field in ("channel", "source", "device"):
        for text in traits.values.get(field, ()):
            was = Base(aggregation=Aggregation.FIRST_ORDER_IS, event_type="purchase", field=field, value=text)
            yield value(Family.LIFECYCLE, was)

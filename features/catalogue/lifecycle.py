"""Lifecycle: how long the customer has been one, and what the whole of that time amounts to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.catalogue.traits import TypeTraits, base, value
from features.definition import Aggregation, Family, Feature, Readout

__all__ = ["features"]


def features(types: Mapping[str, TypeTraits]) -> Iterator[Feature]:
    """List the family's features."""
    if types:
        since = base(Aggregation.FIRST, None)
        yield Feature(readout=Readout.AGE_DAYS, bases=(since,), family=Family.LIFECYCLE)
    for name, traits in types.items():
        first, last = base(Aggregation.FIRST, name), base(Aggregation.LAST, name)
        if len(types) > 1:
            yield Feature(readout=Readout.AGE_DAYS, bases=(first,), family=Family.LIFECYCLE)
        yield value(Family.LIFECYCLE, base(Aggregation.COUNT, name))
        if traits.is_rich:
            yield Feature(readout=Readout.SPAN_DAYS, bases=(first, last), family=Family.LIFECYCLE)
        for field, has_it in (("amount", traits.has_amount), ("discount", traits.has_discount)):
            if has_it:
                yield value(Family.LIFECYCLE, base(Aggregation.SUM, name, None, field))

"""Funnel: how much of each step leads to the next, and what was left in the cart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from features.catalogue.forms import Types, per
from features.catalogue.traits import MIDDLE, SHORT, base
from features.definition import Aggregation, Family, Feature, Readout

__all__ = ["features"]

_STEPS = ("view", "cart", "checkout", "purchase")


def features(types: Types) -> Iterator[Feature]:
    """List the family's features."""
    steps = [name for name in _STEPS if name in types]
    for earlier, later in pairwise(steps):
        yield from per(Family.FUNNEL, types, later, earlier, (SHORT, MIDDLE))
    if len(steps) > 2 and "purchase" in steps:
        yield from per(Family.FUNNEL, types, "purchase", steps[0], (MIDDLE,))
    yield from per(Family.FUNNEL, types, "purchase", "session", (MIDDLE,))
    yield from per(Family.FUNNEL, types, "cart_remove", "cart", (SHORT, MIDDLE))
    for left in ("favorite", "cart", "checkout"):
        if left in types and "purchase" in types:
            bases = (base(Aggregation.LAST, left), base(Aggregation.LAST, "purchase"))
            yield Feature(readout=Readout.AGE_UNANSWERED, bases=bases, family=Family.FUNNEL)

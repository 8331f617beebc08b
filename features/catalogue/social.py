"""Social: whom a customer brings, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator

from features.catalogue.forms import Types, distinct, kinds, rows
from features.catalogue.traits import LONG, base, ratio, value
from features.definition import Aggregation, Family, Feature

__all__ = ["features"]

_BOUGHT = "bought"
"""Kind of an ``invite`` row that says that the invited person bought."""


def features(types: Types) -> Iterator[Feature]:
    """List the family's features."""
    for kind in kinds(types, "invite"):
        yield value(Family.SOCIAL, rows("invite", LONG, "kind", kind))
    if _BOUGHT in kinds(types, "invite"):
        bought = rows("invite", LONG, "kind", _BOUGHT)
        yield ratio(Family.SOCIAL, bought, base(Aggregation.LINES, "invite", LONG))
    for name in ("invite", "share", "follow"):
        yield from distinct(Family.SOCIAL, types, name, "related_customer_id", days=LONG)

"""Service: what went wrong, how fast things came, and how fast somebody answered."""

from __future__ import annotations

from collections.abc import Iterator

from features.catalogue.forms import Types, difference, has, kinds, mean, per, rows
from features.catalogue.traits import LONG, base, ratio, value
from features.definition import Aggregation, Family, Feature

__all__ = ["features"]

_LATE = "late"
"""Kind of a ``delivered`` row that says that it came later than promised."""


def features(types: Types) -> Iterator[Feature]:
    """List the family's features."""
    yield from per(Family.SERVICE, types, "return", "purchase", (LONG, None))
    if _LATE in kinds(types, "delivered"):
        late = rows("delivered", LONG, "kind", _LATE)
        yield value(Family.SERVICE, late)
        yield ratio(Family.SERVICE, late, base(Aggregation.LINES, "delivered", LONG))
    yield from mean(Family.SERVICE, types, "delivered", LONG, "duration_seconds")
    if has(types, "delivered", "duration_seconds"):
        yield value(Family.SERVICE, base(Aggregation.LAST_NUMBER, "delivered", None, "duration_seconds"))
    if "support_ticket" in types and "ticket_closed" in types:
        opened, closed = (base(Aggregation.COUNT, name) for name in ("support_ticket", "ticket_closed"))
        yield difference(Family.SERVICE, opened, closed)
    for name in ("support_ticket", "ticket_closed"):
        yield from mean(Family.SERVICE, types, name, LONG, "duration_seconds")
    yield from per(Family.SERVICE, types, "support_ticket", "purchase", (LONG,))

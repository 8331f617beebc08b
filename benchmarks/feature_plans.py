"""What is measured: the panel's features and cutoffs, the full catalogue, and how the engine is called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.catalogue import catalogue
from features.clock import to_us
from features.definition import Aggregation, Base, Family, Feature, Readout
from features.duckdb_engine import BATCH_ROWS, bucket_batches
from features.event_log import Snapshot
from features.plan import Plan, compile_plan
from features.state import State

__all__ = [
    "BATCH_ROWS",
    "CUTOFFS",
    "full_plan",
    "order_types",
    "panel_plan",
    "ranges",
    "vector",
    "vector_plan",
]

CUTOFFS: Final = tuple(datetime(2024, 12, 31, tzinfo=UTC) - timedelta(days=28 * back) for back in range(11, -1, -1))
VECTOR_FEATURES: Final = 150

_LAST_CUTOFF_US: Final = to_us(CUTOFFS[-1])
_OTHERS: Final = ("session", "view", "cart")


def panel_plan() -> Plan:
    """Plan of the panel: 77 features that SQL can say as well, none that needs the order of events."""
    return compile_plan(list(_panel()), timezone="UTC")


def full_plan(snapshot: Snapshot) -> Plan:
    """Plan of everything the catalogue offers for the log."""
    return compile_plan(catalogue(snapshot.type_traits), timezone="UTC")


def order_types(snapshot: Snapshot) -> frozenset[str]:
    """Event types whose rows have order ids."""
    return frozenset(name for name, traits in snapshot.type_traits.items() if traits.has_orders)


def vector_plan(snapshot: Snapshot) -> Plan:
    """150 of the catalogue's features, evenly spread over all its families."""
    every = full_plan(snapshot).features
    chosen = np.unique(np.linspace(0, len(every) - 1, VECTOR_FEATURES).astype(int))
    return compile_plan([every[at] for at in chosen], timezone="UTC")


def vector(state: State, plan: Plan, cutoff_us: int = _LAST_CUTOFF_US) -> NDArray[np.float32]:
    """One customer's feature values: what a request for a score computes."""
    return state.answer(plan, cutoff_us).values


def ranges(snapshot: Snapshot, batch_rows: int = BATCH_ROWS) -> list[tuple[int, int]]:
    """Ranges of buckets that the engine reads at a time."""
    return list(bucket_batches(snapshot.bucket_rows, batch_rows))


def _panel() -> Iterator[Feature]:
    last, first = Aggregation.LAST, Aggregation.FIRST
    for name in ("purchase", *_OTHERS, None):
        yield _feature(Readout.AGE_DAYS, _base(last, name))
        yield _feature(Readout.AGE_DAYS, _base(first, name))
    yield _feature(Readout.SPAN_DAYS, _base(first, "purchase"), _base(last, "purchase"))
    yield from _counts()
    yield from _money()


def _counts() -> Iterator[Feature]:
    count, lines, days_of = Aggregation.COUNT, Aggregation.LINES, Aggregation.ACTIVE_DAYS
    yield from _values(_base(count, "purchase", days) for days in (7, 14, 28, 56, 91, 182, 364, None))
    for short, long in ((7, 28), (14, 56), (28, 91), (91, 364)):
        yield _feature(Readout.TREND, _base(count, "purchase", short), _base(count, "purchase", long))
    for days in (28, 91, 364):
        yield _feature(Readout.VALUE, _base(lines, "purchase", days))
        yield _feature(Readout.RATIO, _base(lines, "purchase", days), _base(count, "purchase", days))
        yield from _values(_base(days_of, name, days) for name in ("purchase", *_OTHERS))
    for name in _OTHERS:
        yield from _values(_base(count, name, days) for days in (7, 28, 91, 364, None))
        yield _feature(Readout.TREND, _base(count, name, 28), _base(count, name, 91))


def _money() -> Iterator[Feature]:
    def total(field: str, days: int | None) -> Base:
        return _base(Aggregation.SUM, "purchase", days, field)

    yield from _values(total("amount", days) for days in (28, 91, 182, 364, None))
    yield from _values(total("discount", days) for days in (28, 91, 364, None))
    for days in (28, 91, 364, None):
        yield _feature(Readout.RATIO, total("amount", days), _base(Aggregation.COUNT, "purchase", days))
    for days in (28, 91, 364):
        yield _feature(Readout.SHARE, total("discount", days), total("amount", days))
    for short, long in ((28, 91), (91, 364)):
        yield _feature(Readout.TREND, total("amount", short), total("amount", long))


def _values(bases: Iterable[Base]) -> Iterator[Feature]:
    return (_feature(Readout.VALUE, base) for base in bases)


def _base(what: Aggregation, event_type: str | None, days: int | None = None, field: str | None = None) -> Base:
    return Base(aggregation=what, event_type=event_type, field=field, window_days=days)


def _feature(readout_: Readout, *bases: Base) -> Feature:
    return Feature(readout=readout_, bases=bases, family=Family.FREQUENCY)

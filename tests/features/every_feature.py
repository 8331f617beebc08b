"""Features that use every readout, found by trying what the grammar allows: a new readout is covered by itself."""

from __future__ import annotations

import random
from collections.abc import Collection
from functools import lru_cache
from itertools import product

from features.definition import _SHAPES, Aggregation, Base, Family, Feature, Readout
from features.errors import UsageError
from tests.features.oracle_readout import OF_THE_POSTERIOR, unit
from tests.features.small_logs import base

PARAMETERS: dict[str, tuple[tuple[float, ...], ...]] = {
    "day_of_year": ((0.0,), (1.0,), (60.0,), (730.0,)),
    "p_alive": ((0.5, 8.0, 0.8, 2.5), (2.0, 60.0, 1.0, 4.0)),
    "expected_orders": (
        (0.5, 8.0, 0.8, 2.5, 30.0),
        (2.0, 60.0, 1.5, 4.0, 365.0),
        (0.7, 20.0, 1.0, 1.7, 90.0),  # the closed form divides by a - 1
        (0.7, 20.0, 1.0001, 1.7, 1.0),
    ),
}
BASES = (
    *(base(name, window=window) for name in ("count", "lines", "active_days") for window in (7, 91)),
    *(base("sum", window=28, field=field) for field in ("amount", "discount", "quantity")),
    *(base(name, "view", window=28) for name in ("first", "last", "weekend", "streak")),
    *(base(name) for name in ("count", "first", "last", "gap_count", "gap_sum", "gap_squares", "gap_max")),
    *(base(name) for name in ("weekday_squares", "hour_squares")),
    *(base(name, window=91) for name in ("first", "last", "gap_count", "gap_sum", "gap_squares", "hour_squares")),
    *(base(name, "view", field="item_id", last=50) for name in ("distinct", "top")),
    base("present", field="amount"),
    base("last_number", field="rating"),
    base("running_out", window=28, field="duration_seconds"),
    base("first_order_sum", field="amount"),
    base("first_order_is", field="channel", value="web"),
)
_MOST = 12
ONE_STREAM = ("span_days", "spread", "gap_mean_days", "gap_sd_days", "gap_variation", "age_per_gap", *OF_THE_POSTERIOR)
"""What only makes sense for one event type in one window."""
ONE_SCALE = ("share", "difference")
"""Sums whose parts must count in the same; :mod:`tests.features.test_vocabulary` says what happens otherwise."""


@lru_cache
def every_feature() -> tuple[Feature, ...]:
    """Up to a dozen features of each readout, no two of one name."""
    found: dict[str, Feature] = {}
    for readout in Readout:
        before = len(found)
        shapes = [bases for shape in _SHAPES[readout] for bases in product(*map(_fitting, shape))]
        random.Random(str(readout)).shuffle(shapes)  # noqa: S311 (no secret)
        for bases, parameters in product(shapes, PARAMETERS.get(str(readout), ((),))):
            feature = _feature(readout, bases, parameters)
            if feature is not None:
                found.setdefault(feature.name, feature)
            if len(found) == before + _MOST:
                break
    return tuple(found.values())


def _fitting(aggregations: Collection[Aggregation]) -> list[Base]:
    return [each for each in BASES if each.aggregation in aggregations]


def _feature(readout: Readout, bases: tuple[Base, ...], parameters: tuple[float, ...]) -> Feature | None:
    if str(readout) in ONE_SCALE and len({unit(part) for part in bases}) > 1:
        return None
    if str(readout) in ONE_STREAM and len({(part.event_type, part.window_days) for part in bases}) > 1:
        return None
    try:
        return Feature(readout=readout, bases=bases, family=Family.TREND, parameters=parameters)
    except UsageError:
        return None

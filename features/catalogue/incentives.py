"""Incentives: coupons and points held, used and running out; levels, streaks and prizes."""

from __future__ import annotations

from collections.abc import Iterator

from features.catalogue.forms import Types, difference, has, kinds, per, rows
from features.catalogue.traits import LONG, MIDDLE, SHORT, base, ratio, value
from features.definition import Aggregation, Family, Feature

__all__ = ["features"]


def features(types: Types) -> Iterator[Feature]:
    """List the family's features."""
    yield from _coupons(types)
    yield from _points(types)
    if has(types, "level_changed", "value"):
        yield value(Family.INCENTIVES, base(Aggregation.LAST_NUMBER, "level_changed", None, "value"))
    if "checkin" in types:
        yield value(Family.INCENTIVES, base(Aggregation.STREAK, "checkin"))
    for name in ("task_done", "lottery"):
        for kind in kinds(types, name):
            yield value(Family.INCENTIVES, rows(name, MIDDLE, "kind", kind))
        if has(types, name, "value"):
            yield value(Family.INCENTIVES, base(Aggregation.SUM, name, LONG, "value"))


def _coupons(types: Types) -> Iterator[Feature]:
    gone = [name for name in ("coupon_redeemed", "coupon_expired") if name in types]
    if "coupon_received" in types:
        if gone:
            counts = (base(Aggregation.COUNT, name) for name in ("coupon_received", *gone))
            yield difference(Family.INCENTIVES, *counts)
        yield from per(Family.INCENTIVES, types, "coupon_redeemed", "coupon_received", (LONG, None))
        yield from per(Family.INCENTIVES, types, "coupon_expired", "coupon_received", (None,))
        if has(types, "coupon_received", "duration_seconds"):
            for days in (7, SHORT):
                of = base(Aggregation.RUNNING_OUT, "coupon_received", days, "duration_seconds")
                yield value(Family.INCENTIVES, of)
    if has(types, "purchase", "coupon_id"):
        with_coupon = base(Aggregation.PRESENT, "purchase", LONG, "coupon_id")
        yield ratio(Family.INCENTIVES, with_coupon, base(Aggregation.LINES, "purchase", LONG))


def _points(types: Types) -> Iterator[Feature]:
    if not has(types, "points_earned", "value"):
        return
    gone = [name for name in ("points_spent", "points_expired") if has(types, name, "value")]
    earned = base(Aggregation.SUM, "points_earned", None, "value")
    if gone:
        yield difference(Family.INCENTIVES, earned, *(base(Aggregation.SUM, name, None, "value") for name in gone))
    else:
        yield value(Family.INCENTIVES, earned)
    yield value(Family.INCENTIVES, base(Aggregation.SUM, "points_earned", MIDDLE, "value"))
    for name in gone:
        yield ratio(Family.INCENTIVES, base(Aggregation.SUM, name, None, "value"), earned)

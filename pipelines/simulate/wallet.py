"""Coupons: which are at hand when, and which order uses one first."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from pipelines.simulate.buying import Orders
from pipelines.simulate.calendar import Calendar
from pipelines.simulate.draws import Flags, Floats, Ints, stream
from pipelines.simulate.people import People
from pipelines.simulate.plan import Plan

__all__ = ["Redemptions", "coupon_arm", "draw_redemptions", "drop_starts", "passes_threshold"]

_HALF_CENT: Final = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemptions:
    """Coupons used.

    Parameters
    ----------
    order : ndarray of int64
        Position of the order, ascending within each of the two kinds.
    drop, campaign : ndarray of int64
        Number of the wallet's coupon, or of the campaign whose coupon it is; -1: of the other kind.
    """

    order: Ints
    drop: Ints
    campaign: Ints


def drop_starts(plan: Plan) -> Ints:
    """Days on which members get the wallet's coupon."""
    coupons = plan.world.coupons
    every = plan.days if coupons is None else coupons.every_days
    return np.arange(0, plan.days if coupons is not None else 0, every, dtype=np.int64)


def coupon_arm(plan: Plan) -> int:
    """Arm of the campaigns that gives a coupon; -2: none does."""
    campaigns = plan.world.campaigns
    if campaigns is None or plan.world.coupons is None or "coupon" not in campaigns.arms:
        return -2
    return campaigns.arms.index("coupon")


def draw_redemptions(
    plan: Plan, calendar: Calendar, people: People, orders: Orders, arms: Ints, chunk: int
) -> Redemptions:
    """First order that uses each coupon; a coupon at hand is used with the customer's own chance at every order."""
    draw = stream(plan.seed, "redemptions", chunk)
    luck, other_luck = draw.random(orders.day.size), draw.random(orders.day.size)
    coupons, campaigns = plan.world.coupons, plan.world.campaigns
    none = np.zeros(0, dtype=np.int64)
    if coupons is None:
        return Redemptions(order=none, drop=none, campaign=none)
    drop = orders.day // coupons.every_days
    thresholds = np.asarray(coupons.thresholds)[drop % len(coupons.thresholds)]
    usable = (
        people.member[orders.customer]
        & (orders.day - drop * coupons.every_days < coupons.valid_days)
        & (people.join_day[orders.customer] < drop * coupons.every_days)
    )
    wallet = _first(usable & (luck < people.redeem[orders.customer]) & (orders.amount >= thresholds), orders, drop)
    given = none
    campaign = calendar.campaign_of[orders.day]
    if campaigns is not None and coupon_arm(plan) >= 0 and calendar.campaign_start.size:
        arm = arms[orders.customer, np.maximum(campaign, 0)]
        held = (campaign >= 0) & (arm == coupon_arm(plan)) & (other_luck < campaigns.coupon_redeem)
        given = _first(held, orders, campaign)
    return Redemptions(
        order=np.concatenate([wallet, given]),
        drop=np.concatenate([drop[wallet], np.full(given.size, -1)]),
        campaign=np.concatenate([np.full(wallet.size, -1), campaign[given]]),
    )


def passes_threshold(plan: Plan, people: People) -> Floats:
    """Chance that an order reaches each threshold, shape (n, thresholds): amounts are log-normal, then rounded."""
    coupons = plan.world.coupons
    if coupons is None:
        return np.zeros((people.size, 1))
    sigma, normal = plan.world.customers.order_sigma, NormalDist()
    columns = []
    for threshold in coupons.thresholds:
        if threshold <= _HALF_CENT:
            columns.append(np.ones(people.size))
            continue
        z = (people.order_mu - np.log(threshold - _HALF_CENT)) / sigma
        columns.append(np.array([normal.cdf(one) for one in z.tolist()]))
    return np.stack(columns, axis=1)


def _first(which: Flags, orders: Orders, coupon: Ints) -> Ints:
    """First of those orders for each customer and coupon; orders are sorted by customer and time."""
    rows = np.flatnonzero(which)
    key = orders.customer[rows] * (int(coupon.max(initial=0)) + 2) + coupon[rows]
    return np.asarray(rows[np.sort(np.unique(key, return_index=True)[1])])

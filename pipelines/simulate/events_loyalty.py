"""Events of loyalty: levels, check-ins, tasks, lotteries, the wallet's coupons."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.clock import DAY_US
from pipelines.simulate.draws import Floats, Ints, stream
from pipelines.simulate.scene import Scene
from pipelines.simulate.vocabulary import CHANNELS, kind
from pipelines.simulate.wallet import coupon_arm, drop_starts

__all__ = ["COUPON_TYPES", "add_loyalty"]

_APP: Final = CHANNELS.index("app")
_SECOND: Final = 1_000_000
COUPON_TYPES: Final = ("fixed", "percent", "shipping")


def add_loyalty(scene: Scene) -> None:
    """Levels and games, and coupons received, redeemed and expired."""
    draw = stream(scene.plan.seed, "rows of loyalty", scene.latent.chunk)
    if scene.plan.world.levels is not None:
        _levels(scene)
        _games(scene, draw)
    if scene.plan.world.coupons is not None:
        _coupons(scene)


def _levels(scene: Scene) -> None:
    """At the midnight on which another level takes effect."""
    levels, latent, spec = scene.latent.levels, scene.latent, scene.plan.world.levels
    if spec is None:
        return
    customer, period = np.nonzero(np.diff(levels, axis=1))
    time = scene.plan.start_us + (period + 1) * spec.review_days * DAY_US
    rises = levels[customer, period + 1] > levels[customer, period]
    scene.rows.add(
        "level_changed",
        customer,
        time + 10 * _SECOND + (latent.chunk + customer) % 50 * _SECOND,
        kind=np.where(rises, kind("up"), kind("down")),
        value=levels[customer, period + 1] / 1.0,
    )


def _games(scene: Scene, draw: np.random.Generator) -> None:
    spec, visits = scene.plan.world.levels, scene.latent.visits
    if spec is None:
        return
    size = visits.day.size
    for event_type, chance, after in (("checkin", spec.checkins, 20), ("task_done", spec.tasks, 90)):
        rows = np.flatnonzero(draw.random(size) < chance)
        scene.rows.add(
            event_type,
            visits.customer[rows],
            visits.time[rows] + after * _SECOND,
            kind=kind("profile") if event_type == "task_done" else -1,
            channel=_APP,
            session_id=scene.key(rows),
        )
    rows = np.flatnonzero(draw.random(size) < spec.lotteries)
    won = np.where(draw.random(rows.size) < 0.2, kind("prize"), kind("blank"))
    time = visits.time[rows] + 100 * _SECOND
    scene.rows.add("lottery", visits.customer[rows], time, kind=won, channel=_APP, session_id=scene.key(rows))


def _coupons(scene: Scene) -> None:
    plan, latent = scene.plan, scene.latent
    coupons, people, used = plan.world.coupons, latent.people, latent.redemptions
    if coupons is None:
        return
    starts = drop_starts(plan)
    customer, drop = np.nonzero(people.member[:, None] & (people.join_day[:, None] < starts[None, :]))
    given = plan.start_us + starts[drop] * DAY_US + 30 * _SECOND
    until = coupons.valid_days
    _life(scene, customer, drop, given, plan.start_us + (starts[drop] + until) * DAY_US, used.drop, drop)
    if coupon_arm(plan) >= 0 and plan.world.campaigns is not None:
        first = scene.calendar.campaign_start
        customer, campaign = np.nonzero((latent.arms == coupon_arm(plan)) & (first < plan.days)[None, :])
        given = plan.start_us + first[campaign] * DAY_US + 40 * _SECOND
        ends = plan.start_us + (first[campaign] + plan.world.campaigns.window_days) * DAY_US
        _life(scene, customer, campaign + starts.size, given, ends, used.campaign, campaign, campaign=campaign)


def _life(
    scene: Scene,
    customer: Ints,
    coupon: Ints,
    given: Ints,
    ends: Ints,
    used: Ints,
    number: Ints,
    *,
    campaign: Ints | None = None,
) -> None:
    """Received; then redeemed at an order, or expired."""
    orders, redemptions = scene.latent.orders, scene.latent.redemptions
    of: dict[str, int | Ints | Floats] = {} if campaign is None else {"campaign_id": campaign}
    types = np.array([kind(name) for name in COUPON_TYPES])
    scene.rows.add("coupon_received", customer, given, coupon_id=coupon, kind=types[number % 3], channel=_APP, **of)
    rows = np.flatnonzero(used >= 0)
    order, which = redemptions.order[rows], used[rows]
    shift = coupon[0] - number[0] if coupon.size else 0
    scene.rows.add(
        "coupon_redeemed",
        orders.customer[order],
        orders.time[order],
        coupon_id=which + shift,
        kind=types[which % 3],
        discount=np.round(0.1 * orders.amount[order], 2),
        order_id=scene.key(order),
        channel=_APP,
    )
    wide = int(number.max(initial=0)) + 2
    taken = np.isin(customer * wide + number, orders.customer[order] * wide + which)
    left = np.flatnonzero(~taken)
    scene.rows.add("coupon_expired", customer[left], ends[left], coupon_id=coupon[left], kind=types[number[left] % 3])

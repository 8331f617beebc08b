"""Who buys: the chance at each visit, levels and campaign arms that change it, and the orders that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.simulate.calendar import Calendar
from pipelines.simulate.draws import Floats, Ints, pick, stream
from pipelines.simulate.people import People
from pipelines.simulate.plan import Plan
from pipelines.simulate.visits import Visits, Watches

__all__ = [
    "MOST_CONVERSION",
    "NOT_EXPOSED",
    "Orders",
    "arm_multipliers",
    "concept_multiplier",
    "draw_arms",
    "draw_orders",
    "effects_by_features",
    "review_count",
    "visit_chance",
]

MOST_CONVERSION: Final = 0.95
NOT_EXPOSED: Final = -1
_PURCHASE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Orders sorted by customer and time.

    Parameters
    ----------
    customer, day, time : ndarray of int64
    visit, watch : ndarray of int64
        Position of the visit or of the live session watched that it came from; -1: not from one.
    amount : ndarray of float64
        Paid, rounded to hundredths.
    """

    customer: Ints
    day: Ints
    time: Ints
    visit: Ints
    watch: Ints
    amount: Floats


def draw_arms(plan: Plan, calendar: Calendar, people: People, chunk: int) -> Ints:
    """Arm of each customer in each campaign, shape (n, campaigns); :data:`NOT_EXPOSED` outside the audience."""
    spec = plan.world.campaigns
    if spec is None:
        return np.zeros((people.size, 0), dtype=np.int64)
    draw = stream(plan.seed, "arms", chunk)
    size, count = people.size, calendar.campaign_start.size
    arms = pick(draw, spec.shares, size * count).reshape(size, count)
    inside = draw.random((size, count)) < spec.audience
    return np.where(inside & (people.join_day[:, None] < calendar.campaign_start[None, :]), arms, NOT_EXPOSED)


def arm_multipliers(plan: Plan, people: People) -> Floats:
    """Factor of the conversion under each arm, shape (n, arms).

    ``points``: with p the chance of an order in the window without treatment and tau = mean + sd · (weights · x), the
    factor that makes it p + tau is ``log(1 - p - tau) / log(1 - p)``, as orders are Poisson.
    """
    spec = plan.world.campaigns
    if spec is None:
        return np.ones((people.size, 0))
    effect = effects_by_features(plan, people)
    if spec.form == "log":
        return np.asarray(np.exp(effect))
    base = -np.expm1(-people.visit_rate * people.conversion * spec.window_days)
    return np.asarray(np.log1p(-np.clip(base[:, None] + effect, 0.001, 0.95)) / np.log1p(-base)[:, None])


def effects_by_features(plan: Plan, people: People) -> Floats:
    """What each arm adds, given the three observed attributes: ``mean + sd · (weights · x)``, shape (n, arms)."""
    spec = plan.world.campaigns
    if spec is None:
        return np.zeros((people.size, 0))
    score = people.x[:, :3] @ np.asarray(spec.weights)
    return np.asarray(np.asarray(spec.effect_mean) + score[:, None] * np.asarray(spec.effect_sd))


def concept_multiplier(plan: Plan, x: Floats, strength: Floats) -> Floats:
    """Factor of the conversion after a concept shift: ``exp(k x) / E[exp(k x)]``, x the first attribute.

    On average nothing changes: with x uniform on ±√3, ``E[exp(k x)] = sinh(√3 k) / (√3 k)``.
    """
    k = plan.world.concept_scale * strength
    wide = np.maximum(3.0**0.5 * np.abs(k), 1e-9)
    return np.asarray(np.exp(k * x) * wide / np.sinh(wide))


def visit_chance(conversion: Floats, multiplier: Floats) -> Floats:
    """Chance to buy at a visit on a sound device, at most :data:`MOST_CONVERSION`."""
    return np.minimum(MOST_CONVERSION, conversion * multiplier)


def review_count(plan: Plan) -> int:
    """How many level periods the log has, with those after it that are already decided."""
    levels = plan.world.levels
    return 1 if levels is None else -(-(plan.days + levels.lag_days) // levels.review_days)


def draw_orders(
    plan: Plan, calendar: Calendar, people: People, visits: Visits, watches: Watches, arms: Ints, chunk: int
) -> tuple[Orders, Ints, Floats]:
    """Orders, levels by period (shape (n, periods)), and each visit's chance to buy before faults.

    Visits are judged level period by level period, since a level depends on the money spent before.
    """
    draw = stream(plan.seed, "orders", chunk)
    spec = plan.world.customers
    luck = draw.standard_normal(visits.day.size)
    amount = _amounts(people.order_mu[visits.customer], spec.order_sigma, luck)
    watch_orders = _bought_live(calendar, watches)
    watch_amount = _amounts(
        people.order_mu[watches.customer[watch_orders]], spec.order_sigma, draw.standard_normal(watch_orders.size)
    )
    factor = _visit_multipliers(plan, calendar, people, visits, arms)
    hit = calendar.faults[_PURCHASE, visits.device, visits.day]
    periods = review_count(plan)
    level = np.zeros((people.size, periods), dtype=np.int64)
    chance = np.zeros(visits.day.size)
    levels = plan.world.levels
    if levels is None:
        chance = visit_chance(people.conversion[visits.customer], factor)
    else:
        spent = np.zeros((people.size, periods))
        live_days = calendar.live.day[watches.session[watch_orders]] if calendar.live is not None else watch_orders
        np.add.at(spent, (watches.customer[watch_orders], live_days // levels.review_days), watch_amount)
        period = visits.day // levels.review_days
        rows_of = np.split(np.argsort(period, kind="stable"), np.searchsorted(np.sort(period), np.arange(1, periods)))
        multipliers = np.asarray(levels.multipliers)
        lag, earn = levels.lag_days // levels.review_days, levels.earn_days // levels.review_days
        for number, rows in enumerate(rows_of):
            counted = spent[:, max(0, number - lag - earn) : max(0, number - lag)].sum(axis=1)
            level[:, number] = np.searchsorted(np.asarray(levels.thresholds), counted, side="right")
            who = visits.customer[rows]
            chance[rows] = visit_chance(people.conversion[who], factor[rows] * multipliers[level[who, number]])
            buys = rows[visits.luck[rows] < chance[rows] * hit[rows]]
            np.add.at(spent, (visits.customer[buys], number), amount[buys])
    rows = np.flatnonzero(visits.luck < chance * hit)
    after = (draw.random(rows.size) * 40 * 60e6 + 5 * 60e6).astype(np.int64)
    later = (draw.random(watch_orders.size) * 30 * 60e6 + 60e6).astype(np.int64)
    none = np.full(rows.size, -1), np.full(watch_orders.size, -1)
    day_of_watch = calendar.live.day[watches.session[watch_orders]] if calendar.live is not None else none[1]
    customer = np.concatenate([visits.customer[rows], watches.customer[watch_orders]])
    time = np.concatenate([visits.time[rows] + after, watches.time[watch_orders] + later])
    order = np.lexsort((time, customer))
    orders = Orders(
        customer=customer[order],
        day=np.concatenate([visits.day[rows], day_of_watch])[order],
        time=time[order],
        visit=np.concatenate([rows, none[1]])[order],
        watch=np.concatenate([none[0], watch_orders])[order],
        amount=np.concatenate([amount[rows], watch_amount])[order],
    )
    return orders, level, chance


def _visit_multipliers(plan: Plan, calendar: Calendar, people: People, visits: Visits, arms: Ints) -> Floats:
    """Campaign arm and concept shift at each visit."""
    factor = np.ones(visits.day.size)
    if calendar.concept.any():
        factor = concept_multiplier(plan, people.x[visits.customer, 0], calendar.concept[visits.day])
    campaign = calendar.campaign_of[visits.day]
    rows = np.flatnonzero(campaign >= 0)
    if rows.size:
        arm = arms[visits.customer[rows], campaign[rows]]
        treated = arm_multipliers(plan, people)[visits.customer[rows], np.maximum(arm, 0)]
        factor[rows] *= np.where(arm == NOT_EXPOSED, 1.0, treated)
    return factor


def _bought_live(calendar: Calendar, watches: Watches) -> Ints:
    if calendar.live is None:
        return np.zeros(0, dtype=np.int64)
    chance = calendar.live.conversion[calendar.live.host[watches.session]]
    return np.flatnonzero(watches.luck < chance)


def _amounts(mu: Floats, sigma: float, luck: Floats) -> Floats:
    return np.asarray(np.round(np.exp(mu + sigma * luck), 2))

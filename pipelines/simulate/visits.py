"""Visits and live sessions watched: Poisson by day, given the state, thinned from what the whole shop does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.clock import DAY_US, HOUR_US
from pipelines.simulate.calendar import Calendar
from pipelines.simulate.draws import Floats, Ints, pick, stream
from pipelines.simulate.people import People
from pipelines.simulate.plan import Plan
from pipelines.simulate.spells import ACTIVE, DORMANT, Spells
from pipelines.simulate.vocabulary import DEVICES

__all__ = ["Visits", "Watches", "device_shares", "draw_visits", "draw_watches", "state_weights"]

_OTHER_DEVICES: Final = len(DEVICES) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Visits sorted by customer and time; ``luck`` is uniform and decides how far down the funnel a visit gets."""

    customer: Ints
    day: Ints
    time: Ints
    device: Ints
    luck: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Watches:
    """Live sessions watched, sorted by customer and time."""

    customer: Ints
    session: Ints
    time: Ints
    luck: Floats


def state_weights(plan: Plan) -> Floats:
    """Factor of the rates in each state."""
    return np.array([1.0, plan.world.states.dormant_weight, 0.0])


def device_shares(plan: Plan, people: People) -> Floats:
    """Chance of each device at a visit, shape (n, devices)."""
    main = plan.world.customers.main_device_share
    shares = np.full((people.size, len(DEVICES)), (1.0 - main) / _OTHER_DEVICES)
    shares[np.arange(people.size), people.device] = main
    return shares


def draw_visits(plan: Plan, calendar: Calendar, people: People, spells: Spells, chunk: int, generation: int) -> Visits:
    """Visits of one generation: their number in a stay is Poisson(rate · weight · Σ season)."""
    draw = stream(plan.seed, f"visits {generation}", chunk)
    customer, day, _ = _poisson(draw, people.visit_rate, calendar.season, plan, spells)
    size = customer.size
    within = (pick(draw, plan.world.season.hours, size) + draw.random(size)) * HOUR_US
    time = plan.start_us + day * DAY_US + within.astype(np.int64)
    main = draw.random(size) < plan.world.customers.main_device_share
    other = (people.device[customer] + 1 + draw.integers(0, _OTHER_DEVICES, size)) % len(DEVICES)
    device, luck = np.where(main, people.device[customer], other), draw.random(size)
    order = np.lexsort((time, customer))
    return Visits(customer=customer[order], day=day[order], time=time[order], device=device[order], luck=luck[order])


def draw_watches(
    plan: Plan, calendar: Calendar, people: People, spells: Spells, chunk: int, generation: int
) -> Watches:
    """Live sessions watched by one generation; a session's share of a day's watchers is its popularity."""
    live = calendar.live
    if live is None or not live.day.size:
        none = np.zeros(0, dtype=np.int64)
        return Watches(customer=none, session=none, time=none, luck=np.zeros(0))
    draw = stream(plan.seed, f"watches {generation}", chunk)
    customer, _, position = _poisson(draw, people.watch_rate, live.a_day(calendar.season.size), plan, spells)
    edges = np.cumsum(live.popularity)
    session = np.minimum(np.searchsorted(edges, position, side="right"), live.day.size - 1).astype(np.int64)
    joined = (draw.random(customer.size) * 0.6 * live.seconds[session] * 1e6).astype(np.int64)
    time, luck = live.start_us[session] + joined, draw.random(customer.size)
    order = np.lexsort((time, customer))
    return Watches(customer=customer[order], session=session[order], time=time[order], luck=luck[order])


def _poisson(
    draw: np.random.Generator, rate: Floats, a_day: Floats, plan: Plan, spells: Spells
) -> tuple[Ints, Ints, Floats]:
    """Points of a Poisson process whose rate is constant by day: customer, day, place on the summed daily rates."""
    summed = np.concatenate([[0.0], np.cumsum(a_day)])
    low, high = summed[spells.first], summed[spells.end]
    weight = state_weights(plan)[spells.state]
    alive = np.flatnonzero((spells.state == ACTIVE) | (spells.state == DORMANT))
    counts = draw.poisson((rate[spells.customer] * weight * (high - low))[alive])
    rows = np.repeat(alive, counts)
    position = low[rows] + draw.random(rows.size) * (high - low)[rows]
    day = np.searchsorted(summed, position, side="right") - 1
    day = np.clip(day, spells.first[rows], spells.end[rows] - 1)
    return spells.customer[rows], day.astype(np.int64), position

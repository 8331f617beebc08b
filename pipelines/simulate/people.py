"""Customers: who they are, and the rates that follow from it and from luck."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from pipelines.simulate.draws import Flags, Floats, Ints, pick, stream
from pipelines.simulate.plan import Plan

__all__ = ["ATTRIBUTES", "People", "concat", "draw_people", "join_people"]

ATTRIBUTES: Final = ("income_index", "household_index", "digital_index", "loyalty_index")
"""Names of the observed attributes x₁ … x₄, each uniform on ±√3."""
_SQRT3: Final = 3.0**0.5
_SOURCE_WEIGHTS: Final = (0.3, 0.25, 0.15, 0.1, 0.15, 0.05, 0.0)
_SHIFTED_SOURCES: Final = (0.1, 0.1, 0.5, 0.05, 0.25, 0.0, 0.0)
_DEVICE_WEIGHTS: Final = (0.3, 0.28, 0.27, 0.15)
_SHIFTED_DEVICES: Final = (0.1, 0.15, 0.25, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Customers of one chunk; every array has one entry a customer.

    Parameters
    ----------
    join_day : ndarray of int64
        Day they joined; negative: before the log, which has no signup of theirs.
    inviter : ndarray of int64
        Position of who invited them; -1: nobody.
    generation : ndarray of int64
        0, or one more than the inviter's.
    x : ndarray of float64, shape (n, 4)
        Observed attributes.
    visit_rate : ndarray of float64
        Visits a day while active, before the season.
    conversion : ndarray of float64
        Chance that a visit ends in an order.
    moves : ndarray of float64, shape (n, 4)
        Daily chances active→dormant, dormant→active, active→gone, dormant→gone.
    order_mu : ndarray of float64
        Mean of the logarithm of an order's amount.
    refund, redeem, watch_rate : ndarray of float64
        Chance that an order is refunded; that a coupon at hand is used; live sessions watched a day.
    start_state, device, source : ndarray of int64
        State on the first day; main device; where they came from.
    member : ndarray of bool
        Whether the wallet gets coupons.
    """

    join_day: Ints
    inviter: Ints
    generation: Ints
    x: Floats
    visit_rate: Floats
    conversion: Floats
    moves: Floats
    order_mu: Floats
    refund: Floats
    redeem: Floats
    watch_rate: Floats
    start_state: Ints
    device: Ints
    source: Ints
    member: Flags

    @property
    def size(self) -> int:
        """How many customers."""
        return int(self.join_day.size)

    @property
    def first_day(self) -> Ints:
        """First day in the log."""
        return np.maximum(self.join_day, 0)


def draw_people(plan: Plan, chunk: int) -> People:
    """First generation of a chunk."""
    draw = stream(plan.seed, "people", chunk)
    size = plan.chunk_size(chunk)
    spec = plan.world.customers
    existing = draw.random(size) < spec.existing_share
    before = -1 - (draw.random(size) * 365).astype(np.int64)
    join = np.where(existing, before, _join_days(plan, draw, size))
    state = np.where(existing, pick(draw, plan.world.states.start, size), 0)
    return _with_rates(plan, draw, join, state, inviter=np.full(size, -1), generation=0)


def join_people(plan: Plan, chunk: int, generation: int, inviter: Ints, join_day: Ints) -> People:
    """Invited customers of one generation."""
    draw = stream(plan.seed, f"people {generation}", chunk)
    state = np.zeros(join_day.size, dtype=np.int64)
    return _with_rates(plan, draw, join_day, state, inviter=inviter, generation=generation)


def concat(parts: list[People]) -> People:
    """Generations one below the other; positions of inviters stay as they are."""
    if len(parts) == 1:
        return parts[0]
    return People(**{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(People)})


def _join_days(plan: Plan, draw: np.random.Generator, size: int) -> Ints:
    """Days of joining, even over the log, or denser after an injected shift of who joins."""
    weight = np.ones(plan.days)
    for one in plan.injected("covariate"):
        weight[max(0, plan.day(one.at)) :] *= 1.0 + 2.0 * one.strength
    return pick(draw, weight, size)


def _with_rates(
    plan: Plan, draw: np.random.Generator, join: Ints, state: Ints, *, inviter: Ints, generation: int
) -> People:
    world, size = plan.world, join.size
    spec, states = world.customers, world.states
    x = draw.uniform(-_SQRT3, _SQRT3, (size, len(ATTRIBUTES)))
    shifted = np.zeros(size, dtype=np.bool_)
    for one in plan.injected("covariate"):
        after = join >= plan.day(one.at)
        x[:, :3] = np.where(after[:, None], _SQRT3 * np.tanh(x[:, :3] / _SQRT3 - 0.5 * one.strength), x[:, :3])
        shifted |= after & (draw.random(size) < min(1.0, one.strength))
    z = x[:, :3]
    visits = _gamma(draw, spec.visits_shape, size) * np.exp(z @ np.asarray(spec.visits_effects)) * spec.visits_a_day
    if generation and world.social is not None:
        visits = visits * world.social.invited_multiplier
    mean = np.minimum(0.5, spec.conversion * np.exp(z @ np.asarray(spec.conversion_effects)))
    conversion = draw.beta(spec.conversion_concentration * mean, spec.conversion_concentration * (1 - mean))
    means = np.array([states.to_dormant, states.to_active, states.to_gone, states.dormant_to_gone])
    toward = np.exp(z @ np.asarray(states.effects))[:, None] * np.array([1.0, 0.0, 1.0, 1.0]) + np.array([0, 1.0, 0, 0])
    moves = np.minimum(0.5, means * toward * _gamma(draw, states.shape, (size, 4)))
    campaigns = world.campaigns
    if campaigns is not None and campaigns.base_response is not None:
        response = campaigns.base_response + campaigns.base_spread * x[:, 3]
        conversion = -np.log1p(-response) / (campaigns.window_days * visits)
    live, coupons = world.live, world.coupons
    watch = np.zeros(size) if live is None else live.watches * _gamma(draw, 1.5, size) / live.sessions_a_day
    watchers = draw.random(size) < (live.watchers_share if live is not None else 0.0)
    return People(
        join_day=join.astype(np.int64),
        inviter=inviter.astype(np.int64),
        generation=np.full(size, generation, dtype=np.int64),
        x=x,
        visit_rate=visits,
        conversion=conversion,
        moves=moves,
        order_mu=np.log(spec.order_median) + spec.order_spread * draw.standard_normal(size) + 0.1 * x[:, 0],
        refund=draw.beta(2.0, 2.0 / max(spec.refund_rate, 1e-9) - 2.0, size) if spec.refund_rate else np.zeros(size),
        redeem=np.zeros(size) if coupons is None else draw.beta(4 * coupons.redeem, 4 * (1 - coupons.redeem), size),
        watch_rate=np.where(watchers, watch, 0.0),
        start_state=state.astype(np.int64),
        device=np.where(shifted, pick(draw, _SHIFTED_DEVICES, size), pick(draw, _DEVICE_WEIGHTS, size)),
        source=np.where(shifted, pick(draw, _SHIFTED_SOURCES, size), pick(draw, _SOURCE_WEIGHTS, size)),
        member=draw.random(size) < (coupons.member_share if coupons is not None else 0.0),
    )


def _gamma(draw: np.random.Generator, shape: float, size: int | tuple[int, int]) -> Floats:
    """Luck around 1."""
    return np.asarray(draw.gamma(shape, 1.0 / shape, size))

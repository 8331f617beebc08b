"""One chunk of customers and what they did, as far as the truth depends on it; the log's rows are written from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from pipelines.simulate.buying import Orders, draw_arms, draw_orders
from pipelines.simulate.calendar import Calendar
from pipelines.simulate.draws import Flags, Floats, Ints, stream
from pipelines.simulate.people import People, concat, draw_people, join_people
from pipelines.simulate.plan import Plan
from pipelines.simulate.spells import Spells, draw_spells
from pipelines.simulate.visits import Visits, Watches, draw_visits, draw_watches
from pipelines.simulate.wallet import Redemptions, draw_redemptions

__all__ = ["Latent", "draw_latent"]

_MOST_GENERATIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Latent:
    """A chunk.

    Parameters
    ----------
    chunk : int
    people, spells, visits, watches, orders, redemptions
        What was drawn; positions of customers refer to ``people``.
    invites : ndarray of int64, shape (m, 2)
        Visits in which somebody was invited, and the customer who came of it; -1: nobody.
    arms, levels : ndarray of int64
        Campaign arm by (customer, campaign), level by (customer, period).
    chance : ndarray of float64
        Each visit's chance to buy, before faults; it did where its luck is below that times the fault's factor.
    refunded_day : ndarray of int64
        Day on which each order is refunded; -1: never.
    """

    chunk: int
    people: People
    spells: Spells
    visits: Visits
    watches: Watches
    invites: Ints
    arms: Ints
    orders: Orders
    levels: Ints
    chance: Floats
    redemptions: Redemptions
    refunded_day: Ints


def draw_latent(plan: Plan, calendar: Calendar, chunk: int) -> Latent:
    """Draw a chunk: generation by generation as customers invite others, then everybody's orders."""
    people = [draw_people(plan, chunk)]
    spells: list[Spells] = []
    visits: list[Visits] = []
    watches: list[Watches] = []
    invites: list[Ints] = []
    known, room = 0, _room(plan, people[0].size)
    for generation in range(_MOST_GENERATIONS + 1):
        now = people[generation]
        spells.append(draw_spells(plan, now, chunk, generation))
        visits.append(draw_visits(plan, calendar, now, spells[-1], chunk, generation))
        watches.append(draw_watches(plan, calendar, now, spells[-1], chunk, generation))
        rows, join_day, came = _invited(plan, visits[-1], chunk, generation, room)
        if generation == _MOST_GENERATIONS:
            came, join_day = np.zeros_like(came), join_day[:0]
        newcomer = np.where(came, known + now.size + np.cumsum(came) - 1, -1)
        begun = sum(one.day.size for one in visits[:-1])
        invites.append(np.stack([rows + begun, newcomer], axis=1))
        if not join_day.size:
            break
        inviter = known + visits[-1].customer[rows[came]]
        people.append(join_people(plan, chunk, generation + 1, inviter, join_day))
        known, room = known + now.size, room - join_day.size
    everybody = concat(people)
    all_spells, all_visits, all_watches = _joined(people, spells, visits, watches)
    arms = draw_arms(plan, calendar, everybody, chunk)
    orders, levels, chance = draw_orders(plan, calendar, everybody, all_visits, all_watches, arms, chunk)
    return Latent(
        chunk=chunk,
        people=everybody,
        spells=all_spells,
        visits=all_visits,
        watches=all_watches,
        invites=np.concatenate(invites),
        arms=arms,
        orders=orders,
        levels=levels,
        chance=chance,
        redemptions=draw_redemptions(plan, calendar, everybody, orders, arms, chunk),
        refunded_day=_refunds(plan, everybody, orders, chunk),
    )


def _room(plan: Plan, first: int) -> int:
    social = plan.world.social
    return 0 if social is None else int(first * social.most_invited_share)


def _invited(plan: Plan, visits: Visits, chunk: int, generation: int, room: int) -> tuple[Ints, Ints, Flags]:
    """Visits with an invitation, the day each newcomer joins, and which invitations brought one."""
    social = plan.world.social
    if social is None:
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros(0, dtype=np.bool_)
    draw = stream(plan.seed, f"invites {generation}", chunk)
    rows = np.flatnonzero(draw.random(visits.day.size) < social.invites)
    join = visits.day[rows] + draw.integers(1, 8, rows.size)
    came = (draw.random(rows.size) < social.accepted) & (join < plan.days)
    # More than there is room for do not come: the latest ones.
    late = np.argsort(np.where(came, join, plan.days), kind="stable")[room:]
    came[late] = False
    return rows, join[came].astype(np.int64), came


def _joined(
    people: list[People], spells: list[Spells], visits: list[Visits], watches: list[Watches]
) -> tuple[Spells, Visits, Watches]:
    before = np.cumsum([0, *(one.size for one in people)])[: len(spells)]

    def whole(kind: type[Spells | Visits | Watches], parts: Sequence[Any]) -> Any:  # noqa: ANN401  (one of the three)
        columns = {one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(kind)}
        columns["customer"] = np.concatenate([part.customer + first for part, first in zip(parts, before, strict=True)])
        return kind(**columns)

    return whole(Spells, spells), whole(Visits, visits), whole(Watches, watches)


def _refunds(plan: Plan, people: People, orders: Orders, chunk: int) -> Ints:
    """Whole days after the order, so that a midnight cutoff splits refunds as it splits days."""
    draw = stream(plan.seed, "refunds", chunk)
    first, last = plan.world.customers.refund_days
    after = draw.integers(first, last + 1, orders.day.size)
    happens = draw.random(orders.day.size) < people.refund[orders.customer]
    return np.where(happens, orders.day + after, -1)

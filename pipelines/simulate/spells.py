"""States over time: active, dormant, gone; a Markov chain by day, each customer with chances of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.simulate.draws import Ints, stream
from pipelines.simulate.people import People
from pipelines.simulate.plan import Plan

__all__ = ["ACTIVE", "DORMANT", "GONE", "STATES", "Spells", "draw_spells"]

ACTIVE, DORMANT, GONE = 0, 1, 2
STATES: Final = ("active", "dormant", "gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spells:
    """Stays in one state, sorted by customer and day: ``customer`` is in ``state`` on the days ``[first, end)``."""

    customer: Ints
    state: Ints
    first: Ints
    end: Ints

    def at(self, customers: int, day: int) -> Ints:
        """State of every customer on a day; :data:`GONE` before they are in the log."""
        state = np.full(customers, GONE, dtype=np.int64)
        on = (self.first <= day) & (day < self.end)
        state[self.customer[on]] = self.state[on]
        return state


def draw_spells(plan: Plan, people: People, chunk: int, generation: int) -> Spells:
    """Draw everybody's path to the end of the log: stays are geometric, the move that ends one is a coin."""
    draw = stream(plan.seed, f"states {generation}", chunk)
    who = np.arange(people.size)
    state, first = people.start_state.copy(), people.first_day.copy()
    parts: list[tuple[Ints, Ints, Ints, Ints]] = []
    while who.size:
        to_other = np.where(state == ACTIVE, people.moves[who, 0], people.moves[who, 1])
        to_gone = np.where(state == ACTIVE, people.moves[who, 2], people.moves[who, 3])
        leave = np.where(state == GONE, 0.0, to_other + to_gone)
        # The stay is ceil(log U / log(1 - leave)): geometric from 1; without a chance to leave it lasts.
        with np.errstate(divide="ignore"):
            stay = np.ceil(np.log1p(-draw.random(who.size)) / np.log1p(-leave))
        stay = np.where(leave > 0, np.clip(stay, 1, plan.days), plan.days).astype(np.int64)
        end = np.minimum(first + stay, plan.days)
        parts.append((who, state, first, end))
        moves_on = draw.random(who.size) * leave
        following = np.where(moves_on < to_gone, GONE, np.where(state == ACTIVE, DORMANT, ACTIVE))
        goes_on = end < plan.days
        who, state, first = who[goes_on], following[goes_on], end[goes_on]
    columns = [np.concatenate([part[place] for part in parts]) for place in range(4)]
    order = np.lexsort((columns[2], columns[0]))
    customer, states, begins, ends = (column[order] for column in columns)
    return Spells(customer=customer, state=states, first=begins, end=ends)

"""Replay one customer's events as they arrived into a fresh state, which is compacted and packed at random points.

Of an event that was corrected, the earlier versions are replayed before the one that is the truth. Batch rows know the
truth only: where it was received too late for a cutoff, its earlier versions are not replayed either. What a state has
compacted away it does not know again: a correction that moves an event from there to a recent time counts it twice
until the next ``ebbtide ingest``, and the replay shows that as a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from features.state import AttributeRow, EventRow, State
from features.state_events import code_of

__all__ = ["Customer", "Moment", "dice", "replay"]

_CHUNKS: Final = 6
_SINGLE_EVENTS: Final = 3
_SEED_BITS: Final = 2**63 - 1


class Moment(NamedTuple):
    """A cutoff, and when an event had to be received to be seen at it; epoch µs."""

    cutoff_us: int
    received_before_us: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Customer:
    """Everything the log has of one customer, in the order of receipt.

    Parameters
    ----------
    customer_id : str
    events : sequence of EventRow
        Ascending in ``received_us``; earlier versions of a corrected event come before its truth.
    is_truth : sequence of bool
        One an event; False for a version that another one corrected.
    attributes : sequence of AttributeRow
        All that the table of customers has of the customer; a cutoff picks among them.
    """

    customer_id: str
    events: Sequence[EventRow]
    is_truth: Sequence[bool]
    attributes: Sequence[AttributeRow] = ()

    @property
    def first_us(self) -> int:
        """Time of the earliest event, epoch µs."""
        return min(event.event_time_us for event in self.events)

    def visible(self, moment: Moment) -> tuple[list[EventRow], bool]:
        """Events that a row at the moment may see, and whether one is missing because it was corrected later."""
        cutoff, before = moment
        seen = [event.event_time_us < cutoff and event.received_us < before for event in self.events]
        if all(self.is_truth):
            return [event for event, at in zip(self.events, seen, strict=True) if at], False
        rows = list(zip(self.events, self.is_truth, seen, strict=True))
        settled = {event.event_id for event, truth, _ in rows if truth and event.received_us < before}
        missing = any(at and event.event_id not in settled for event, _, at in rows)
        return [event for event, _, at in rows if at and event.event_id in settled], missing


def dice(seed: int, customer_id: str, cutoff_us: int = 0) -> np.random.Generator:
    """Random numbers of one customer and cutoff, the same whoever else is replayed."""
    return np.random.default_rng([seed, code_of(customer_id), cutoff_us & _SEED_BITS])


def replay(
    events: Sequence[EventRow],
    *,
    max_events: int,
    generator: np.random.Generator,
    attributes: Sequence[AttributeRow] = (),
) -> State:
    """State of a customer after events that came in chunks of random size, the last few perhaps one by one.

    Parameters
    ----------
    events : sequence of EventRow
        In the order they arrived.
    max_events : int
        How many of a customer's last events windows see.
    generator : numpy.random.Generator
        Where chunks end, and where the state is compacted or packed.
    attributes : sequence of AttributeRow
        What the state has from the beginning on.

    Returns
    -------
    State
        Perhaps :attr:`~features.state.State.stale`.
    """
    state = State.empty(max_events=max_events).with_attributes(attributes)
    for start, stop in pairwise(_edges(len(events), generator)):
        state = state.update(events[start:stop]).state
        compacted, packed = generator.random(2) < 1 / 3
        state = state.compact() if compacted else state
        state = State.decode(state.encode()) if packed else state
    return state


def _edges(size: int, generator: np.random.Generator) -> list[int]:
    single = int(generator.integers(0, _SINGLE_EVENTS + 1))
    inner = generator.integers(0, size + 1, size=int(generator.integers(0, _CHUNKS)))
    return sorted({0, size, *inner.tolist(), *range(max(size - single, 0), size)})

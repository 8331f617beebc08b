"""One customer's packed state: what the online path knows, and answers from with the batch kernel's own code.

A state is a *carry* (lifetime accumulators of events that were compacted away) and the events since then. It keeps
at least the tail counted back from the customer's newest event, and some more, so that any cutoff from
:attr:`State.oldest_answerable_us` on is answered with the same bits as from the whole log.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.clock import DAY_US, from_us
from features.definition import MAX_EVENTS, TAIL_DAYS
from features.errors import StateError
from features.kernel import UNANSWERABLE, fill_one
from features.kernel_program import NULL, Ints
from features.plan import Plan
from features.state_answer import codes_of, events_of
from features.state_attributes import AttributeRow, attributes_of, packed_attributes
from features.state_carry import by_stream, empty_carry
from features.state_events import EventRow, RecentEvent, Status
from features.state_fold import fold
from features.state_format import Packed, pack, unpack
from features.state_update import apply

__all__ = ["SPARE_DAYS", "Answer", "AttributeRow", "EventRow", "RecentEvent", "State", "Status", "Update"]

SPARE_DAYS: Final = 30
"""Compaction keeps this much more than the tail, so that cutoffs a little before the newest event can be answered."""
_ALWAYS_US: Final = 2**63 - 1


class Update(NamedTuple):
    """A new state and what became of each event, in the order they were given."""

    state: State
    statuses: tuple[Status, ...]


class Answer(NamedTuple):
    """A customer's row at one cutoff: the plan's ``extra`` base aggregates int64[e], and the features float32[f]."""

    base: Ints
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """One customer's state; immutable. Made by :meth:`empty`, :meth:`decode` or the engine's ``states``.

    Examples
    --------
    >>> bought = EventRow(event_id="e1", event_type="purchase", event_time_us=5, received_us=5, amount=9.99)
    >>> state, statuses = State.empty().update([bought, bought])
    >>> [str(status) for status in statuses], state.event_count, State.decode(state.encode()).newest_us
    (['accepted', 'duplicate'], 1, 5)
    """

    content: Packed
    names: tuple[str, ...]

    @staticmethod
    def empty(*, max_events: int = MAX_EVENTS) -> State:
        """State of a customer without events."""
        none, shorts = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint16)
        content = Packed(
            max_events=max_events,
            stale=False,
            kept_from=NULL,
            carry_received=NULL,
            time=none,
            received=none,
            order=none,
            key=none,
            kind=shorts,
            numbers={},
            carry=empty_carry(0),
            carried_order=none,
            carried_kind=shorts,
            carried_key=np.zeros(0, dtype=np.uint32),
            names=b"[]",
            recent=b"[]",
            attributes=b"",
        )
        return State(content=content, names=())

    @staticmethod
    def decode(data: bytes) -> State:
        """State of what :meth:`encode` gave.

        Raises
        ------
        StateError
            If the bytes are damaged or of another version.
        """
        content = unpack(data)
        return State(content=content, names=tuple(json.loads(content.names)))

    def encode(self) -> bytes:
        """Pack the state; two states of the same events, compacted alike, need not be equal bytes."""
        return pack(self.content)

    @property
    def stale(self) -> bool:
        """Whether an event older than what is kept arrived: scores are off until rebuilt from the log."""
        return self.content.stale

    @property
    def event_count(self) -> int:
        """Events kept, without those in the carry."""
        return int(self.content.time.size)

    @property
    def newest_us(self) -> int | None:
        """Time of the newest event, epoch µs; None if there is none."""
        return int(self.content.time[-1]) if self.content.time.size else None

    @property
    def oldest_answerable_us(self) -> int:
        """Earliest cutoff that can be answered, epoch µs; int64's least if every cutoff can."""
        content = self.content
        if content.carry.shape[0] == 0:
            return NULL
        by_age = content.kept_from + TAIL_DAYS * DAY_US
        if content.time.size < content.max_events:
            return by_age
        return min(by_age, int(content.time[content.max_events - 1]) + 1)

    @property
    def wants_compaction(self) -> bool:
        """Whether so much more than the tail is kept that :meth:`compact` is worth its time."""
        time, most = self.content.time, self.content.max_events
        if time.size == 0:
            return False
        old = int(time[-1]) - (TAIL_DAYS + 2 * SPARE_DAYS) * DAY_US
        return bool(time.size > most + most // 4 or time[0] < old)

    def update(self, events: Sequence[EventRow]) -> Update:
        """Take in events in any order; duplicates change nothing, late ones are sorted in.

        The same ``event_id`` with other content replaces what was there if it was received later. An event older than
        what is kept is not taken in and makes the state :attr:`stale`, and so does one that
        corrects an event which is in the carry.
        """
        content, names, statuses = apply(self.content, self.names, events)
        return Update(State(content=content, names=names), statuses)

    def compact(self) -> State:
        """Move events that no cutoff after the newest event can see in a window into the carry."""
        content = self.content
        if content.time.size == 0:
            return self
        keep_from = int(content.time[-1]) - (TAIL_DAYS + SPARE_DAYS) * DAY_US
        most = content.max_events + content.max_events // 8
        if content.time.size >= most:
            keep_from = max(keep_from, int(content.time[content.time.size - most]))
        cut = int(np.searchsorted(content.time, keep_from))
        if cut == 0:
            return self
        return replace(self, content=fold(content, cut, keep_from, len(self.names)))

    def with_attributes(self, rows: Sequence[AttributeRow]) -> State:
        """Return the state with these attributes instead of what it had."""
        return replace(self, content=replace(self.content, attributes=packed_attributes(rows)))

    def answer(self, plan: Plan, cutoff_us: int, received_before_us: int | None = None) -> Answer:
        """Row of the feature table at a cutoff, bit for bit what the batch engine gives.

        Parameters
        ----------
        plan : Plan
            The features.
        cutoff_us : int
            Epoch µs; events at or after it are not seen.
        received_before_us : int, optional
            Events received at or after it are not seen. None: all are.

        Returns
        -------
        Answer
            ``NULL_INT`` and NaN are null.

        Raises
        ------
        StateError
            If events that are only in the carry would be needed one by one.
        """
        content = self.content
        before = _ALWAYS_US if received_before_us is None else received_before_us
        if content.carry.shape[0] and content.carry_received >= before:
            raise StateError(
                f"the state cannot leave out what was received after {from_us(before).isoformat()}",
                expected=f"a time after {from_us(content.carry_received).isoformat()}",
                remedy="compute it from the log: `ebbtide score`",
            )
        if plan.max_events > content.max_events:
            raise StateError(
                f"the state keeps {content.max_events} events", expected=f"{plan.max_events}, as the plan sees"
            )
        carry = content.carry
        if carry.shape[0]:
            filters = {column: codes_of(values).tolist() for column, values in plan.filters.items()}
            carry = by_stream(carry, self.names, plan.streams, filters)
        columns = np.empty((len(plan.base), 1), dtype=np.int64)
        values = np.empty((1, len(plan.features)), dtype=np.float32)
        events, attributes = events_of(content, self.names, plan), attributes_of(content.attributes, plan.attributes)
        asked = (plan.words, events, carry, content.kept_from, attributes)
        if fill_one(*asked, cutoff_us, before, columns, values) == UNANSWERABLE:
            raise StateError(
                f"the cutoff {from_us(cutoff_us).isoformat()} is before what the customer's stored state can answer",
                expected=f"{from_us(self.oldest_answerable_us).isoformat()} or later",
                remedy="leave out the cutoff, or compute it from the log: `ebbtide score --cutoff`",
            )
        return Answer(columns[plan.kept, 0], values[0])

    def last_events(self, count: int) -> tuple[RecentEvent, ...]:
        """Newest events, newest first; at most 20 are kept in full."""
        keys = ("event_time_us", "event_type", "event_id", "order_id", "amount")
        rows = json.loads(self.content.recent)
        return tuple(RecentEvent(**dict(zip(keys, row, strict=True))) for row in rows[::-1][:count])

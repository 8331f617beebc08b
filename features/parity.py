"""Parity: what one customer's state answers, compared bit for bit with the batch table's row of the same moment.

A replayed pair is a customer and a cutoff: the events that a training row sees (before the cutoff, received before the
settle time) go into a fresh state as they arrived (:mod:`features.parity_replay`).

An event older than what a compacted state keeps makes it *stale*. In production the customer is then answered with a
word of warning until the next ``ebbtide ingest`` rebuilds the state from the log. So here: the pair is counted as
rebuilt, and the state that the bulk path makes of the same events is what is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from features.clock import from_us
from features.definition import Base
from features.errors import StateError
from features.feature_table import FeatureTable
from features.kernel_program import NULL, Ints
from features.parity_replay import Customer, Moment, dice, replay
from features.plan import Plan
from features.state import State

__all__ = ["MOST_SHOWN", "BatchRows", "Difference", "Path", "Tally", "Vector", "answer", "compare", "replay_pairs"]

MOST_SHOWN: Final = 20
"""Differences that are kept in full; the rest are counted."""

Path = Literal["replay", "rebuilt", "bulk"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vector:
    """One row of the batch table, or a state's answer: base aggregates and feature values."""

    base: Ints
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One number that is not the same.

    Parameters
    ----------
    customer_id : str
    cutoff_us : int
        Epoch µs.
    path : {"replay", "rebuilt", "bulk"}
        Where the state came from: replayed; rebuilt after the replayed one went stale; made in bulk from the log.
    column : str
        Name of the feature, or ``base …``; ``row`` if one side has none or the state refuses to answer.
    batch, state : str
        Value and bits of either side.
    """

    customer_id: str
    cutoff_us: int
    path: Path
    column: str
    batch: str
    state: str

    def sentence(self) -> str:
        """One line for a person."""
        moment = from_us(self.cutoff_us).isoformat()
        return f"customer {self.customer_id!r} at {moment}, {self.column}: batch {self.batch}, {self.path} {self.state}"


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was compared so far; grows.

    Parameters
    ----------
    pairs, bulk : int
        (Customer, cutoff) pairs replayed; states of the bulk path.
    empty : int
        Pairs without a visible event: the batch table must have no row.
    values : int
        Numbers compared.
    rebuilt : int
        Pairs whose state went stale and was rebuilt from the log.
    corrected_later : int
        Pairs that miss an event because its correction was received after the settle time, as the batch row does.
    different : int
        Numbers that differ.
    first : list of Difference
        The first :data:`MOST_SHOWN` of them.
    """

    pairs: int = 0
    bulk: int = 0
    empty: int = 0
    values: int = 0
    rebuilt: int = 0
    corrected_later: int = 0
    different: int = 0
    first: list[Difference] = field(default_factory=list)

    def add(self, plan: Plan, who: tuple[str, int, Path], batch: Vector | None, state: Vector | str | None) -> None:
        """Compare two rows of a customer at a cutoff and count."""
        customer_id, cutoff_us, path = who
        found = compare(plan, batch, state)
        if batch is not None and isinstance(state, Vector):
            self.values += batch.base.size + batch.values.size
        self.different += len(found)
        self.first += [
            Difference(customer_id=customer_id, cutoff_us=cutoff_us, path=path, column=column, batch=ours, state=theirs)
            for column, ours, theirs in found[: MOST_SHOWN - len(self.first)]
        ]


class BatchRows:
    """Rows of some customers, picked out of a feature table as its batches come by.

    Parameters
    ----------
    customer_ids : iterable of str, optional
        Whose rows to keep; None keeps all.
    """

    def __init__(self, customer_ids: Iterable[str] | None = None) -> None:
        self._wanted = None if customer_ids is None else frozenset(customer_ids)
        self._rows: dict[tuple[str, int], Vector] = {}

    def take(self, table: FeatureTable) -> None:
        """Keep copies of the wanted rows of a batch."""
        ids = table.customer_ids.tolist()
        mine = np.array([self._wanted is None or one in self._wanted for one in ids], dtype=np.bool_)
        rows = np.flatnonzero(mine[table.customer]) if mine.any() else np.zeros(0, dtype=np.int64)
        base, values = table.base[rows], table.values[rows]
        keys = zip(table.customer[rows].tolist(), table.cutoff_us[rows].tolist(), strict=True)
        for at, (customer, cutoff_us) in enumerate(keys):
            self._rows[str(ids[customer]), cutoff_us] = Vector(base=base[at], values=values[at])

    def get(self, customer_id: str, cutoff_us: int) -> Vector | None:
        """A customer's row; None if the table has none."""
        return self._rows.get((customer_id, cutoff_us))

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._rows)


def answer(state: State, plan: Plan, cutoff_us: int) -> Vector | str:
    """What a state answers at a cutoff, or the sentence it refuses with."""
    try:
        row = state.answer(plan, cutoff_us)
    except StateError as error:
        return f"refuses: {error}"
    return Vector(base=row.base, values=row.values)


def compare(plan: Plan, batch: Vector | None, state: Vector | str | None) -> list[tuple[str, str, str]]:
    """Column, batch's value and state's value of all that differs; null equals null, and 0.0 is not -0.0.

    Examples
    --------
    >>> from features.plan import compile_plan
    >>> from features.definition import Aggregation
    >>> plan = compile_plan([], timezone="UTC", extra=[Base(aggregation=Aggregation.COUNT, event_type="view")])
    >>> none = np.zeros(0, dtype=np.float32)
    >>> compare(plan, Vector(base=np.array([2]), values=none), Vector(base=np.array([3]), values=none))
    [('base count view', '2', '3')]
    """
    if batch is None and state is None:
        return []
    if batch is None or not isinstance(state, Vector):
        return [("row", "no row" if batch is None else "a row", state if isinstance(state, str) else _has_row(state))]
    same = batch.values.view(np.uint32) == state.values.view(np.uint32)
    same |= np.isnan(batch.values) & np.isnan(state.values)
    found = [(plan.feature_names[at], _bits(batch.values[at]), _bits(state.values[at])) for at in np.flatnonzero(~same)]
    return found + [
        (f"base {_name(plan.extra[at])}", _whole(int(batch.base[at])), _whole(int(state.base[at])))
        for at in np.flatnonzero(batch.base != state.base).tolist()
    ]


def replay_pairs(
    plan: Plan,
    rows: BatchRows,
    customer: Customer,
    moments: Sequence[Moment],
    *,
    seed: int,
    rebuild: Callable[[str, Moment], State | None],
    tally: Tally,
) -> None:
    """Replay one customer at some moments, each into a fresh state, and compare with the batch rows.

    Parameters
    ----------
    plan : Plan
        What ``rows`` were computed with.
    rows : BatchRows
        Of a table that was built at these moments.
    customer : Customer
        With all events the log has of the customer.
    moments : sequence of Moment
        Distinct cutoffs.
    seed : int
        Of chunk sizes and of the points of compaction.
    rebuild : callable
        The customer's state as the bulk path makes it of the events visible at a moment; None without any.
    tally : Tally
        Grows.
    """
    for moment in moments:
        events, corrected_later = customer.visible(moment)
        tally.pairs += 1
        tally.empty += not events
        tally.corrected_later += corrected_later
        state: State | None = None
        path: Path = "replay"
        if events:
            generator = dice(seed, customer.customer_id, moment.cutoff_us)
            state = replay(events, max_events=plan.max_events, generator=generator, attributes=customer.attributes)
            if state.stale:
                tally.rebuilt += 1
                state, path = rebuild(customer.customer_id, moment), "rebuilt"
                state = None if state is None else state.with_attributes(customer.attributes)
        found = None if state is None else answer(state, plan, moment.cutoff_us)
        batch = rows.get(customer.customer_id, moment.cutoff_us)
        tally.add(plan, (customer.customer_id, moment.cutoff_us, path), batch, found)


def _name(base: Base) -> str:
    return " ".join(str(part) for part in base.to_dict().values() if part is not None)


def _has_row(vector: Vector | None) -> str:
    return "no visible event" if vector is None else "visible events"


def _whole(number: int) -> str:
    return "null" if number == NULL else str(number)


def _bits(value: np.float32) -> str:
    return f"{'null' if np.isnan(value) else repr(float(value))} (bits {value.view(np.uint32):08x})"

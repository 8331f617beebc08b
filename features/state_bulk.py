"""States of many customers at once, from columns sorted by customer and time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.clock import DAY_US
from features.definition import TAIL_DAYS
from features.kernel_program import NULL, Ints
from features.state import SPARE_DAYS, State
from features.state_update import RECENT_EVENTS

__all__ = ["EventColumns", "states_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventColumns:
    """Event lines of many customers, sorted by customer, then time; one entry a line.

    ``kind`` indexes ``names``; ``texts`` gives the event ids and order ids of a range of lines.
    """

    time: Ints
    received: Ints
    order: Ints
    key: Ints
    kind: NDArray[np.int32]
    names: tuple[str, ...]
    numbers: dict[str, Ints]
    amount: NDArray[np.float64]
    texts: Callable[[int, int], Sequence[tuple[str, str | None]]]


def states_of(columns: EventColumns, offsets: Ints, *, max_events: int) -> Iterator[State]:
    """State of each customer, compacted; customer i has the lines ``offsets[i]:offsets[i + 1]``."""
    empty = State.empty(max_events=max_events)
    for start, stop in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        state = _state(empty, columns, start, stop)
        too_old = int(columns.time[stop - 1]) - (TAIL_DAYS + SPARE_DAYS) * DAY_US
        yield state.compact() if stop - start > max_events or columns.time[start] < too_old else state


def _state(empty: State, columns: EventColumns, start: int, stop: int) -> State:
    codes = columns.kind[start:stop]
    used = np.flatnonzero(np.bincount(codes, minlength=len(columns.names)))
    local = np.zeros(len(columns.names), dtype=np.uint16)
    local[used] = np.arange(used.size, dtype=np.uint16)
    names = tuple(columns.names[at] for at in used)
    numbers = {name: column[start:stop] for name, column in columns.numbers.items()}
    content = replace(
        empty.content,
        time=columns.time[start:stop],
        received=columns.received[start:stop],
        order=columns.order[start:stop],
        key=columns.key[start:stop],
        kind=local[codes],
        numbers={name: column for name, column in numbers.items() if (column != NULL).any()},
        names=json.dumps(names, separators=(",", ":")).encode(),
        recent=_recent(columns, max(start, stop - RECENT_EVENTS), stop),
    )
    return State(content=content, names=names)


def _recent(columns: EventColumns, start: int, stop: int) -> bytes:
    rows = [
        [int(time), columns.names[kind], event_id, order_id, None if np.isnan(amount) else float(amount)]
        for time, kind, amount, (event_id, order_id) in zip(
            columns.time[start:stop],
            columns.kind[start:stop],
            columns.amount[start:stop],
            columns.texts(start, stop),
            strict=True,
        )
    ]
    return json.dumps(rows, separators=(",", ":")).encode()

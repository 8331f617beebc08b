"""What is left of events that were compacted away: order-free lifetime accumulators, a row an event type.

Orders whose lines are in the carry are remembered by their codes (the most recent :data:`CARRIED_ORDERS`), so that a
later line of such an order is known not to begin a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.events import SCALES
from features.kernel_program import (
    CARRY_COLUMNS,
    CARRY_FIRST,
    CARRY_LAST,
    CARRY_LAST_LINE,
    CARRY_LINES,
    CARRY_NUMBERS,
    CARRY_ORDERS,
    NULL,
    ORDER_OF_ITS_OWN,
    Ints,
)

__all__ = ["CARRIED_ORDERS", "Line", "add_lines", "by_stream", "empty_carry", "remember"]

CARRIED_ORDERS: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """Columns of lines of one event type, sorted by time."""

    time: Ints
    order: Ints
    began_before: NDArray[np.bool_]
    numbers: dict[str, Ints]


def empty_carry(types: int) -> Ints:
    """Carry of so many event types without anything in it."""
    carry = np.zeros((types, CARRY_COLUMNS), dtype=np.int64)
    carry[:, [CARRY_FIRST, CARRY_LAST, CARRY_LAST_LINE]] = NULL
    return carry


def add_lines(row: Ints, lines: Line) -> None:
    """Add lines to one event type's row; they are later than what is in it."""
    if lines.time.size == 0:
        return
    single = lines.time[lines.order == ORDER_OF_ITS_OWN]
    named = (lines.order != ORDER_OF_ITS_OWN) & ~lines.began_before
    _, earliest = np.unique(lines.order[named], return_index=True)
    begun = np.concatenate([single, lines.time[named][earliest]])
    row[CARRY_ORDERS] += begun.size
    if row[CARRY_LINES] == 0:
        row[CARRY_FIRST] = lines.time[0]
    if begun.size:
        row[CARRY_LAST] = max(row[CARRY_LAST], begun.max())
    row[CARRY_LINES] += lines.time.size
    row[CARRY_LAST_LINE] = lines.time[-1]
    for at, name in enumerate(SCALES):
        if name in lines.numbers:
            known = lines.numbers[name][lines.numbers[name] != NULL]
            row[CARRY_NUMBERS + 2 * at] += known.sum()
            row[CARRY_NUMBERS + 2 * at + 1] += known.size


def remember(orders: Ints, kinds: NDArray[np.uint16], new_orders: Ints, new_kinds: NDArray[np.uint16]) -> Ints:
    """Positions, in old + new, of the carried orders to keep: each once, the most recently seen last."""
    pairs = np.stack([np.concatenate([orders, new_orders]), np.concatenate([kinds, new_kinds]).astype(np.int64)])
    latest = pairs.shape[1] - 1 - np.unique(pairs[:, ::-1], axis=1, return_index=True)[1]
    kept: Ints = np.sort(latest)[-CARRIED_ORDERS:]
    return kept


def by_stream(carry: Ints, names: tuple[str, ...], streams: tuple[str | None, ...]) -> Ints:
    """Carry of each stream of a plan; the stream of every event counts rows, not orders."""
    result = empty_carry(len(streams))
    for at, stream in enumerate(streams):
        if stream in names[: carry.shape[0]]:
            result[at] = carry[names.index(stream)]
        elif stream is None:
            result[at] = _all_types(carry)
    return result


def _all_types(carry: Ints) -> Ints:
    used = carry[carry[:, CARRY_LINES] > 0]
    total: Ints = used.sum(axis=0)
    if used.size:
        total[CARRY_ORDERS] = total[CARRY_LINES]
        total[CARRY_FIRST] = used[:, CARRY_FIRST].min()
        total[CARRY_LAST] = total[CARRY_LAST_LINE] = used[:, CARRY_LAST_LINE].max()
    return total

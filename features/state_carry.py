"""What is left of events that were compacted away: order-free lifetime accumulators, a row an event type.

Orders whose lines are in the carry are remembered by their codes (the most recent :data:`CARRIED_ORDERS`, and the first
of each type), so that a later line of such an order is known not to begin a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.carry_columns import (
    CARRY_COLUMNS,
    CARRY_FIRST,
    CARRY_FIRST_SUMS,
    CARRY_FIRST_TEXTS,
    CARRY_LAST,
    CARRY_LAST_LINE,
    CARRY_LAST_NUMBERS,
    CARRY_LINES,
    CARRY_ORDERS,
    CARRY_PRESENT,
    CARRY_SUMS,
)
from features.events import FILTERS, SCALES
from features.kernel_program import MIXED, NULL, ORDER_OF_ITS_OWN, Ints
from features.layout import Stream
from features.state_format import BEGAN_FIRST, TYPE_OF

__all__ = ["CARRIED_ORDERS", "Lines", "add_lines", "by_stream", "empty_carry", "remember"]

CARRIED_ORDERS: Final = 4_096
_TIMES: Final = (CARRY_FIRST, CARRY_LAST, CARRY_LAST_LINE)
_NULLS: Final = (
    *_TIMES,
    *range(CARRY_LAST_NUMBERS, CARRY_LAST_NUMBERS + len(SCALES)),
    *range(CARRY_FIRST_TEXTS, CARRY_FIRST_TEXTS + len(FILTERS)),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """Columns of lines of one event type, sorted by time.

    ``began_before``: the line's order began in the carry; ``of_first``: it belongs to the first order of the type.
    """

    time: Ints
    order: Ints
    began_before: NDArray[np.bool_]
    of_first: NDArray[np.bool_]
    numbers: dict[str, Ints]


def empty_carry(types: int) -> Ints:
    """Carry of so many event types without anything in it."""
    carry = np.zeros((types, CARRY_COLUMNS), dtype=np.int64)
    carry[:, _NULLS] = NULL
    return carry


def add_lines(row: Ints, lines: Lines) -> None:
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
            _add_number(row, at, lines, lines.numbers[name])
    for at, name in enumerate(FILTERS):
        if name in lines.numbers:
            known = np.unique(lines.numbers[name][lines.of_first & (lines.numbers[name] != NULL)])
            texts = {*known.tolist(), int(row[CARRY_FIRST_TEXTS + at])} - {NULL}
            if texts:
                row[CARRY_FIRST_TEXTS + at] = texts.pop() if len(texts) == 1 else MIXED


def _add_number(row: Ints, at: int, lines: Lines, column: Ints) -> None:
    has_it = column != NULL
    if not has_it.any():
        return
    row[CARRY_SUMS + at] += column[has_it].sum()
    row[CARRY_PRESENT + at] += np.count_nonzero(has_it)
    row[CARRY_FIRST_SUMS + at] += column[has_it & lines.of_first].sum()
    newest = lines.time[has_it][-1]
    row[CARRY_LAST_NUMBERS + at] = column[has_it & (lines.time == newest)].max()


def remember(orders: Ints, kinds: NDArray[np.uint16], new_orders: Ints, new_kinds: NDArray[np.uint16]) -> Ints:
    """Positions, in old + new, of the carried orders to keep: each once, the most recently seen last.

    Kinds may carry the flag of a first order; those are always kept, and a later line of one has the flag, too.
    """
    all_kinds = np.concatenate([kinds, new_kinds]).astype(np.int64)
    pairs = np.stack([np.concatenate([orders, new_orders]), all_kinds & TYPE_OF])
    latest = np.sort(pairs.shape[1] - 1 - np.unique(pairs[:, ::-1], axis=1, return_index=True)[1])
    is_first = (all_kinds[latest] & BEGAN_FIRST) != 0
    is_first[-CARRIED_ORDERS:] = True
    kept: Ints = latest[is_first]
    return kept


def by_stream(
    carry: Ints, names: tuple[str, ...], streams: Sequence[Stream], filters: Mapping[str, Sequence[int]]
) -> Ints:
    """Carry of each stream of a plan, its texts as positions in the plan's filters.

    The stream of every event counts rows, not orders; a filtered stream never looks into the carry.
    """
    result = empty_carry(len(streams))
    for at, stream in enumerate(streams):
        if stream.where is not None:
            continue
        if stream.event_type in names[: carry.shape[0]]:
            result[at] = carry[names.index(stream.event_type)]
            for place, name in enumerate(FILTERS, CARRY_FIRST_TEXTS):
                result[at, place] = _filter_code(int(result[at, place]), filters.get(name, ()))
        elif stream.event_type is None:
            result[at] = _all_types(carry)
    return result


def _filter_code(code: int, known: Sequence[int]) -> int:
    if code in {NULL, MIXED}:
        return code
    return known.index(code) + 1 if code in known else 0


def _all_types(carry: Ints) -> Ints:
    used = carry[carry[:, CARRY_LINES] > 0]
    total: Ints = used.sum(axis=0)
    if used.size:
        total[CARRY_ORDERS] = total[CARRY_LINES]
        total[CARRY_FIRST] = used[:, CARRY_FIRST].min()
        total[CARRY_LAST] = total[CARRY_LAST_LINE] = used[:, CARRY_LAST_LINE].max()
    return total

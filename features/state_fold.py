"""Compaction: move the oldest events of a state into its carry."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.carry_columns import CARRY_LINES
from features.kernel_program import Ints
from features.state_carry import Lines, add_lines, empty_carry, remember
from features.state_format import BEGAN_BEFORE, BEGAN_FIRST, TYPE_OF, Packed

__all__ = ["CARRIED_KEYS", "carried_flags", "fold", "short_codes"]

CARRIED_KEYS: Final = 65_536
"""So many of the events in the carry are known by their codes."""


def fold(content: Packed, cut: int, keep_from: int, types: int) -> Packed:
    """Content with its first ``cut`` events in the carry; ``keep_from`` is a time after which none of them lies."""
    kind, began = content.kind & TYPE_OF, (content.kind & BEGAN_BEFORE) != 0
    of_first = (content.kind & BEGAN_FIRST) != 0
    carry = empty_carry(types)
    carry[: content.carry.shape[0]] = content.carry
    for at in range(types):
        chosen = np.flatnonzero(kind == at)
        if chosen.size and carry[at, CARRY_LINES] == 0:
            of_first[chosen] = _of_first_order(content.time[chosen], content.order[chosen])
        chosen = chosen[chosen < cut]
        lines = Lines(
            time=content.time[chosen],
            order=content.order[chosen],
            began_before=began[chosen],
            of_first=of_first[chosen],
            numbers={name: column[chosen] for name, column in content.numbers.items()},
        )
        add_lines(carry[at], lines)
    named = np.flatnonzero(content.order[:cut] >= 0)
    new_kinds = kind[named] | of_first[named].astype(np.uint16) * np.uint16(BEGAN_FIRST)
    kept = remember(content.carried_order, content.carried_kind, content.order[named], new_kinds)
    carried_order = np.concatenate([content.carried_order, content.order[named]])[kept]
    carried_kind = np.concatenate([content.carried_kind, new_kinds])[kept]
    flags = carried_flags(carried_order, carried_kind)
    later = zip(content.order[cut:].tolist(), kind[cut:].tolist(), strict=True)
    return replace(
        content,
        kept_from=keep_from,
        carry_received=max(content.carry_received, int(content.received[:cut].max())),
        time=content.time[cut:].copy(),
        received=content.received[cut:].copy(),
        order=content.order[cut:].copy(),
        key=content.key[cut:].copy(),
        kind=np.bitwise_or(kind[cut:], np.array([flags.get(pair, 0) for pair in later], dtype=np.uint16)),
        numbers={name: column[cut:].copy() for name, column in content.numbers.items()},
        carry=carry,
        carried_order=carried_order,
        carried_kind=carried_kind,
        carried_key=np.concatenate([content.carried_key, short_codes(content.key[:cut])])[-CARRIED_KEYS:],
    )


def short_codes(keys: Ints) -> NDArray[np.uint32]:
    """Last 32 bits of event codes: enough to see that an event is in the carry; a false alarm only costs a rebuild."""
    return (keys & 0xFFFF_FFFF).astype(np.uint32)


def carried_flags(carried_order: Ints, carried_kind: NDArray[np.uint16]) -> dict[tuple[int, int], int]:
    """Flags of a line by its order's code and its type, if the order began in the carry."""
    pairs = zip(carried_order.tolist(), carried_kind.tolist(), strict=True)
    return {(order, kind & TYPE_OF): kind & BEGAN_FIRST | BEGAN_BEFORE for order, kind in pairs}


def _of_first_order(time: Ints, order: Ints) -> NDArray[np.bool_]:
    """Which lines belong to the order(s) that began at the first time; lines of one type, sorted by time."""
    at_first = time == time[0]
    codes = np.unique(order[at_first & (order >= 0)])
    result: NDArray[np.bool_] = (at_first & (order < 0)) | np.isin(order, codes)
    return result

"""Take events into a state: deduplicate, correct, sort in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.errors import StateError
from features.events import SCALES, TEXTS
from features.kernel_program import NULL, ORDER_OF_ITS_OWN, Ints
from features.state_events import EventRow, Status, code_of
from features.state_fold import carried_flags
from features.state_format import TYPE_OF, Packed

__all__ = ["RECENT_EVENTS", "apply"]

RECENT_EVENTS: Final = 20
_COLUMNS: Final = (*SCALES, *TEXTS)
_SHORT: Final = 0xFFFF_FFFF


def apply(
    content: Packed, names: tuple[str, ...], events: Sequence[EventRow]
) -> tuple[Packed, tuple[str, ...], tuple[Status, ...]]:
    """Content, type names and statuses after some events."""
    types = {name: at for at, name in enumerate(names)}
    at_key = {int(key): at for at, key in enumerate(content.key)} if len(events) > 1 else None
    carried = frozenset(content.carried_key.tolist()) if len(events) > 1 else content.carried_key
    dropped: set[int] = set()
    taken: dict[int, _Line] = {}
    statuses: list[Status] = []
    stale = content.stale
    for event in events:
        line = _Line(event, types)
        place = _find(content.key, at_key, line.key)
        old = taken.get(line.key)
        if old is None and place is not None and place not in dropped:
            old = _stored(content, place)
        if old is not None and (old.same_as(line) or line.received < old.received):
            if old.same_as(line) and line.received < old.received:
                _drop(taken, dropped, line.key, place)
                taken[line.key] = line
            statuses.append(Status.DUPLICATE)
            continue
        if old is not None:
            _drop(taken, dropped, line.key, place)
        if content.carry.shape[0] and (line.time < content.kept_from or (old is None and line.key & _SHORT in carried)):
            stale = True
            statuses.append(Status.TOO_OLD)
            continue
        taken[line.key] = line
        statuses.append(Status.ACCEPTED if old is None else Status.CORRECTED)
    content = replace(content, stale=stale)
    if taken or dropped:
        content = _merged(content, sorted(dropped), list(taken.values()), tuple(types))
    return content, tuple(types), tuple(statuses)


class _Line:
    """An event as the arrays hold it."""

    __slots__ = ("event", "key", "kind", "numbers", "order", "received", "time")

    def __init__(self, event: EventRow | None, types: dict[str, int]) -> None:
        self.event = event
        if event is None:
            return
        self.key = code_of(event.event_id)
        self.time, self.received = event.event_time_us, event.received_us
        self.kind = types.setdefault(event.event_type, len(types))
        if self.kind > TYPE_OF:
            raise StateError(f"the customer has more than {TYPE_OF} event types", expected="fewer")
        self.order = ORDER_OF_ITS_OWN if event.order_id is None else code_of(event.order_id)
        numbers = {name: event.scaled_number(name) for name in SCALES}
        numbers |= {name: event.text_code(name) for name in TEXTS}
        self.numbers = {name: number for name, number in numbers.items() if number is not None}

    def same_as(self, other: _Line) -> bool:
        mine = (self.time, self.kind, self.order, self.numbers)
        return mine == (other.time, other.kind, other.order, other.numbers)


def _find(keys: Ints, at_key: dict[int, int] | None, key: int) -> int | None:
    if at_key is not None:
        return at_key.get(key)
    found = np.flatnonzero(keys == key)
    return int(found[0]) if found.size else None


def _stored(content: Packed, place: int) -> _Line:
    line = _Line(None, {})
    line.key, line.time = int(content.key[place]), int(content.time[place])
    line.received, line.order = int(content.received[place]), int(content.order[place])
    line.kind = int(content.kind[place]) & TYPE_OF
    numbers = {name: int(column[place]) for name, column in content.numbers.items()}
    line.numbers = {name: number for name, number in numbers.items() if number != NULL}
    return line


def _drop(taken: dict[int, _Line], dropped: set[int], key: int, place: int | None) -> None:
    if taken.pop(key, None) is None and place is not None:
        dropped.add(place)


def _merged(content: Packed, dropped: list[int], lines: list[_Line], types: tuple[str, ...]) -> Packed:
    kept = np.ones(content.time.size, dtype=np.bool_)
    kept[dropped] = False
    time = _joined(content.time[kept], [line.time for line in lines])
    by_time = np.argsort(time, kind="stable")
    names = [name for name in _COLUMNS if name in content.numbers or any(name in line.numbers for line in lines)]
    missing = np.full(content.time.size, NULL, dtype=np.int64)
    flags = carried_flags(content.carried_order, content.carried_kind)
    kinds = [line.kind | flags.get((line.order, line.kind), 0) for line in lines]
    kind: NDArray[np.uint16] = np.concatenate([content.kind[kept], np.array(kinds, dtype=np.uint16)])
    return replace(
        content,
        time=time[by_time],
        received=_joined(content.received[kept], [line.received for line in lines])[by_time],
        order=_joined(content.order[kept], [line.order for line in lines])[by_time],
        key=_joined(content.key[kept], [line.key for line in lines])[by_time],
        kind=kind[by_time],
        numbers={
            name: _joined(content.numbers.get(name, missing)[kept], [line.numbers.get(name, NULL) for line in lines])[
                by_time
            ]
            for name in names
        },
        names=json.dumps(types, separators=(",", ":")).encode(),
        recent=_recent(content, [int(key) for key in content.key[dropped]], lines),
    )


def _joined(column: Ints, values: list[int]) -> Ints:
    return np.concatenate([column, np.array(values, dtype=np.int64)])


def _recent(content: Packed, gone: list[int], lines: list[_Line]) -> bytes:
    rows = [row for row in json.loads(content.recent) if not gone or code_of(row[2]) not in gone]
    for line in lines:
        event = line.event
        if event is not None:
            rows.append([event.event_time_us, event.event_type, event.event_id, event.order_id, event.amount])
    rows.sort(key=lambda row: row[0])
    return json.dumps(rows[-RECENT_EVENTS:], separators=(",", ":")).encode()

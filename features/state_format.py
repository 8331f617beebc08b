"""The packed form of a customer's state: little-endian, versioned, checksummed.

Layout of version 2: a header; then columns of 8 bytes an entry (event times, times of receipt unless all equal the
event times, order codes if any, event codes, each number and text code that any event has, carried order codes, the
carry); a column of 4 bytes (the end of carried events' codes); columns of 2 bytes (event types, carried orders' types,
both with flags in the top bits); then three texts in JSON: the names of the event types, the last events in full, the
attributes.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.carry_columns import CARRY_COLUMNS
from features.errors import StateError
from features.events import SCALES, TEXTS
from features.kernel_program import ORDER_OF_ITS_OWN, Ints

__all__ = ["BEGAN_BEFORE", "BEGAN_FIRST", "TYPE_OF", "Packed", "pack", "unpack"]

Shorts = NDArray[np.uint16]

_MAGIC: Final = b"EBTS"
_VERSION: Final = 2
_HEADER: Final = struct.Struct("<4sHHIqqIIIIIIIII")
_CHECKED_FROM: Final = 12
_STALE, _RECEIVED, _ORDERS = 1, 2, 4
_NUMBERS: Final = (*SCALES, *TEXTS)

BEGAN_BEFORE: Final = 0x8000
"""Flag of an event's type: the order of the line began in the carry."""
BEGAN_FIRST: Final = 0x4000
"""Flag of an event's or a carried order's type: it is the first order of the type (or one of those that began then)."""
TYPE_OF: Final = 0x3FFF
"""What is left of an event's type without flags."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packed:
    """A state's content; arrays are writable and contiguous, one entry a kept event unless said otherwise."""

    max_events: int
    stale: bool
    kept_from: int
    carry_received: int
    time: Ints
    received: Ints
    order: Ints
    key: Ints
    kind: Shorts
    numbers: dict[str, Ints]
    carry: Ints  # [event type, carry column]; no rows: nothing was compacted away
    carried_order: Ints  # [carried order]
    carried_kind: Shorts
    carried_key: NDArray[np.uint32]  # [event in the carry] its code's last 32 bits, of the most recent ones
    names: bytes
    recent: bytes
    attributes: bytes


def pack(content: Packed) -> bytes:
    """Encode a state."""
    flags = _STALE * content.stale
    columns = [content.time]
    if not np.array_equal(content.received, content.time):
        flags |= _RECEIVED
        columns.append(content.received)
    if (content.order != ORDER_OF_ITS_OWN).any():
        flags |= _ORDERS
        columns.append(content.order)
    columns.append(content.key)
    mask = 0
    for at, name in enumerate(_NUMBERS):
        if name in content.numbers:
            mask |= 1 << at
            columns.append(content.numbers[name])
    columns += [content.carried_order, content.carry]
    body = b"".join(
        [
            *(column.astype("<i8", copy=False).tobytes() for column in columns),
            content.carried_key.astype("<u4", copy=False).tobytes(),
            content.kind.astype("<u2", copy=False).tobytes(),
            content.carried_kind.astype("<u2", copy=False).tobytes(),
            content.names,
            content.recent,
            content.attributes,
        ]
    )
    sizes = (content.time.size, content.carried_order.size, content.carry.shape[0])
    header = _HEADER.pack(
        *(_MAGIC, _VERSION, flags, 0, content.kept_from, content.carry_received, content.max_events, *sizes),
        *(mask, content.carried_key.size, len(content.names), len(content.recent), len(content.attributes)),
    )
    checksum = zlib.crc32(body, zlib.crc32(header[_CHECKED_FROM:], flags))
    return b"".join([header[:8], struct.pack("<I", checksum), header[_CHECKED_FROM:], body])


def unpack(data: bytes) -> Packed:
    """Decode a state.

    Raises
    ------
    StateError
        If the bytes are not a state, of another version, cut off or damaged.
    """
    if len(data) < _HEADER.size or data[:4] != _MAGIC:
        raise _damaged(f"{len(data)} bytes that are not a customer's state")
    header = _HEADER.unpack_from(data)
    _, version, flags, checksum, kept_from, carry_received, max_events, events, carried, types, mask = header[:11]
    keys, names, recent, attributes = header[11:]
    if version != _VERSION:
        raise _damaged(f"a customer's state of version {version}", expected=f"version {_VERSION}")
    if zlib.crc32(memoryview(data)[_CHECKED_FROM:], flags) != checksum:
        raise _damaged(f"a customer's state of {len(data)} bytes that does not match its checksum")
    present = [name for at, name in enumerate(_NUMBERS) if mask >> at & 1]
    columns = 2 + bool(flags & _RECEIVED) + bool(flags & _ORDERS) + len(present)
    wide = columns * events + carried + types * CARRY_COLUMNS
    if len(data) != _HEADER.size + 8 * wide + 4 * keys + 2 * (events + carried) + names + recent + attributes:
        raise _damaged(f"a customer's state of {len(data)} bytes whose parts have other lengths")
    buffer = bytearray(data)
    values = np.frombuffer(buffer, dtype="<i8", count=wide, offset=_HEADER.size)
    start = _HEADER.size + 8 * wide
    carried_key = np.frombuffer(buffer, dtype="<u4", count=keys, offset=start)
    shorts = np.frombuffer(buffer, dtype="<u2", count=events + carried, offset=start + 4 * keys)
    parts = iter(values[: columns * events].reshape(columns, events))
    time = next(parts)
    texts = len(data) - names - recent - attributes
    return Packed(
        max_events=max_events,
        stale=bool(flags & _STALE),
        kept_from=kept_from,
        carry_received=carry_received,
        time=time,
        received=next(parts) if flags & _RECEIVED else time,
        order=next(parts) if flags & _ORDERS else np.full(events, ORDER_OF_ITS_OWN, dtype=np.int64),
        key=next(parts),
        kind=shorts[:events],
        numbers={name: next(parts) for name in present},
        carry=values[columns * events + carried :].reshape(types, CARRY_COLUMNS),
        carried_order=values[columns * events : columns * events + carried],
        carried_kind=shorts[events:],
        carried_key=carried_key,
        names=data[texts : texts + names],
        recent=data[texts + names : texts + names + recent],
        attributes=data[texts + names + recent :],
    )


def _damaged(found: str, expected: str = "what `State.encode` wrote") -> StateError:
    return StateError(found, expected=expected, remedy="rebuild the online store from the log: `ebbtide materialize`")

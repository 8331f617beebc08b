"""Turn base aggregates into the kernel's arrays: every stream, slot and window once, however often it is asked for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final, TypeVar

import numpy as np

from features.clock import DAY_US
from features.events import SCALES
from features.grammar import OF_THE_TAIL, TAIL_DAYS, Aggregation, Base
from features.kernel_program import (
    ACTIVE_DAYS,
    CARRY_NUMBERS,
    COUNT,
    FIRST,
    GAP_COUNT,
    GAP_MAX,
    GAP_SQUARES,
    GAP_SUM,
    LAST,
    LIFETIME,
    LINES,
    TAIL,
    TALLY,
    Ints,
    Program,
)
from features.local_time import offset_table

__all__ = ["Layout"]

T = TypeVar("T", bound=Hashable)

_CODES: Final[dict[Aggregation, int]] = {
    Aggregation.COUNT: COUNT,
    Aggregation.LINES: LINES,
    Aggregation.SUM: TALLY,
    Aggregation.PRESENT: TALLY,
    Aggregation.ACTIVE_DAYS: ACTIVE_DAYS,
    Aggregation.FIRST: FIRST,
    Aggregation.LAST: LAST,
    Aggregation.GAP_COUNT: GAP_COUNT,
    Aggregation.GAP_SUM: GAP_SUM,
    Aggregation.GAP_SQUARES: GAP_SQUARES,
    Aggregation.GAP_MAX: GAP_MAX,
}
_GAPS: Final = OF_THE_TAIL - {Aggregation.ACTIVE_DAYS}


class Layout:
    """Positions of streams, slots and numbers, handed out as they are asked for.

    Parameters
    ----------
    bases : sequence of Base
        The base table's columns, in order.
    timezone : str
        IANA name: active days are local days.
    max_events : int
        How many of a customer's last events windows see.
    """

    def __init__(self, bases: Sequence[Base], *, timezone: str, max_events: int) -> None:
        self.bases = tuple(bases)
        self.streams: list[str | None] = []
        self.numbers: list[str] = []
        self._timezone, self._max_events = timezone, max_events
        self._slots: list[tuple[int, int, bool]] = []
        self._pairs: list[tuple[int, int]] = []
        self._columns = [self._column(base) for base in self.bases]

    @property
    def event_types(self) -> tuple[str, ...]:
        """Event types that are told apart, class 1 first; class 0 is every other type."""
        return tuple(stream for stream in self.streams if stream is not None)

    def stream(self, event_type: str | None) -> int:
        """Position of a stream."""
        return _position(self.streams, event_type)

    def slot(self, event_type: str | None, number: str, *, counts: bool) -> int:
        """Position of a running sum, or of a running count of the rows that have the number."""
        return _position(self._slots, (self.stream(event_type), _position(self.numbers, number), counts))

    def program(self) -> Program:
        """Arrays for the kernel."""
        classes: list[str | None] = [None, *self.event_types]
        members = [
            [at for at, stream in enumerate(self.streams) if stream is None or stream == name] for name in classes
        ]
        keys = list(SCALES)
        zone = offset_table(self._timezone)
        return Program(
            member_start=_ints([0, *np.cumsum([len(streams) for streams in members]).tolist()]),
            member_stream=_ints([stream for streams in members for stream in streams]),
            by_row=_ints([stream is None for stream in self.streams]),
            wants_days=self._wanted(frozenset({Aggregation.ACTIVE_DAYS})),
            wants_gaps=self._wanted(_GAPS),
            slot_stream=_ints([stream for stream, _, _ in self._slots]),
            slot_number=_ints([number for _, number, _ in self._slots]),
            slot_counts=_ints([counts for _, _, counts in self._slots]),
            slot_carry=_ints(
                [CARRY_NUMBERS + 2 * keys.index(self.numbers[number]) + counts for _, number, counts in self._slots]
            ),
            pair_stream=_ints([stream for stream, _ in self._pairs]),
            pair_window=_ints([window for _, window in self._pairs]),
            aggregation=_ints([_CODES[base.aggregation] for base in self.bases]),
            base_pair=_ints([pair for pair, _ in self._columns]),
            base_slot=_ints([slot for _, slot in self._columns]),
            limits=_ints([self._max_events, TAIL_DAYS * DAY_US]),
            zone_start=zone.start_us,
            zone_offset=zone.offset_us,
            zone_least=zone.least_day,
        )

    def _column(self, base: Base) -> tuple[int, int]:
        window = TAIL if base.aggregation in OF_THE_TAIL else LIFETIME
        if base.window_days is not None:
            window = base.window_days * DAY_US
        pair = _position(self._pairs, (self.stream(base.event_type), window))
        if base.field is None:
            return pair, -1
        return pair, self.slot(base.event_type, base.field, counts=base.aggregation is Aggregation.PRESENT)

    def _wanted(self, aggregations: frozenset[Aggregation]) -> Ints:
        wanting = {base.event_type for base in self.bases if base.aggregation in aggregations}
        return _ints([stream in wanting for stream in self.streams])


def _position(known: list[T], wanted: T) -> int:
    if wanted not in known:
        known.append(wanted)
    return known.index(wanted)


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)

"""Turn base aggregates into the kernel's arrays: every stream, slot and window once, however often it is asked for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np

from features import kernel_program as k
from features.carry_columns import (
    CARRY_FIRST,
    CARRY_FIRST_SUMS,
    CARRY_FIRST_TEXTS,
    CARRY_LAST,
    CARRY_LAST_NUMBERS,
    CARRY_LINES,
    CARRY_ORDERS,
    CARRY_PRESENT,
    CARRY_SUMS,
)
from features.clock import DAY_US
from features.events import FILTERS, SCALES
from features.grammar import TAIL_DAYS, Aggregation, Base, Where
from features.kernel_program import Ints, Program
from features.local_time import offset_table
from features.words import OF_THE_TAIL

__all__ = ["Layout", "Reading", "Stream"]

T = TypeVar("T", bound=Hashable)

_CODES: Final[dict[Aggregation, int]] = {
    Aggregation.COUNT: k.COUNT,
    Aggregation.LINES: k.LINES,
    Aggregation.SUM: k.TALLY,
    Aggregation.PRESENT: k.TALLY,
    Aggregation.ACTIVE_DAYS: k.ACTIVE_DAYS,
    Aggregation.STREAK: k.STREAK,
    Aggregation.FIRST: k.FIRST,
    Aggregation.LAST: k.LAST,
    Aggregation.GAP_COUNT: k.GAP_COUNT,
    Aggregation.GAP_SUM: k.GAP_SUM,
    Aggregation.GAP_SQUARES: k.GAP_SQUARES,
    Aggregation.GAP_MAX: k.GAP_MAX,
    Aggregation.WEEKDAY_SQUARES: k.WEEKDAY_SQUARES,
    Aggregation.HOUR_SQUARES: k.HOUR_SQUARES,
    Aggregation.WEEKEND: k.WEEKEND,
    Aggregation.LAST_NUMBER: k.LAST_NUMBER,
    Aggregation.DISTINCT: k.DISTINCT,
    Aggregation.TOP: k.TOP,
    Aggregation.RUNNING_OUT: k.RUNNING_OUT,
    Aggregation.FIRST_ORDER_SUM: k.FIRST_ORDER_SUM,
    Aggregation.FIRST_ORDER_IS: k.FIRST_ORDER_IS,
}
_NULL_BY_DEFAULT: Final = frozenset(
    {
        Aggregation.FIRST,
        Aggregation.LAST,
        Aggregation.GAP_MAX,
        Aggregation.LAST_NUMBER,
        Aggregation.FIRST_ORDER_SUM,
        Aggregation.FIRST_ORDER_IS,
    }
)
_DAYS: Final = frozenset({Aggregation.ACTIVE_DAYS, Aggregation.STREAK})
_GAPS: Final = frozenset({Aggregation.GAP_COUNT, Aggregation.GAP_SUM, Aggregation.GAP_SQUARES, Aggregation.GAP_MAX})
_CLOCK: Final = frozenset({Aggregation.WEEKDAY_SQUARES, Aggregation.HOUR_SQUARES, Aggregation.WEEKEND})
_SLOT_MODES: Final = {
    Aggregation.SUM: k.SLOT_SUM,
    Aggregation.PRESENT: k.SLOT_PRESENT,
    Aggregation.LAST_NUMBER: k.SLOT_PRESENT,
    Aggregation.FIRST_ORDER_SUM: k.SLOT_FIRST_SUM,
    Aggregation.FIRST_ORDER_IS: k.SLOT_FIRST_TEXT,
}
_SLOT_CARRY: Final = {
    k.SLOT_SUM: CARRY_SUMS,
    k.SLOT_PRESENT: CARRY_PRESENT,
    k.SLOT_FIRST_SUM: CARRY_FIRST_SUMS,
    k.SLOT_FIRST_TEXT: CARRY_FIRST_TEXTS,
}
_PLAIN_CARRY: Final = {
    Aggregation.COUNT: CARRY_ORDERS,
    Aggregation.LINES: CARRY_LINES,
    Aggregation.FIRST: CARRY_FIRST,
    Aggregation.LAST: CARRY_LAST,
}


class Reading(NamedTuple):
    """One row of :class:`~features.kernel_program.Events`' numbers, and how it comes from a column of the log.

    ``how`` is ``number`` (scaled), ``text`` (a code that is equal for equal texts) or ``filter`` (which of the
    layout's values it is).
    """

    how: str
    column: str


class Stream(NamedTuple):
    """Events that are counted together; no type is every event."""

    event_type: str | None
    where: Where | None = None


class _Column(NamedTuple):
    stream: int
    pair: int
    slot: int
    extra: int
    carry: int


class Layout:
    """Positions of streams, slots and readings, handed out as they are asked for.

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
        self.streams: list[Stream] = []
        self.readings: list[Reading] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.filters: dict[str, list[str]] = {}
        self._timezone, self._max_events = timezone, max_events
        self._slots: list[tuple[int, int, int]] = []
        self._links: list[tuple[int, int]] = []
        self._pairs: list[tuple[int, int, int]] = []
        self._columns = {at: self._column(base) for at, base in enumerate(self.bases) if not _is_attribute(base)}
        self.attributes = [(str(base.field), base.value) for base in self.bases if _is_attribute(base)]

    @property
    def event_types(self) -> tuple[str, ...]:
        """Event types that are told apart, class 1 first; class 0 is every other type."""
        return tuple(dict.fromkeys(stream.event_type for stream in self.streams if stream.event_type is not None))

    def stream(self, event_type: str | None, where: Where | None = None) -> int:
        """Position of a stream."""
        return _position(self.streams, Stream(event_type, where))

    def slot(self, stream: int, column: str, *, mode: int) -> int:
        """Position of a running sum over a stream."""
        how = "number" if column in SCALES else "filter" if mode == k.SLOT_FIRST_TEXT else "text"
        return _position(self._slots, (stream, self._reading(how, column), mode))

    def program(self) -> Program:
        """Arrays for the kernel."""
        members = [
            [at for at, stream in enumerate(self.streams) if stream.event_type in {None, name}]
            for name in (None, *self.event_types)
        ]
        zone = offset_table(self._timezone)
        pairs = sorted(range(len(self._pairs)), key=lambda at: self._pairs[at])
        pair_at = {at: place for place, at in enumerate(pairs)}
        bases = sorted(self._columns, key=lambda at: (self._columns[at].stream, at))
        columns = [self._columns[at] for at in bases]
        where = [stream.where for stream in self.streams]
        return Program(
            member_start=_starts([len(streams) for streams in members]),
            member_stream=_ints([stream for streams in members for stream in streams]),
            filter_row=_ints([-1 if w is None else self._reading("filter", w.field) for w in where]),
            filter_code=_ints([0 if w is None else self._filter_code(w.field, w.value) for w in where]),
            by_row=_ints([stream.event_type is None or stream.where is not None for stream in self.streams]),
            wants_days=self._wanted(_DAYS),
            wants_gaps=self._wanted(_GAPS),
            wants_clock=self._wanted(_CLOCK),
            slot_stream=_ints([stream for stream, _, _ in self._slots]),
            slot_row=_ints([row for _, row, _ in self._slots]),
            slot_mode=_ints([mode for _, _, mode in self._slots]),
            link_stream=_ints([stream for stream, _ in self._links]),
            link_row=_ints([row for _, row in self._links]),
            pair_start=_starts([sum(pair[0] == at for pair in self._pairs) for at in range(len(self.streams))]),
            pair_window=_ints([self._pairs[at][1] for at in pairs]),
            pair_lines=_ints([self._pairs[at][2] for at in pairs]),
            base_start=_starts([sum(column.stream == at for column in columns) for at in range(len(self.streams))]),
            aggregation=_ints([_CODES[self.bases[at].aggregation] for at in bases]),
            base_pair=_ints([pair_at[column.pair] for column in columns]),
            base_slot=_ints([column.slot for column in columns]),
            base_extra=_ints([column.extra for column in columns]),
            base_column=_ints(bases),
            base_default=_ints([k.NULL if self.bases[at].aggregation in _NULL_BY_DEFAULT else 0 for at in bases]),
            base_carry=_ints([column.carry for column in columns]),
            attribute_column=_ints([at for at, base in enumerate(self.bases) if _is_attribute(base)]),
            limits=_ints([self._max_events, TAIL_DAYS * DAY_US]),
            zone_start=zone.start_us,
            zone_offset=zone.offset_us,
            zone_least=zone.least_day,
        )

    def _column(self, base: Base) -> _Column:
        what = base.aggregation
        stream = self.stream(base.event_type, base.where)
        window = k.TAIL if what in OF_THE_TAIL else k.LIFETIME
        extra = 0
        if what is Aggregation.RUNNING_OUT:
            extra = int(base.window_days or 0) * DAY_US
        elif base.window_days is not None:
            window = base.window_days * DAY_US
        slot = -1
        if what in {Aggregation.DISTINCT, Aggregation.TOP}:
            slot = _position(self._links, (stream, self._reading("text", str(base.field))))
        elif what is Aggregation.RUNNING_OUT:
            slot = self._reading("number", str(base.field))
        elif base.field is not None:
            slot = self.slot(stream, base.field, mode=_SLOT_MODES[what])
        if what is Aggregation.LAST_NUMBER:
            extra = self._reading("number", str(base.field))
        elif what is Aggregation.FIRST_ORDER_IS:
            extra = self._filter_code(str(base.field), str(base.value))
        if base.where is not None:
            self._filter_code(base.where.field, base.where.value)
        pair = _position(self._pairs, (stream, window, base.last_lines or 0))
        return _Column(stream, pair, slot, extra, self._carry(base, slot) if window == k.LIFETIME else -1)

    def _carry(self, base: Base, slot: int) -> int:
        if base.aggregation is Aggregation.LAST_NUMBER:
            return CARRY_LAST_NUMBERS + list(SCALES).index(str(base.field))
        if slot >= 0:
            return self._slot_carry(*self._slots[slot][1:])
        return _PLAIN_CARRY[base.aggregation]

    def _slot_carry(self, row: int, mode: int) -> int:
        column = self.readings[row].column
        known: Sequence[str] = FILTERS if mode == k.SLOT_FIRST_TEXT else list(SCALES)
        return _SLOT_CARRY[mode] + known.index(column) if column in known else -1

    def _reading(self, how: str, column: str) -> int:
        return _position(self.readings, Reading(how, column))

    def _filter_code(self, column: str, value: str) -> int:
        self._reading("filter", column)
        return _position(self.filters.setdefault(column, []), value) + 1

    def _wanted(self, aggregations: frozenset[Aggregation]) -> Ints:
        wanting = {Stream(base.event_type, base.where) for base in self.bases if base.aggregation in aggregations}
        return _ints([stream in wanting for stream in self.streams])


def _is_attribute(base: Base) -> bool:
    return base.aggregation is Aggregation.ATTRIBUTE


def _position(known: list[T], wanted: T) -> int:
    if wanted not in known:
        known.append(wanted)
    return known.index(wanted)


def _starts(sizes: Sequence[int]) -> Ints:
    return _ints([0, *np.cumsum(np.array(sizes, dtype=np.int64)).tolist()])


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)

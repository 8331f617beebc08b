"""What the kernel is told to do, as small arrays: the compiled form of a list of base aggregates.

Events come in *classes* (class 0: a type nobody asked for; class i + 1: the plan's i-th type). A *stream* is a sequence
of events that are counted together; an event belongs to every stream its class is a member of. A *slot* is a running
sum over a stream, a *pair* a stream seen through a window.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ACTIVE_DAYS",
    "CARRY_COLUMNS",
    "CARRY_FIRST",
    "CARRY_LAST",
    "CARRY_LAST_LINE",
    "CARRY_LINES",
    "CARRY_NUMBERS",
    "CARRY_ORDERS",
    "COUNT",
    "FIRST",
    "GAP_COUNT",
    "GAP_MAX",
    "GAP_SQUARES",
    "GAP_SUM",
    "KERNEL_VERSION",
    "LAST",
    "LIFETIME",
    "LINES",
    "NULL",
    "ORDER_BEGAN_BEFORE",
    "ORDER_OF_ITS_OWN",
    "TAIL",
    "TALLY",
    "Events",
    "Ints",
    "OutcomeProgram",
    "Program",
]

KERNEL_VERSION: Final = 1
"""Raised whenever the kernel would compute another value for the same plan; part of every fingerprint."""

Ints = NDArray[np.int64]

NULL: Final = -(2**63)
ORDER_OF_ITS_OWN: Final = -1
ORDER_BEGAN_BEFORE: Final = -2
LIFETIME: Final = -1
TAIL: Final = 0

COUNT: Final = 0
LINES: Final = 1
TALLY: Final = 2  # SUM and PRESENT: their slots differ
ACTIVE_DAYS: Final = 3
FIRST: Final = 4
LAST: Final = 5
GAP_COUNT: Final = 6
GAP_SUM: Final = 7
GAP_SQUARES: Final = 8
GAP_MAX: Final = 9

CARRY_LINES: Final = 0
CARRY_ORDERS: Final = 1
CARRY_FIRST: Final = 2
CARRY_LAST: Final = 3
CARRY_LAST_LINE: Final = 4
CARRY_NUMBERS: Final = 5  # then, for each key of SCALES: sum, rows that have it
CARRY_COLUMNS: Final = CARRY_NUMBERS + 2 * 6


class Events(NamedTuple):
    """Events of one or many customers, each customer's sorted by time; all arrays contiguous and writable.

    ``order`` is any non-negative code that is equal for equal order ids, or one of the two constants for a row without
    an order id and for a row whose order began in the carry. A missing number is :data:`NULL`.
    """

    time: Ints  # µs
    received: Ints  # µs
    kind: NDArray[np.int16]  # class
    order: Ints
    numbers: Ints  # [number, event]


class Program(NamedTuple):
    """Base aggregates, compiled; every array int64."""

    member_start: Ints  # [class + 1] into member_stream
    member_stream: Ints
    by_row: Ints  # [stream] 1: each row is an order of its own
    wants_days: Ints  # [stream] 1: somebody asks for active days
    wants_gaps: Ints  # [stream] 1: somebody asks for gaps
    slot_stream: Ints  # [slot]
    slot_number: Ints  # [slot] row of Events.numbers
    slot_counts: Ints  # [slot] 1: count the rows that have the number, 0: sum it
    slot_carry: Ints  # [slot] column of the carry
    pair_stream: Ints  # [pair]
    pair_window: Ints  # [pair] µs, LIFETIME or TAIL
    aggregation: Ints  # [base]
    base_pair: Ints  # [base]
    base_slot: Ints  # [base] or -1
    limits: Ints  # max_events, tail µs
    zone_start: Ints
    zone_offset: Ints
    zone_least: Ints


class OutcomeProgram(NamedTuple):
    """What is looked for after the cutoff; every array int64, one row a term of a sum."""

    start: Ints  # [term] µs after the cutoff
    end: Ints  # [term]
    column: Ints  # [term] which outcome it adds to
    stream: Ints  # [term]
    slot: Ints  # [term] or -1: count orders
    sign: Ints  # [term]
    by_line: Ints  # [term] 1: a line counts at its own time, not at its order's

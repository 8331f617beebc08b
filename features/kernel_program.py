"""What the kernel is told to do, as small arrays: the compiled form of a list of base aggregates.

Events come in *classes* (class 0: a type nobody asked for; class i + 1: the plan's i-th type). A *stream* is a sequence
of events that are counted together: those of a type, perhaps only rows with a certain text. An event belongs to every
stream its class is a member of and whose filter it passes. A *slot* is a running sum over a stream, a *link* says where
a stream had the same text before, a *pair* is a stream seen through a window.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ACTIVE_DAYS",
    "COUNT",
    "DISTINCT",
    "FIRST",
    "FIRST_ORDER_IS",
    "FIRST_ORDER_SUM",
    "GAP_COUNT",
    "GAP_MAX",
    "GAP_SQUARES",
    "GAP_SUM",
    "HOUR_SQUARES",
    "KERNEL_VERSION",
    "LAST",
    "LAST_NUMBER",
    "LIFETIME",
    "LINES",
    "MIXED",
    "NULL",
    "ORDER_BEGAN_BEFORE",
    "ORDER_BEGAN_FIRST",
    "ORDER_OF_ITS_OWN",
    "RUNNING_OUT",
    "SLOT_FIRST_SUM",
    "SLOT_FIRST_TEXT",
    "SLOT_PRESENT",
    "SLOT_SUM",
    "STREAK",
    "TAIL",
    "TALLY",
    "TOP",
    "WEEKDAY_SQUARES",
    "WEEKEND",
    "Attributes",
    "Edges",
    "Events",
    "Ints",
    "OutcomeProgram",
    "Program",
]

KERNEL_VERSION: Final = 2
"""Raised whenever the kernel would compute another value for the same plan; part of every fingerprint."""

Ints = NDArray[np.int64]

NULL: Final = -(2**63)
MIXED: Final = -1
"""Code of a text that is not the same in all lines."""
ORDER_OF_ITS_OWN: Final = -1
ORDER_BEGAN_BEFORE: Final = -2
ORDER_BEGAN_FIRST: Final = -3
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
STREAK: Final = 10
WEEKDAY_SQUARES: Final = 11
HOUR_SQUARES: Final = 12
WEEKEND: Final = 13
LAST_NUMBER: Final = 14
DISTINCT: Final = 15
TOP: Final = 16
RUNNING_OUT: Final = 17
FIRST_ORDER_SUM: Final = 18
FIRST_ORDER_IS: Final = 19

SLOT_SUM: Final = 0
SLOT_PRESENT: Final = 1
SLOT_FIRST_SUM: Final = 2
SLOT_FIRST_TEXT: Final = 3


class Events(NamedTuple):
    """Events of one or many customers, each customer's sorted by time; all arrays contiguous and writable.

    ``order`` is any non-negative code that is equal for equal order ids, or one of the constants for a row without an
    order id and for a row whose order began in the carry (there as the first of its type, or later). ``numbers`` has a
    row a reading of the plan: a scaled number, a text's code, or which of a filter's values it is (1, 2 …, 0: another
    one). What is missing is :data:`NULL`.
    """

    time: Ints  # µs
    received: Ints  # µs
    kind: NDArray[np.int16]  # class
    order: Ints
    numbers: Ints  # [reading, event]


class Attributes(NamedTuple):
    """Attributes of customers; customer i has the rows ``start[i]:start[i + 1]``, ascending by ``valid_from``."""

    start: Ints  # [customer + 1]
    valid_from: Ints  # [row] µs
    values: Ints  # [attribute, row]


class Program(NamedTuple):
    """Base aggregates, compiled; every array int64. Pairs and bases are sorted by stream, attributes come last."""

    member_start: Ints  # [class + 1] into member_stream
    member_stream: Ints
    filter_row: Ints  # [stream] reading that is looked at, -1: every event passes
    filter_code: Ints  # [stream] what it must be
    by_row: Ints  # [stream] 1: each row is an order of its own
    wants_days: Ints  # [stream] 1: somebody asks for active days or streaks
    wants_gaps: Ints  # [stream] 1: somebody asks for gaps
    wants_clock: Ints  # [stream] 1: somebody asks for weekdays or hours
    slot_stream: Ints  # [slot]
    slot_row: Ints  # [slot] reading
    slot_mode: Ints  # [slot] SLOT_…
    link_stream: Ints  # [link]
    link_row: Ints  # [link] reading
    pair_start: Ints  # [stream + 1] into the pairs
    pair_window: Ints  # [pair] µs, LIFETIME or TAIL
    pair_lines: Ints  # [pair] only so many newest lines, 0: all
    base_start: Ints  # [stream + 1] into the bases
    aggregation: Ints  # [base]
    base_pair: Ints  # [base]
    base_slot: Ints  # [base] slot or link, -1: none
    base_extra: Ints  # [base] reading, text code or µs ahead
    base_column: Ints  # [base] where it goes
    base_default: Ints  # [base] its value without events
    base_carry: Ints  # [base] column of the carry, -1: none
    attribute_column: Ints  # [attribute] where it goes
    limits: Ints  # max_events, tail µs
    zone_start: Ints
    zone_offset: Ints
    zone_least: Ints


class Edges(NamedTuple):
    """Moments at which windows begin or end, each once a stream; every array int64.

    Each stream's ascend, and the first of them is :data:`NULL`, before everything.
    """

    start: Ints  # [stream + 1] into time
    time: Ints  # [edge] µs
    begin: Ints  # [pair, cutoff] edge at which the window begins
    end: Ints  # [stream, cutoff] edge that is the cutoff


class OutcomeProgram(NamedTuple):
    """What is looked for after the cutoff; every array int64, one row a term of a sum."""

    start: Ints  # [term] µs after the cutoff
    end: Ints  # [term]
    column: Ints  # [term] which outcome it adds to
    stream: Ints  # [term]
    slot: Ints  # [term] or -1: count orders
    sign: Ints  # [term]
    by_line: Ints  # [term] 1: a line counts at its own time, not at its order's

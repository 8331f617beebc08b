"""Columns of the carry, the lifetime accumulators of what was compacted away: one row an event type."""

from __future__ import annotations

from typing import Final

from features.events import FILTERS, SCALES

__all__ = [
    "CARRY_COLUMNS",
    "CARRY_FIRST",
    "CARRY_FIRST_SUMS",
    "CARRY_FIRST_TEXTS",
    "CARRY_LAST",
    "CARRY_LAST_LINE",
    "CARRY_LAST_NUMBERS",
    "CARRY_LINES",
    "CARRY_ORDERS",
    "CARRY_PRESENT",
    "CARRY_SUMS",
]

CARRY_LINES: Final = 0
CARRY_ORDERS: Final = 1
CARRY_FIRST: Final = 2
CARRY_LAST: Final = 3
CARRY_LAST_LINE: Final = 4
CARRY_SUMS: Final = 5  # of each key of SCALES
CARRY_PRESENT: Final = CARRY_SUMS + len(SCALES)  # rows that have it
CARRY_FIRST_SUMS: Final = CARRY_PRESENT + len(SCALES)  # over the lines of the first order
CARRY_LAST_NUMBERS: Final = CARRY_FIRST_SUMS + len(SCALES)  # of the newest row that has it
CARRY_FIRST_TEXTS: Final = CARRY_LAST_NUMBERS + len(SCALES)  # each of FILTERS: code over the lines of the first order
CARRY_COLUMNS: Final = CARRY_FIRST_TEXTS + len(FILTERS)

"""Arithmetic over base aggregates: one compiled function for one row and for many.

Only + - * / and the square root, all correctly rounded, in float64 (the posterior also takes powers); then one cast to
float32.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled
from features.kernel_posterior import expected_orders, p_alive
from features.kernel_program import NULL, Ints
from features.kernel_time import day_of_year, local_day_at

__all__ = [
    "AGE",
    "AGE_PER_GAP",
    "AGE_UNANSWERED",
    "DAY_OF_YEAR",
    "DIFFERENCE",
    "EXPECTED_ORDERS",
    "GAP_SD",
    "GAP_VARIATION",
    "P_ALIVE",
    "QUOTIENT",
    "SHARE",
    "SPAN",
    "SPREAD",
    "VALUE",
    "ReadoutProgram",
    "fill_values",
]

VALUE: Final = 0
AGE: Final = 1
SPAN: Final = 2
QUOTIENT: Final = 3
SHARE: Final = 4
GAP_SD: Final = 5
GAP_VARIATION: Final = 6
AGE_PER_GAP: Final = 7
AGE_UNANSWERED: Final = 8
DIFFERENCE: Final = 9  # of two or three, by their weights
SPREAD: Final = 10
DAY_OF_YEAR: Final = 11
P_ALIVE: Final = 12
EXPECTED_ORDERS: Final = 13

_DAY_US = 86_400_000_000.0
_MINUTE_US = 60_000_000.0
_DAY_MINUTES = 1_440.0


class ReadoutProgram(NamedTuple):
    """Features, compiled: operation, up to three base columns, and the numbers they are computed with."""

    operation: Ints  # [feature]
    column: Ints  # [feature, 3], repeated where fewer are needed, 0 where none is
    weight: Ints  # [feature, 3] of the integers of a difference
    unit: NDArray[np.float64]  # [feature, 2] what the first two are divided by
    parameters: NDArray[np.float64]  # [feature, 5]
    zone_start: Ints
    zone_offset: Ints
    zone_least: Ints


@compiled
def fill_values(  # noqa: C901 (one branch a readout)
    program: ReadoutProgram, base: Ints, cutoff: int, values: NDArray[np.float32]
) -> None:
    """Fill ``values`` [feature] from ``base`` [base aggregate]; NaN is null."""
    operations, columns, units = program.operation, program.column, program.unit
    for feature in range(operations.size):
        operation = operations[feature]
        if operation == DAY_OF_YEAR:
            ahead = cutoff + int(program.parameters[feature, 0]) * 86_400_000_000
            day = local_day_at(program.zone_start, program.zone_offset, program.zone_least, ahead)
            values[feature] = np.float32(day_of_year(day))
            continue
        first = base[columns[feature, 0]]
        second = base[columns[feature, 1]]
        third = base[columns[feature, 2]]
        value = math.nan
        if operation == AGE_UNANSWERED:
            if first != NULL and (second == NULL or second < first):
                value = float(cutoff - first) / _DAY_US
        elif first == NULL or second == NULL or third == NULL:
            value = math.nan
        elif operation == VALUE:
            value = float(first) / units[feature, 0]
        elif operation == AGE:
            value = float(cutoff - first) / _DAY_US
        elif operation == SPAN:
            value = float(second - first) / _DAY_US
        elif operation == QUOTIENT:
            if second != 0:
                value = (float(first) / units[feature, 0]) / (float(second) / units[feature, 1])
        elif operation == SHARE:
            if first + second != 0:
                value = float(first) / float(first + second)
        elif operation == DIFFERENCE:
            weight = program.weight[feature]
            value = float(first * weight[0] + second * weight[1] + third * weight[2]) / units[feature, 0]
        elif operation == SPREAD:
            if second != 0:
                value = float(first) * float(first) / float(second)
        elif operation == GAP_SD:
            value = _gap_sd(first, second, third)
        elif operation == GAP_VARIATION:
            if second > 0:
                value = _gap_sd(first, second, third) / (float(second) / float(third)) * _DAY_MINUTES
        elif operation == AGE_PER_GAP:
            if second > 0:
                value = (float(cutoff - first) / _MINUTE_US) / (float(second) / float(third))
        elif first > 0:
            repeats, recency, age = float(first - 1), float(third - second) / _DAY_US, float(cutoff - second) / _DAY_US
            r, alpha, a, b, horizon = program.parameters[feature]
            value = p_alive(r, alpha, a, b, repeats, recency, age)
            if operation == EXPECTED_ORDERS:
                value *= expected_orders(r, alpha, a, b, repeats, age, horizon)
        values[feature] = np.float32(value)


@compiled
def _gap_sd(squares: int, total: int, count: int) -> float:
    if count < 2:
        return math.nan
    spread = float(squares) - float(total) * float(total) / float(count)
    return math.sqrt(max(spread, 0.0) / float(count - 1)) / _DAY_MINUTES

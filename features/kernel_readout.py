"""Arithmetic over base aggregates: one compiled function for one row and for many.

Only + - * / and the square root, all correctly rounded, in float64 (the posterior also takes powers); then one cast to
float32.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.compiled import in_place
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
    weight: Ints  # [feature, 2] how often the second and the third are taken away from the first, in a difference
    unit: NDArray[np.float64]  # [feature, 2] what the first two are divided by
    parameters: NDArray[np.float64]  # [feature, 5]
    zone_start: Ints
    zone_offset: Ints
    zone_least: Ints


@in_place
def fill_values(  # noqa: C901 (one branch a readout that is common)
    program: ReadoutProgram, base: Ints, cutoffs: Ints, row_of: Ints, values: NDArray[np.float32]
) -> None:
    """Fill rows of ``values`` [row, feature] from ``base`` [base aggregate, cutoff]; NaN is null.

    ``row_of`` [cutoff] says which row, -1: none.
    """
    operations, columns, units = program.operation, program.column, program.unit
    for feature in range(operations.size):
        operation = operations[feature]
        if operation == DAY_OF_YEAR:
            _fill_day_of_year(program, feature, cutoffs, row_of, values)
            continue
        first, second, third = columns[feature, 0], columns[feature, 1], columns[feature, 2]
        unit, other_unit = units[feature, 0], units[feature, 1]
        for at in range(cutoffs.size):
            row = row_of[at]
            if row < 0:
                continue
            x, y, z = base[first, at], base[second, at], base[third, at]
            value = math.nan
            if operation == VALUE:
                value = float(x) / unit if x != NULL else math.nan
            elif operation == AGE:
                value = float(cutoffs[at] - x) / _DAY_US if x != NULL else math.nan
            elif operation == QUOTIENT:
                if x != NULL and y != NULL and y != 0:
                    value = (float(x) / unit) / (float(y) / other_unit)
            elif operation == AGE_UNANSWERED:
                if x != NULL and (y == NULL or y < x):
                    value = float(cutoffs[at] - x) / _DAY_US
            elif x != NULL and y != NULL and z != NULL:
                if operation in (P_ALIVE, EXPECTED_ORDERS):
                    value = _posterior(operation, x, y, z, cutoffs[at], program.parameters[feature])
                else:
                    if operation == DIFFERENCE:
                        x -= y * program.weight[feature, 0] + z * program.weight[feature, 1]
                    value = _compute(operation, x, y, z, cutoffs[at], unit)
            values[row, feature] = np.float32(value)


@in_place
def _fill_day_of_year(
    program: ReadoutProgram, feature: int, cutoffs: Ints, row_of: Ints, values: NDArray[np.float32]
) -> None:
    ahead = int(program.parameters[feature, 0]) * 86_400_000_000
    for at in range(cutoffs.size):
        if row_of[at] >= 0:
            day = local_day_at(program.zone_start, program.zone_offset, program.zone_least, cutoffs[at] + ahead)
            values[row_of[at], feature] = np.float32(day_of_year(day))


@in_place
def _compute(operation: int, x: int, y: int, z: int, cutoff: int, unit: float) -> float:
    if operation == SPAN:
        return float(y - x) / _DAY_US
    if operation == SHARE:
        return float(x) / float(x + y) if x + y != 0 else math.nan
    if operation == DIFFERENCE:
        return float(x) / unit
    if operation == SPREAD:
        return float(x) * float(x) / float(y) if y != 0 else math.nan
    if operation == GAP_SD:
        return _gap_sd(x, y, z)
    if operation == GAP_VARIATION:
        return _gap_sd(x, y, z) / (float(y) / float(z)) * _DAY_MINUTES if y > 0 else math.nan
    return (float(cutoff - x) / _MINUTE_US) / (float(y) / float(z)) if y > 0 else math.nan


@in_place
def _posterior(operation: int, count: int, first: int, last: int, cutoff: int, fit: NDArray[np.float64]) -> float:
    if count == 0:
        return math.nan
    repeats, recency, age = float(count - 1), float(last - first) / _DAY_US, float(cutoff - first) / _DAY_US
    alive = p_alive(fit[0], fit[1], fit[2], fit[3], repeats, recency, age)
    if operation == P_ALIVE:
        return alive
    return alive * expected_orders(fit[0], fit[1], fit[2], fit[3], repeats, age, fit[4])


@in_place
def _gap_sd(squares: int, total: int, count: int) -> float:
    if count < 2:
        return math.nan
    spread = float(squares) - float(total) * float(total) / float(count)
    return math.sqrt(max(spread, 0.0) / float(count - 1)) / _DAY_MINUTES

"""Arithmetic over base aggregates: one compiled function for one row and for many.

Only + - * / and the square root, all correctly rounded, in float64; then one cast to float32.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled
from features.kernel_program import NULL, Ints

__all__ = [
    "AGE",
    "AGE_PER_GAP",
    "GAP_SD",
    "GAP_VARIATION",
    "QUOTIENT",
    "SHARE",
    "SPAN",
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

_DAY_US = 86_400_000_000.0
_MINUTE_US = 60_000_000.0
_DAY_MINUTES = 1_440.0


class ReadoutProgram(NamedTuple):
    """Features, compiled: operation, up to three base columns, and what the first two are divided by."""

    operation: Ints  # [feature]
    column: Ints  # [feature, 3], repeated where fewer are needed
    unit: NDArray[np.float64]  # [feature, 2]


@compiled
def fill_values(program: ReadoutProgram, base: Ints, cutoffs: Ints, values: NDArray[np.float32]) -> None:
    """Fill ``values`` [row, feature] from ``base`` [row, base aggregate]; NaN is null."""
    for row in range(base.shape[0]):
        for feature in range(program.operation.size):
            first = base[row, program.column[feature, 0]]
            second = base[row, program.column[feature, 1]]
            third = base[row, program.column[feature, 2]]
            value = math.nan
            if NULL not in (first, second, third):
                value = _compute(
                    program.operation[feature],
                    first,
                    second,
                    third,
                    cutoffs[row],
                    program.unit[feature, 0],
                    program.unit[feature, 1],
                )
            values[row, feature] = np.float32(value)


@compiled
def _compute(operation: int, first: int, second: int, third: int, cutoff: int, unit: float, other_unit: float) -> float:
    if operation == VALUE:
        return float(first) / unit
    if operation == AGE:
        return float(cutoff - first) / _DAY_US
    if operation == SPAN:
        return float(second - first) / _DAY_US
    if operation == QUOTIENT:
        return (float(first) / unit) / (float(second) / other_unit) if second != 0 else math.nan
    if operation == SHARE:
        return float(first) / float(first + second) if first + second != 0 else math.nan
    if operation == GAP_SD:
        return _gap_sd(first, second, third)
    if operation == GAP_VARIATION:
        return _gap_sd(first, second, third) / (float(second) / float(third)) * _DAY_MINUTES if second > 0 else math.nan
    return (float(cutoff - first) / _MINUTE_US) / (float(second) / float(third)) if second > 0 else math.nan


@compiled
def _gap_sd(squares: int, total: int, count: int) -> float:
    if count < 2:
        return math.nan
    spread = float(squares) - float(total) * float(total) / float(count)
    return math.sqrt(max(spread, 0.0) / float(count - 1)) / _DAY_MINUTES

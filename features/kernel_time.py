"""Local days and hours in the kernel, and searches in sorted times; arrays only, for use in hot loops."""

from __future__ import annotations

from features.compiled import inlined
from features.kernel_program import Ints

__all__ = ["day_at", "day_of_year", "hour_of_week", "local_day_at", "lower_bound", "offset_row", "onwards"]

_DAY_US = 86_400_000_000
_HOUR_US = 3_600_000_000
_STEPS = 16
_THURSDAY = 3
"""1970-01-01, counted from Monday."""


@inlined
def lower_bound(values: Ints, low: int, high: int, value: int) -> int:
    """First position in ``[low, high)`` whose value is not less; ``high`` if there is none."""
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def onwards(values: Ints, low: int, high: int, value: int) -> int:
    """As :func:`lower_bound`, a few steps on foot first: cheaper where the answer is near ``low``, as it mostly is."""
    steps = 0
    while steps < _STEPS and low < high and values[low] < value:
        low += 1
        steps += 1
    return lower_bound(values, low, high, value) if steps == _STEPS else low


@inlined
def offset_row(starts: Ints, time: int) -> int:
    """Row of a time zone's offset table that holds at a moment."""
    low, high = 0, starts.size
    while low < high:
        middle = (low + high) >> 1
        if starts[middle] <= time:
            low = middle + 1
        else:
            high = middle
    return low - 1


@inlined
def day_at(offsets: Ints, least: Ints, row: int, time: int) -> int:
    """Local day number of a moment, 0 is 1970-01-01."""
    day: int = max((time + offsets[row]) // _DAY_US, least[row])
    return day


@inlined
def local_day_at(starts: Ints, offsets: Ints, least: Ints, time: int) -> int:
    """Local day number of a moment whose row is not known."""
    row = offset_row(starts, time)
    day: int = max((time + offsets[row]) // _DAY_US, least[row])
    return day


@inlined
def hour_of_week(offsets: Ints, least: Ints, row: int, time: int) -> int:
    """Local hour since Monday's midnight, 0 to 167: 24 times the weekday + hour of the day."""
    day = max((time + offsets[row]) // _DAY_US, least[row])
    hour: int = (day + _THURSDAY) % 7 * 24 + (time + offsets[row]) % _DAY_US // _HOUR_US
    return hour


@inlined
def day_of_year(day: int) -> int:
    """Day of the year, 1 to 366, of a day number.

    The civil calendar by Howard Hinnant's `days_from_civil`, with years that begin in March.
    """
    shifted = day + 719_468
    of_era = shifted % 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)  # from 1 March
    if of_year >= 306:  # January and February belong to the year that follows
        return of_year - 305
    is_leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    return of_year + 60 + is_leap

"""Local days without a calendar library: a table of a time zone's UTC offsets, the same for every engine.

A local day is numbered from 1970-01-01 and never goes back: where a clock is set back across midnight, the repeated
minutes belong to the later day. Thus the number of distinct days between two moments is a difference of day numbers'
ranks, whatever the zone did.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.clock import DAY_US, from_us, to_us, zone

__all__ = ["OffsetTable", "local_day", "offset_table"]

_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2100
_STEP_US: Final = 7 * DAY_US  # no zone ever changed its offset and changed it back within a week


class OffsetTable(NamedTuple):
    """UTC offsets of one time zone, one row a change; each array int64[k].

    ``start_us`` is the first moment of a row, ``offset_us`` what to add to UTC from then on, and ``least_day`` the last
    local day that had begun before.
    """

    start_us: NDArray[np.int64]
    offset_us: NDArray[np.int64]
    least_day: NDArray[np.int64]


@lru_cache(maxsize=32)
def offset_table(timezone: str) -> OffsetTable:
    """Table of a zone's offsets for the years 1900 to 2100; earlier and later times use the nearest row.

    Parameters
    ----------
    timezone : str
        IANA name.

    Raises
    ------
    CutoffError
        If there is no such zone.

    Examples
    --------
    >>> len(offset_table("UTC").start_us)
    1
    >>> local_day(offset_table("America/New_York"), to_us(datetime.fromisoformat("1970-01-02T04:59:59+00:00")))
    0
    """
    local = zone(timezone)
    begin = to_us(datetime.fromisoformat(f"{_FIRST_YEAR}-01-01T00:00:00+00:00"))
    end = to_us(datetime.fromisoformat(f"{_LAST_YEAR}-01-01T00:00:00+00:00"))
    start, offset, least = [np.iinfo(np.int64).min], [_offset(local, begin)], [np.iinfo(np.int64).min]
    for at in range(begin, end, _STEP_US):
        after = min(at + _STEP_US, end)
        if _offset(local, after) != offset[-1]:
            change = _first_change(local, at, after)
            start.append(change)
            least.append(max(least[-1], (change - 1 + offset[-1]) // DAY_US))
            offset.append(_offset(local, after))
    columns = [np.array(column, dtype=np.int64) for column in (start, offset, least)]
    return OffsetTable(*columns)


def local_day(table: OffsetTable, at_us: int) -> int:
    """Local day number of a moment (epoch µs); 0 is 1970-01-01.

    Examples
    --------
    >>> local_day(offset_table("Asia/Shanghai"), to_us(datetime.fromisoformat("1970-01-01T16:00:00+00:00")))
    1
    """
    row = int(np.searchsorted(table.start_us, at_us, side="right")) - 1
    return max((at_us + int(table.offset_us[row])) // DAY_US, int(table.least_day[row]))


def _offset(local: tzinfo, at_us: int) -> int:
    offset = from_us(at_us).astimezone(local).utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)


def _first_change(local: tzinfo, low: int, high: int) -> int:
    before = _offset(local, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(local, middle) == before else (low, middle)
    return high

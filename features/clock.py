"""Cutoffs and windows: where time enters, in epoch microseconds.

Nothing in here asks what time it is; the caller passes it in. A window is half-open, ``[cutoff - w, cutoff)``, and a
day in a window is exactly 86,400 seconds, whatever the local calendar did.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.errors import CutoffError

__all__ = [
    "DAY_US",
    "HOUR_US",
    "format_cutoff",
    "from_us",
    "last_local_midnight",
    "parse_cutoff",
    "to_us",
    "zone",
]

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Epoch microseconds of an aware datetime, exactly.

    Examples
    --------
    >>> to_us(datetime(1970, 1, 2, tzinfo=UTC)) == DAY_US
    True
    """
    if moment.tzinfo is None:
        raise CutoffError(f"{moment.isoformat()} has no time zone", expected="an aware datetime")
    return (moment - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Aware UTC datetime of epoch microseconds.

    Examples
    --------
    >>> from_us(DAY_US).isoformat()
    '1970-01-02T00:00:00+00:00'
    """
    return _EPOCH + timedelta(microseconds=int(microseconds))


def zone(name: str) -> ZoneInfo:
    """Time zone by its IANA name.

    Raises
    ------
    CutoffError
        If there is no such zone.

    Examples
    --------
    >>> zone("Asia/Shanghai").key
    'Asia/Shanghai'
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CutoffError(f"there is no time zone {name!r}", expected="an IANA name such as 'Europe/Berlin'") from error


def parse_cutoff(text: str, timezone: str) -> datetime:
    """Read a cutoff: a local day (its midnight) or an ISO 8601 time.

    Parameters
    ----------
    text : str
        ``YYYY-MM-DD``, or a date and time; without an offset it is local.
    timezone : str
        IANA name of the project's time zone.

    Returns
    -------
    datetime
        Aware, in UTC.

    Raises
    ------
    CutoffError
        If the text is neither.

    Examples
    --------
    >>> parse_cutoff("2017-12-04", "America/New_York").isoformat()
    '2017-12-04T05:00:00+00:00'
    >>> parse_cutoff("2017-12-04T05:00:00Z", "America/New_York").isoformat()
    '2017-12-04T05:00:00+00:00'
    """
    local = zone(timezone)
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=local)).astimezone(UTC)
        moment.astimezone(local)  # the ends of the calendar have no time in some zones
    except (ValueError, OverflowError) as error:
        raise CutoffError(
            f"the cutoff {text!r} cannot be read",
            expected="YYYY-MM-DD or an ISO 8601 time such as 2017-12-04T05:00:00Z",
        ) from error
    return moment


def last_local_midnight(now: datetime, timezone: str) -> datetime:
    """Last midnight of the project's time zone at or before ``now``, in UTC.

    Examples
    --------
    >>> last_local_midnight(datetime(2017, 7, 1, 3, tzinfo=UTC), "America/New_York").isoformat()
    '2017-06-30T04:00:00+00:00'
    """
    local = zone(timezone)
    today: date = now.astimezone(local).date()
    return datetime(today.year, today.month, today.day, tzinfo=local).astimezone(UTC)


def format_cutoff(moment: datetime, timezone: str) -> str:
    """Shortest text that :func:`parse_cutoff` reads back as the same moment.

    Examples
    --------
    >>> format_cutoff(datetime(2017, 12, 4, 5, tzinfo=UTC), "America/New_York")
    '2017-12-04'
    >>> format_cutoff(datetime(2017, 12, 4, 6, tzinfo=UTC), "America/New_York")
    '2017-12-04T06:00:00Z'
    """
    local = moment.astimezone(zone(timezone))
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return local.date().isoformat()
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

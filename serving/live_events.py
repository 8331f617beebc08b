"""Events as callers send them, made into rows of the event log and of a customer's state."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import msgspec

from features.clock import to_us
from features.events import SCALES, TEXTS
from features.state import EventRow
from serving.faults import Problem
from serving.schema import Event

__all__ = ["CLOCK_SKEW", "MomentError", "columns_of", "derived_ids", "problem_of", "read_moment", "row_of"]

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far ahead of our clock an event, or a cutoff, may be."""
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS: Final = tuple(name for name in Event.__struct_fields__ if name not in {"event_time", "event_id"})
_STATE_COLUMNS: Final = ("event_id", "event_type", "order_id", *SCALES, *TEXTS)
_MOMENT: Final = "an ISO 8601 date and time such as 2017-12-04T09:31:07-05:00"


class MomentError(ValueError):
    """A text is not a moment; ``expected`` says what would be."""

    def __init__(self, found: str, expected: str) -> None:
        self.found, self.expected = found, expected
        super().__init__(f"{found}; expected {expected}")


def read_moment(text: str, zone: tzinfo, *, latest: datetime | None = None, dates: bool = False) -> datetime:
    """Read a moment; without an offset it is local.

    Parameters
    ----------
    text : str
        ISO 8601.
    zone : tzinfo
        The project's time zone.
    latest : datetime, optional
        Nothing later is a moment.
    dates : bool
        Whether a date alone is one (its local midnight).

    Raises
    ------
    MomentError
        If it is not one, or is before 1970.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> read_moment("2017-12-04T00:00:00", ZoneInfo("America/New_York")).isoformat()
    '2017-12-04T05:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(text)
        local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MomentError(f'the text "{text}"', _MOMENT) from error
    if not dates and len(text) <= len("2017-12-04"):
        raise MomentError(f'the date "{text}" without a time', _MOMENT)
    if moment < _EARLIEST:
        raise MomentError(f'the time "{text}"', "a time since 1970")
    if latest is not None and moment > latest:
        raise MomentError(f'the time "{text}", which has not come yet', f"at most {latest:%Y-%m-%dT%H:%M:%SZ}")
    return moment


def columns_of(
    event: Event, customer_id: str, zone: tzinfo, *, received_at: datetime, latest: datetime | None = None
) -> dict[str, object]:
    """Columns of the event log of one event; those that are null or empty are left out, as is a missing id.

    Raises
    ------
    MomentError
        If its time is not one, or later than ``latest``.
    """
    columns: dict[str, object] = {"customer_id": customer_id}
    columns["event_time"] = read_moment(event.event_time, zone, latest=latest)
    columns["received_at"] = received_at
    if event.event_id is not None:
        columns["event_id"] = event.event_id
    for name in _COLUMNS:
        value = getattr(event, name)
        if value is not None and value != "":
            columns[name] = float(value) if name in SCALES else value
    return columns


def derived_ids(rows: Sequence[dict[str, object]]) -> None:
    """Give an ``event_id`` to each row without one: a hash of its content and of how often that content came before.

    So the same request sent again is all duplicates, and two equal lines within one request are two events.

    Examples
    --------
    >>> from features.clock import from_us
    >>> line = {"customer_id": "a", "event_type": "view", "event_time": from_us(0), "received_at": from_us(1)}
    >>> first, again = [dict(line), dict(line)], [{**line, "received_at": from_us(9)} for _ in range(2)]
    >>> derived_ids(first); derived_ids(again)
    >>> first[0]["event_id"] != first[1]["event_id"], [a["event_id"] for a in first] == [b["event_id"] for b in again]
    (True, True)
    """
    seen: Counter[bytes] = Counter()
    for row in rows:
        if "event_id" not in row:
            content = sorted((name, _plain(value)) for name, value in row.items() if name != "received_at")
            digest = hashlib.blake2b(msgspec.json.encode(content), digest_size=16).digest()
            row["event_id"] = "live-" + hashlib.blake2b(digest + seen[digest].to_bytes(4), digest_size=16).hexdigest()
            seen[digest] += 1


def row_of(columns: Mapping[str, object]) -> EventRow:
    """Row of a customer's state of an event's log columns.

    Examples
    --------
    >>> from features.clock import from_us
    >>> moment = from_us(7)
    >>> columns = {"event_id": "e", "event_type": "cart", "event_time": moment, "received_at": moment, "value": 2.0}
    >>> row_of(columns).event_time_us, row_of(columns).value, row_of(columns).order_id
    (7, 2.0, None)
    """
    record = {name: columns[name] for name in _STATE_COLUMNS if name in columns}
    record["event_time_us"] = _plain(columns["event_time"])
    record["received_us"] = _plain(columns["received_at"])
    return msgspec.convert(record, EventRow)


def _plain(value: object) -> object:
    return to_us(value) if isinstance(value, datetime) else value


def problem_of(error: MomentError, path: str) -> Problem:
    """The fault that a text is not a moment."""
    return Problem(path, error.found, error.expected)

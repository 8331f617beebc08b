"""Local days from the table are those of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.clock import to_us
from features.errors import CutoffError
from features.local_time import local_day, offset_table

ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Shanghai", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"]


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 31)), st.sampled_from(ZONES))  # noqa: DTZ001 (hypothesis wants naive bounds)
def test_a_local_day_is_the_calendars(naive: datetime, zone: str) -> None:
    moment = naive.replace(tzinfo=UTC)
    number = (moment.astimezone(ZoneInfo(zone)).date() - date(1970, 1, 1)).days
    assert local_day(offset_table(zone), to_us(moment)) == number


@pytest.mark.parametrize("zone", ZONES)
def test_the_table_has_every_change_to_the_second(zone: str) -> None:
    table = offset_table(zone)
    local = ZoneInfo(zone)
    for start, offset in zip(table.start_us[1:].tolist(), table.offset_us[1:].tolist(), strict=True):
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=start)
        assert at.astimezone(local).utcoffset() == timedelta(microseconds=offset)
        assert (at - timedelta(microseconds=1)).astimezone(local).utcoffset() != timedelta(microseconds=offset)


def test_new_york_changes_twice_a_year() -> None:
    starts = set(offset_table("America/New_York").start_us.tolist())
    assert to_us(datetime(2017, 3, 12, 7, tzinfo=UTC)) in starts
    assert to_us(datetime(2017, 11, 5, 6, tzinfo=UTC)) in starts


def test_a_day_never_goes_back() -> None:
    # St. John's set its clock back at 00:01 local time on 2006-10-29, from 02:31Z: the day had already begun
    table = offset_table("America/St_Johns")
    days = [
        local_day(table, to_us(datetime(2006, 10, 29, 2, 29, tzinfo=UTC) + timedelta(minutes=at))) for at in range(90)
    ]
    assert days == sorted(days)
    assert days[-1] - days[0] == 1
    assert days.count(days[0]) == 1


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(CutoffError, match="there is no time zone 'Mars/Olympus'"):
        offset_table("Mars/Olympus")

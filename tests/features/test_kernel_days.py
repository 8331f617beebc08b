"""Aggregations of local days, weekdays and hours, by numbers worked out by hand; 2020-01-01 (day 0) was a Wednesday."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.features.oracle import Event, day
from tests.features.small_logs import base, value_of

STREAK, ACTIVE = base("streak"), base("active_days")
NEW_YORK = {"timezone": "America/New_York"}


def bought(*days: float, **more: object) -> list[Event]:
    return [Event(at=day(at), **more) for at in days]


@pytest.mark.parametrize(
    ("days", "cutoff", "length"),
    [
        ((1, 2, 3), 3.5, 3),  # up to the cutoff's own day
        ((1, 2, 3), 4.9, 3),  # up to yesterday
        ((1, 2, 3), 5, 0),  # a whole day without: broken off
        ((1, 2, 3), 3, 2),  # what is at the cutoff is not seen; at midnight yesterday counts
        ((0, 2, 3), 3.5, 2),
        ((3.1, 3.2, 3.9), 4, 1),
        ((1,), 1.5, 1),
    ],
)
def test_a_streak_is_of_days_in_a_row_up_to_yesterday(days: tuple[float, ...], cutoff: float, length: int) -> None:
    assert value_of(bought(*days), STREAK, cutoff) == length


def test_a_streak_sees_its_window_its_filter_and_the_tail() -> None:
    events = [*bought(1, 2, 3, texts={"kind": "daily"}), *bought(0, 4, 4.5, texts={"kind": "other"})]
    assert value_of(events, STREAK, 5) == 5
    assert value_of(events, base("streak", window=2), 5) == 2  # days 3 and 4
    assert value_of(events, base("streak", where=("kind", "daily")), 4) == 3
    assert value_of(events, base("streak", where=("kind", "daily")), 5) == 0
    assert value_of(events, STREAK, 5, max_events=3) == 2  # only 3, 4 and 4.5
    assert value_of(events, base("streak", "view"), 5) == 0


def test_a_streak_across_a_change_of_the_clock() -> None:
    # New York: 2020-03-08 (day 67) has 23 hours. 04:30Z is 23:30 on the 7th; 03:30Z a day later is 23:30 on the 8th
    events = bought(67 + 4.5 / 24, 68 + 3.5 / 24, 68 + 4.5 / 24)  # the 7th, the 8th, 00:30 on the 9th
    assert value_of(events, STREAK, 69, **NEW_YORK) == 3
    # 2020-11-01 (day 305) has 25 hours: 03:30Z is 23:30 on 31 October, 04:30Z on 2 November is 23:30 on the 1st
    events = bought(305 + 3.5 / 24, 306 + 4.5 / 24)
    assert value_of(events, STREAK, 306 + 4.9 / 24, **NEW_YORK) == 2
    assert value_of(events, STREAK, 307 + 4.9 / 24, **NEW_YORK) == 2  # 23:54 on the 2nd: yesterday
    assert value_of(events, STREAK, 307 + 5 / 24, **NEW_YORK) == 0


def test_repeated_minutes_before_midnight_belong_to_the_later_day() -> None:
    # St. John's went back from 00:01 on Sunday to 23:01 on Saturday at 2006-10-29T02:31Z: Sunday had begun already
    events = [
        Event(at=datetime(2006, 10, 29, hour, minute, tzinfo=UTC))
        for hour, minute in ((2, 29), (2, 30), (2, 45), (3, 45))
    ]
    zone = {"timezone": "America/St_Johns"}
    assert value_of(events, ACTIVE, -4_800, **zone) == 2
    assert value_of(events, base("weekday_squares"), -4_800, **zone) == 1 + 3 * 3
    assert value_of(events, base("hour_squares"), -4_800, **zone) == 2 * 2 + 2 * 2  # the clock showed 23, 0, 23, 0
    assert value_of([*events, *bought(-4_810.5)], STREAK, -4_810, **zone) == 3


def test_santiago_goes_back_at_midnight() -> None:
    # 2020-04-05T03:00Z (day 95): 24:00 on Saturday the 4th becomes 23:00; 02:30Z and 03:30Z are both 23:30
    events = bought(95 + 2.5 / 24, 95 + 3.5 / 24, 95 + 4.5 / 24)
    zone = {"timezone": "America/Santiago"}
    assert value_of(events, ACTIVE, 99, **zone) == 2
    assert value_of(events, base("hour_squares"), 99, **zone) == 2 * 2 + 1  # 23, 23 and 0 o'clock
    assert value_of(events, base("weekday_squares"), 99, **zone) == 2 * 2 + 1


def test_squares_of_weekdays_hours_and_weekends() -> None:
    # Wednesday 08:00, Wednesday a week later 08:30, Saturday 23:00, Sunday 00:00
    events = bought(8 / 24, 7 + 8.5 / 24, 3 + 23 / 24, 4)
    assert value_of(events, base("weekday_squares"), 20) == 2 * 2 + 1 + 1
    assert value_of(events, base("hour_squares"), 20) == 2 * 2 + 1 + 1
    assert value_of(events, base("weekend"), 20) == 2
    assert value_of(events, base("weekday_squares", window=7), 9) == 3  # from day 2 on
    assert value_of(events, base("weekend", window=7), 11) == 1  # Sunday midnight is the window's begin
    assert value_of(events, base("hour_squares", window=1), 20) == 0
    # in New York these are 03:00 Wednesday, 03:30 Wednesday, 18:00 Saturday, 19:00 Saturday
    assert value_of(events, base("weekday_squares"), 20, **NEW_YORK) == 2 * 2 + 2 * 2
    assert value_of(events, base("weekend"), 20, **NEW_YORK) == 2


def test_sunday_is_not_monday_and_one_o_clock_not_thirteen() -> None:
    assert value_of(bought(4, 5), base("weekday_squares"), 9) == 1 + 1
    assert value_of(bought(1 / 24, 13 / 24, 1 + 1 / 24), base("hour_squares"), 9) == 2 * 2 + 1


def test_an_order_counts_once_on_the_day_it_began() -> None:
    events = [*bought(3, order="o"), *bought(5, order="o"), *bought(5)]  # Saturday, Monday, Monday
    assert value_of(events, base("weekday_squares"), 9) == 2
    assert value_of(events, base("weekend"), 9) == 1
    assert value_of(events, base("weekday_squares", None), 9) == 1 + 4  # every event: each row by itself
    assert value_of(events, base("weekend", window=5), 9) == 0  # it began before the window
    assert value_of(events, base("weekday_squares"), 9, max_events=2) == 1


def test_hours_of_zones_with_half_and_quarter_hours() -> None:
    # 18:00Z is 23:30 in Kolkata and 23:45 in Kathmandu; 18:20Z is 23:50 and 00:05
    events = bought(1 + 18 / 24, 1 + 18 / 24 + 20 / 1440)
    for zone, hours, days in (("Asia/Kolkata", 4, 1), ("Asia/Kathmandu", 2, 2), ("UTC", 4, 1)):
        assert value_of(events, base("hour_squares"), 9, timezone=zone) == hours
        assert value_of(events, ACTIVE, 9, timezone=zone) == days


def test_days_before_1970_and_beyond_2100() -> None:
    # day -18263 is 1969-12-31, a Wednesday; day 29220 is 2100-01-01, a Friday, and so is day 29587 (2101-01-03: Monday)
    before = bought(-18_263 + 23 / 24, -18_262)
    assert value_of(before, ACTIVE, -18_261) == 2
    assert value_of(before, base("hour_squares"), -18_261) == 2
    assert value_of(before, STREAK, -18_261.5) == 2
    assert value_of(bought(29_587), base("weekday_squares"), 29_588) == 1
    assert value_of(bought(29_585, 29_586, 29_587), base("weekend"), 29_590) == 2


def test_a_row_at_a_windows_edge_counts_at_its_begin_only() -> None:
    for name in ("active_days", "streak", "weekend", "weekday_squares", "hour_squares"):
        assert value_of(bought(4, 20), base(name, window=7), 11) == (0 if name == "streak" else 1), name
        assert value_of(bought(3.99, 20), base(name, window=7), 11) == 0, name

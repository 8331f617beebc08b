"""Each aggregation, by numbers worked out by hand."""

from __future__ import annotations

import pytest

from tests.features.oracle import Event, day, us
from tests.features.small_logs import base, value_of

MINUTE_A_DAY = 1_440


def bought(at: float, amount: float | None = None, order: str | None = None, **more: object) -> Event:
    numbers = {} if amount is None else {"amount": amount}
    return Event(at=day(at), order=order, numbers=numbers, **more)


THREE = [bought(1, 10), bought(3, 20.05), bought(8, 0.5)]


def test_an_order_of_several_lines_is_one_purchase() -> None:
    events = [bought(1, 2, "o1"), bought(1, 3, "o1"), bought(2, 4, "o2"), bought(2, 5)]
    assert value_of(events, base("count"), 10) == 3
    assert value_of(events, base("lines"), 10) == 4
    assert value_of(events, base("sum", field="amount"), 10) == 1_400


@pytest.mark.parametrize(("cutoff", "count"), [(7, 1), (8, 1), (8.5, 2), (10, 2), (10.5, 1), (15, 1), (15.5, 0)])
def test_a_window_is_half_open(cutoff: float, count: int) -> None:
    # of days 1, 3 and 8, what lies in [cutoff - 7, cutoff)
    assert value_of([bought(3), bought(8)], base("count", window=7), cutoff) == count


def test_an_amount_belongs_to_the_purchase_at_its_earliest_line() -> None:
    events = [bought(1, 100, "o1"), bought(5, 7, "o1"), bought(5, 1, "o2")]
    assert value_of(events, base("sum", window=7, field="amount"), 7) == 10_800
    assert value_of(events, base("sum", window=3, field="amount"), 7) == 100  # o1 began before the window
    assert value_of(events, base("lines", window=3), 7) == 2  # lines and days go by their own time
    assert value_of(events, base("count", window=3), 7) == 1
    assert value_of(events, base("sum", window=7, field="amount"), 5) == 10_000  # its second line is not yet there


def test_a_window_in_which_no_order_began_has_a_sum_of_nothing() -> None:
    events = [bought(1, 100, "o1"), bought(5, 7, "o1")]
    assert value_of(events, base("sum", window=3, field="amount"), 7) == 0
    assert value_of(events, base("present", window=3, field="amount"), 7) == 0


def test_missing_numbers_are_counted_apart() -> None:
    events = [bought(1, 5, "o1"), bought(1, None, "o1"), bought(2, -2)]
    assert value_of(events, base("present", field="amount"), 3) == 2
    assert value_of(events, base("sum", field="amount"), 3) == 300
    assert value_of(events, base("present", window=1, field="amount"), 3) == 1


def test_first_and_last_are_null_without_events() -> None:
    assert value_of(THREE, base("first"), 9) == us(day(1))
    assert value_of(THREE, base("last"), 8) == us(day(3))
    assert value_of(THREE, base("first", window=7), 9) == us(day(3))
    assert value_of(THREE, base("last", event_type="view"), 9) is None
    assert value_of(THREE, base("count", event_type="view"), 9) == 0


def test_gaps_are_whole_minutes_between_purchases() -> None:
    events = [*THREE, bought(3, 9, "late line of one order"), bought(3.5, 9, "late line of one order")]
    two, five = 2 * MINUTE_A_DAY, 5 * MINUTE_A_DAY
    assert value_of(events, base("gap_count"), 9) == 3  # 1, 3, 3, 8
    assert value_of(events, base("gap_sum"), 9) == two + five
    assert value_of(events, base("gap_squares"), 9) == two**2 + five**2
    assert value_of(events, base("gap_max"), 9) == five
    assert value_of(events, base("gap_max"), 4) == two
    assert value_of(events, base("gap_max"), 2) is None
    assert value_of(events, base("gap_count"), 2) == 0
    assert value_of([bought(0), bought(1 / 1440 * 1.99)], base("gap_sum"), 1) == 1


def test_active_days_are_local_days() -> None:
    # 2020-01-02T03:00Z and 04:30Z are one evening in New York, 05:30Z is the next day
    events = [bought(1 + hour / 24) for hour in (3, 4.5, 5.5)]
    assert value_of(events, base("active_days"), 9, timezone="UTC") == 1
    assert value_of(events, base("active_days"), 9, timezone="America/New_York") == 2


def test_active_days_across_a_change_of_the_clock() -> None:
    # New York goes to summer time on 2020-03-08: midnight is 05:00Z before and 04:00Z after (day 67 is 2020-03-08)
    events = [bought(67 + 4.5 / 24), bought(67 + 5.5 / 24), bought(68 + 3.5 / 24), bought(68 + 4.5 / 24)]
    assert value_of(events, base("active_days"), 80, timezone="America/New_York") == 3


def test_every_event_type_together() -> None:
    events = [bought(1, order="o"), bought(1, order="o"), Event(at=day(0.5), type="view")]
    assert value_of(events, base("count", event_type=None), 9) == 3
    assert value_of(events, base("first", event_type=None), 9) == us(day(0.5))
    assert value_of(events, base("active_days", event_type=None), 9) == 2


def test_the_tail_is_the_last_events_of_any_type_with_ties_of_the_oldest() -> None:
    events = [bought(at) for at in (1, 2, 2, 3)] + [Event(at=day(4), type="unplanned")]
    count = base("count", window=400)
    assert value_of(events, count, 9, max_events=3) == 3  # the third last is one of two at day 2
    assert value_of(events, count, 9, max_events=2) == 1
    assert value_of(events, count, 9, max_events=1) == 0
    assert value_of(events, count, 9, max_events=5) == 4
    assert value_of(events, base("gap_sum"), 9, max_events=3) == MINUTE_A_DAY
    assert value_of(events, base("count"), 9, max_events=1) == 4  # a lifetime is a lifetime


def test_the_tail_ends_400_days_ago() -> None:
    events = [bought(0), bought(10), bought(401)]
    assert value_of(events, base("gap_count"), 402) == 1
    assert value_of(events, base("count"), 402) == 3
    assert value_of(events, base("count", window=400), 410) == 2


def test_an_order_that_began_before_the_tail_is_not_in_it() -> None:
    events = [bought(1, 5, "o1"), bought(2, 1), bought(3, 1), bought(4, 5, "o1")]
    assert value_of(events, base("count", window=400), 9, max_events=3) == 2
    assert value_of(events, base("sum", window=400, field="amount"), 9, max_events=3) == 200
    assert value_of(events, base("sum", window=400, field="amount"), 9) == 1_200


def test_what_was_received_late_is_not_seen() -> None:
    events = [bought(1, 1), bought(2, 2, received=day(5))]
    assert value_of(events, base("sum", field="amount"), 4, settle_days=0.25) == 100
    assert value_of(events, base("sum", field="amount"), 4, settle_days=1) == 100  # received at that very moment
    assert value_of(events, base("sum", field="amount"), 4, settle_days=1.5) == 300
    assert value_of(events, base("sum", field="amount"), 4) == 300


def test_a_late_first_line_moves_its_order() -> None:
    events = [bought(1, 1, "o1", received=day(9)), bought(5, 2, "o1")]
    assert value_of(events, base("count", window=3), 6, settle_days=0) == 1  # only the second line is known
    assert value_of(events, base("count", window=3), 6) == 0


def test_times_of_years_1_and_9999() -> None:
    events = [bought(-737_000), bought(2_900_000)]
    assert value_of(events, base("gap_count"), 2_900_001) == 0
    assert value_of(events, base("count"), 2_900_001) == 2
    assert value_of(events, base("first"), 2_900_001) == us(day(-737_000))


def test_a_number_that_is_not_finite_counts_as_missing() -> None:
    events = [bought(1, float("nan")), bought(1, float("inf")), bought(1, 2)]
    assert value_of(events, base("sum", field="amount"), 2) == 200
    assert value_of(events, base("present", field="amount"), 2) == 1

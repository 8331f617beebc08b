"""Aggregations of texts, filters and first orders, by numbers worked out by hand."""

from __future__ import annotations

import pytest

from features.definition import Base
from tests.features.oracle import Event, day, us
from tests.features.small_logs import base, value_of

WEB = ("channel", "web")


def viewed(at: float, item: str | None = None, channel: str | None = None, **more: object) -> Event:
    texts = {"item_id": item, "channel": channel}
    return Event(
        at=day(at), type="view", texts={name: text for name, text in texts.items() if text is not None}, **more
    )


def bought(at: float, amount: float | None = None, order: str | None = None, **texts: str) -> Event:
    return Event(at=day(at), order=order, numbers={} if amount is None else {"amount": amount}, texts=texts)


SIX = [viewed(1, "a"), viewed(2, "b"), viewed(3, "a"), viewed(3), viewed(4, "A"), viewed(5, "a")]


def of_items(name: str, **more: object) -> Base:
    return base(name, "view", more.pop("window", None), "item_id", **more)


def test_different_and_most_frequent_texts() -> None:
    assert value_of(SIX, of_items("distinct"), 9) == 3  # a, b, A: case matters, a missing text is none
    assert value_of(SIX, of_items("top"), 9) == 3
    assert value_of(SIX, of_items("distinct"), 3) == 2
    assert value_of(SIX, of_items("distinct", window=4), 7) == 2  # from day 3 on
    assert value_of(SIX, of_items("top", window=4), 7) == 2
    assert value_of(SIX, of_items("distinct", window=1), 9) == 0
    assert value_of(SIX, of_items("top", window=1), 9) == 0
    assert value_of(SIX, base("distinct", field="item_id"), 9) == 0  # of purchases
    assert value_of(SIX, of_items("distinct"), 9, max_events=4) == 2  # the last four, all from day 3 on
    assert value_of(SIX, base("top", None, field="item_id"), 9) == 3


def test_an_empty_text_is_a_text() -> None:
    events = [viewed(1, ""), viewed(2, " "), viewed(3)]
    assert value_of(events, of_items("distinct"), 9) == 2
    assert value_of(events, of_items("top"), 9) == 1


def test_the_last_lines_and_ties_of_the_oldest_of_them() -> None:
    assert value_of(SIX, of_items("distinct", last=2), 9) == 2  # a and A
    assert value_of(SIX, of_items("distinct", last=3), 9) == 2  # two rows at day 3: one without a text
    assert value_of(SIX, of_items("top", last=3), 9) == 2
    assert value_of(SIX, of_items("distinct", last=1), 9) == 1
    assert value_of(SIX, of_items("top", last=99), 9) == 3
    assert value_of(SIX, of_items("distinct", last=3), 9, max_events=1) == 1  # never more than the tail
    ties = [viewed(1, "x"), viewed(2, "a"), viewed(2, "b"), viewed(2, "c")]
    assert value_of(ties, of_items("distinct", last=1), 9) == 3
    assert value_of([*ties, bought(8)], of_items("distinct", last=1), 9) == 3  # lines of the type


def test_the_last_lines_of_a_filter_are_of_its_own_rows() -> None:
    events = [
        viewed(1, "a", "web"),
        viewed(2, "b", "web"),
        viewed(3, "c", "app"),
        viewed(4, "d"),
        viewed(5, "d", "Web"),
    ]
    assert value_of(events, of_items("distinct", last=2, where=WEB), 9) == 2
    assert value_of(events, of_items("distinct", last=1, where=WEB), 9) == 1
    assert value_of(events, of_items("distinct", where=("channel", "sms")), 9) == 0


def test_a_filtered_row_stands_for_itself() -> None:
    # one order: it began at day 1 without a channel, its second line came by web at day 5
    events = [bought(1, 10, "o"), bought(5, 7, "o", channel="web"), bought(6, 1, channel="app")]
    everything, filtered = base("sum", window=3, field="amount"), base("sum", window=3, field="amount", where=WEB)
    assert value_of(events, everything, 7) == 100
    assert value_of(events, filtered, 7) == 700
    assert value_of(events, filtered, 9) == 0
    assert value_of(events, base("present", window=3, field="amount", where=WEB), 7) == 1
    assert value_of(events, base("lines", window=3, where=WEB), 7) == 1
    assert value_of(events, base("first", window=7, where=WEB), 7) == us(day(5))
    assert value_of(events, base("last", window=7, where=WEB), 7) == us(day(5))
    assert value_of(events, base("last", window=7), 7) == us(day(6))
    assert value_of(events, base("last", window=2, where=("channel", "sms")), 7) is None
    assert value_of(events, base("active_days", where=WEB), 7) == 1


def test_lines_with_a_text_go_by_their_order_as_lines_with_a_number_do() -> None:
    events = [bought(1, 1, "o"), bought(5, 1, "o", coupon_id="c"), bought(5, 1, coupon_id=""), bought(6)]
    assert value_of(events, base("present", window=7, field="coupon_id"), 7) == 2
    assert value_of(events, base("present", window=3, field="coupon_id"), 7) == 1  # o began before
    assert value_of(events, base("present", None, window=3, field="coupon_id"), 7) == 2  # every event: row by row


@pytest.mark.parametrize(("cutoff", "number"), [(1, None), (1.5, 4_000), (3.5, 2_500), (4.5, 2_500), (9, -1_000)])
def test_the_last_number_is_of_the_newest_row_that_has_one(cutoff: float, number: int | None) -> None:
    rated = [(1.0, 4.0), (3.0, 2.5), (3.0, 1.0), (4.0, None), (4.0, float("nan")), (5.0, -1.0)]
    events = [Event(at=day(0.5), type="view")] + [
        Event(at=day(at), type="survey", numbers={} if rating is None else {"rating": rating}) for at, rating in rated
    ]
    assert value_of(events, base("last_number", "survey", field="rating"), cutoff) == number


def test_the_last_number_goes_by_row_window_and_filter() -> None:
    events = [bought(1, 5, "o"), bought(3, 7, "o", channel="web"), bought(4, 2)]
    assert value_of(events, base("last_number", window=2, field="amount"), 6) == 200
    assert value_of(events, base("last_number", window=3, field="amount", where=WEB), 6) == 700
    assert value_of(events, base("last_number", window=2, field="amount", where=WEB), 6) is None
    assert value_of(events, base("last_number", window=3, field="amount"), 4) == 700  # though its order began before
    assert value_of(events, base("last_number", field="amount"), 500) == 200  # a lifetime
    assert value_of(events, base("last_number", window=400, field="amount"), 500) is None


def coupon(at: float, days: float | None, **more: object) -> Event:
    numbers = {} if days is None else {"duration_seconds": days * 86_400}
    return Event(at=day(at), type="coupon_received", numbers=numbers, **more)


def test_what_runs_out_does_so_from_the_cutoff_until_the_window_ends() -> None:
    events = [
        coupon(1, 9),
        coupon(2, 9),
        coupon(3, 14),
        coupon(3, None),
        coupon(4, -1),
        coupon(5, 11.999),
        coupon(6, 11),
    ]
    # ends: 10, 11, 17, never, 3, 16.999, 17
    ending = base("running_out", "coupon_received", 7, "duration_seconds")
    assert value_of(events, ending, 10) == 3  # 10 is in, 17 is not
    assert value_of(events, ending, 10.001) == 4
    assert value_of(events, ending, 17) == 2
    assert value_of(events, ending, 18) == 0
    assert value_of(events, base("running_out", "coupon_received", 1, "duration_seconds"), 10) == 1
    assert value_of(events, ending, 10, max_events=2) == 1  # the tail: of days 5 and 6
    assert value_of([coupon(0, 500)], ending, 499) == 0  # older than 400 days
    assert value_of([coupon(0, 405)], ending, 399) == 1


FIRST_SUM = base("first_order_sum", field="amount")
BY_WEB = base("first_order_is", field="channel", value="web")


def test_the_first_order_is_the_one_that_began_first() -> None:
    events = [bought(3, 1, "later"), bought(2, 10, "o", channel="web"), bought(5, 2.5, "o"), bought(9, 1, "o")]
    assert value_of(events, FIRST_SUM, 6) == 1_250
    assert value_of(events, FIRST_SUM, 10) == 1_350  # its lines, whenever they came
    assert value_of(events, BY_WEB, 6) == 1
    assert value_of(events, FIRST_SUM, 700) == 1_350
    assert value_of(events, FIRST_SUM, 700, max_events=1) == 1_350


def test_several_orders_that_began_at_the_first_time_are_first_together() -> None:
    events = [bought(2, 10, "o"), bought(2, 1), bought(2, 5), bought(4, 100), bought(4, 7, "o")]
    assert value_of(events, FIRST_SUM, 9) == 2_300


def test_a_first_order_without_the_number_or_the_text() -> None:
    assert value_of([bought(1), bought(2, 5, channel="web")], FIRST_SUM, 9) == 0
    assert value_of([bought(1), bought(2, 5, channel="web")], BY_WEB, 9) is None
    assert value_of([viewed(1, channel="web")], FIRST_SUM, 9) is None
    assert value_of([viewed(1, channel="web")], BY_WEB, 9) is None
    assert value_of([bought(1, channel="app")], BY_WEB, 9) == 0
    assert value_of([bought(1, order="o", channel="web"), bought(3, order="o", channel="app")], BY_WEB, 9) == 0
    assert value_of([bought(1, order="o", channel="web"), bought(3, order="o", channel="app")], BY_WEB, 2) == 1
    assert value_of([bought(1, order="o"), bought(3, order="o", channel="web")], BY_WEB, 9) == 1
    assert value_of([bought(1, channel="")], base("first_order_is", field="channel", value=""), 9) == 1


def test_a_first_order_that_was_received_late() -> None:
    late = Event(at=day(1), received=day(9), numbers={"amount": 3}, texts={"channel": "app"})
    events = [late, bought(4, 8, channel="web")]
    assert value_of(events, FIRST_SUM, 6, settle_days=1) == 800
    assert value_of(events, BY_WEB, 6, settle_days=1) == 1
    assert value_of(events, FIRST_SUM, 6) == 300

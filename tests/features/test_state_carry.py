"""What is compacted away still counts for a lifetime, by numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from features.definition import Base
from features.state import State
from tests.features.oracle import NULL, Event, day, us
from tests.features.small_logs import base, event_row, plan_of

FIRST_SUM, BY_WEB = base("first_order_sum", field="amount"), base("first_order_is", field="channel", value="web")
LAST = base("last_number", field="amount")


def bought(at: float, amount: float | None = None, channel: str | None = None, order: str | None = None) -> Event:
    numbers = {} if amount is None else {"amount": amount}
    return Event(at=day(at), order=order, numbers=numbers, texts={} if channel is None else {"channel": channel})


def viewed(*days: float) -> list[Event]:
    return [Event(at=day(at), type="view") for at in days]


def answers(before: list[Event], after: list[Event], *wanted: Base) -> list[int]:
    """Answers after some events, a compaction that leaves four of them, and some more events."""
    plan = plan_of(*wanted, max_events=4)
    rows = [event_row(replace(event, id=f"e{number}"), 0) for number, event in enumerate([*before, *after])]
    state = State.empty(max_events=4).update(rows[: len(before)]).state.compact()
    assert state.content.carry.shape[0] > 0
    state = State.decode(state.update(rows[len(before) :]).state.encode())
    return state.answer(plan, us(day(100))).base.tolist()


FILL = viewed(11, 12, 13, 14, 15)  # what pushes earlier events into the carry


@pytest.mark.parametrize(
    ("later", "is_web", "total"),
    [
        (bought(20, 4, "web", "o"), 1, 1_400),
        (bought(20, 4, "app", "o"), 0, 1_400),
        (bought(20, 4, None, "o"), 1, 1_400),
        (bought(20, None, "app", "o"), 0, 1_000),
        (bought(20, 4, "app", "other"), 1, 1_000),
        (bought(20, 4, "app"), 1, 1_000),
    ],
)
def test_a_later_line_of_a_first_order_that_is_in_the_carry(later: Event, is_web: int, total: int) -> None:
    assert answers([bought(1, 10, "web", "o"), *FILL], [later], BY_WEB, FIRST_SUM) == [is_web, total]


def test_a_text_that_only_a_later_line_of_the_first_order_has() -> None:
    assert answers([bought(1, 10, None, "o"), *FILL], [bought(20, 4, "web", "o")], BY_WEB) == [1]
    assert answers([bought(1, 10, None, "o"), *FILL], [bought(20, 4, "app", "o")], BY_WEB) == [0]
    assert answers([bought(1, 10, None, "o"), *FILL], [bought(20, 4, "web", "p")], BY_WEB) == [NULL]


def test_two_first_orders_of_different_texts_in_the_carry() -> None:
    both = [bought(1, 10, "web"), bought(1, 5, "app"), bought(2, 100, "web")]
    assert answers([*both, *FILL], [], BY_WEB, FIRST_SUM) == [0, 1_500]
    assert answers([*both, *FILL], [bought(20, 7, "web")], BY_WEB, FIRST_SUM) == [0, 1_500]


def test_a_first_order_of_which_one_line_is_kept_at_compaction() -> None:
    events = [bought(1, 10, "web", "o"), *viewed(11, 12), bought(13, 4, "app", "o"), *viewed(14, 15)]
    assert answers(events, [], BY_WEB, FIRST_SUM, base("count"), base("lines")) == [0, 1_400, 1, 2]


def test_the_last_number_is_kept_until_a_newer_one_comes() -> None:
    carried = [bought(1, 3), bought(2, 5), bought(2, 8), bought(3), *FILL]
    assert answers(carried, [], LAST) == [800]
    assert answers(carried, [bought(20)], LAST) == [800]
    assert answers(carried, [bought(20, -1)], LAST) == [-100]


def test_orders_times_and_sums_of_the_carry_and_of_what_is_kept() -> None:
    carried = [bought(1, 1, order="o"), bought(2, 2, order="o"), bought(3, 4, order="p"), *FILL]
    wanted = (base("count"), base("lines"), base("sum", field="amount"), base("present", field="amount"))
    times = (base("first"), base("last"), base("first", None), base("last", None), base("lines", None))
    assert answers(carried, [], *wanted, *times) == [
        *(2, 3, 700, 3),
        *(us(day(1)), us(day(3)), us(day(1)), us(day(15)), 8),
    ]
    later = [bought(20, 8, order="o"), bought(21, None, order="q")]
    assert answers(carried, later, *wanted, *times) == [
        *(3, 5, 1_500, 4),
        *(us(day(1)), us(day(21)), us(day(1)), us(day(21)), 10),
    ]


def test_a_type_that_began_after_the_compaction_has_its_own_first_order() -> None:
    assert answers([*viewed(1), *FILL], [bought(20, 4, "web"), bought(21, 9)], BY_WEB, FIRST_SUM) == [1, 400]

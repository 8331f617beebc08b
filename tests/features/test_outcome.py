"""What happened after a cutoff, by numbers worked out by hand."""

from __future__ import annotations

import pytest

from features.errors import UsageError
from features.outcome import Outcome
from tests.features.oracle import Event, day
from tests.features.small_logs import base, plan_of, table_of


def outcome(measure: str = "count", types: tuple[str, ...] = ("purchase",), start: int = 0, end: int = 7) -> Outcome:
    return Outcome(name="o", event_types=types, start_days=start, end_days=end, measure=measure)


def after(events: list[Event], wanted: Outcome, cutoff: float = 10) -> int:
    seen = Event(at=day(0), type="signup")
    table = table_of([seen, *events], plan_of(base("count")), [cutoff], settle_days=0, outcomes=[wanted])
    return int(table.outcomes[0, 0])


def sold(at: float, amount: float = 0, kind: str = "purchase", order: str | None = None, **more: object) -> Event:
    return Event(at=day(at), type=kind, order=order, numbers={"amount": amount}, **more)


@pytest.mark.parametrize(("at", "count"), [(9.999, 0), (10, 1), (16.999, 1), (17, 0)])
def test_the_window_is_half_open_and_begins_at_the_cutoff(at: float, count: int) -> None:
    assert after([sold(at)], outcome()) == count


def test_a_gap_leaves_time_to_act() -> None:
    assert after([sold(11), sold(13), sold(19.5)], outcome(start=3, end=10)) == 2


def test_any_of_several_types_counts() -> None:
    assert after([sold(11), sold(12, kind="login"), sold(12, kind="view")], outcome(types=("purchase", "login"))) == 2


def test_a_purchase_that_began_before_the_cutoff_is_none() -> None:
    assert after([sold(9, 5, order="o"), sold(11, 6, order="o")], outcome()) == 0
    assert after([sold(9, 5, order="o"), sold(11, 6, order="o")], outcome("net_amount")) == 0


def test_what_is_received_late_counts_all_the_same() -> None:
    assert after([sold(11, received=day(90))], outcome()) == 1


def test_net_amount_is_less_refunds_of_the_window() -> None:
    events = [
        sold(11, 20, order="o"),
        sold(12, 1.5, order="o"),
        sold(12, 9, kind="refund", order="p"),
        sold(9, 100, kind="refund", order="p"),
        sold(17, 1, order="o"),
    ]
    assert after(events, outcome("net_amount")) == 1_250
    assert after([sold(12, 9, kind="refund")], outcome("net_amount", types=("purchase", "refund"))) == -900


def test_several_outcomes_stand_side_by_side() -> None:
    wanted = [outcome(), outcome("net_amount"), outcome(types=("view",))]
    table = table_of([sold(0), sold(11, 2), sold(12, 3, kind="view")], plan_of(base("count")), [10], outcomes=wanted)
    assert table.outcomes.tolist() == [[1, 200, 1]]


def test_windows_before_the_cutoff_and_empty_ones_are_refused() -> None:
    for start, end in ((-1, 3), (3, 3)):
        with pytest.raises(UsageError, match="0 <= start < end"):
            outcome(start=start, end=end)
    with pytest.raises(UsageError, match="no event types"):
        outcome(types=())

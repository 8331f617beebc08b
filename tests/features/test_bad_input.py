"""Input at the edge of what there is: a stated outcome, never a silent wrong number."""

from __future__ import annotations

import math
import resource
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from features.clock import DAY_US
from features.definition import Family, Feature, Readout
from features.duckdb_engine import build, concat, states
from features.plan import Plan
from features.state import State
from tests.features.every_feature import every_feature
from tests.features.oracle import EPOCH, NULL, Event, day, us
from tests.features.small_logs import (
    FakeLog,
    base,
    bucket_of,
    event_row,
    every_base,
    plan_of,
    rows_of,
    table_of,
)

MONEY, REFUNDED = base("sum", field="amount"), base("sum", "refund", field="amount")


def bought(at: float, amount: float | None = None, **more: object) -> Event:
    return Event(at=day(at), numbers={} if amount is None else {"amount": amount}, **more)


def both_ways(events: list[Event], plan: Plan, cutoff: float) -> list[int]:
    """Row of the only customer by batch, which must be that of a packed state."""
    (row,) = rows_of(table_of(events, plan, [cutoff])).values()
    state = State.empty().update([event_row(event, number) for number, event in enumerate(events)]).state
    assert State.decode(state.encode()).answer(plan, us(day(cutoff))).base.tolist() == row
    return row


FIRST_MOMENT, LAST_MOMENT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
FIRST_DAY, LAST_DAY = (FIRST_MOMENT - EPOCH).days, (LAST_MOMENT - EPOCH).days


def test_the_years_1_and_9999() -> None:
    # 0001-01-01 was a Monday; 9999-12-31 will be a Friday
    events = [
        Event(at=FIRST_MOMENT),
        Event(at=FIRST_MOMENT + timedelta(hours=25)),
        Event(at=LAST_MOMENT - timedelta(days=1)),
    ]
    wanted = {
        base("count"): 3,
        base("first"): us(FIRST_MOMENT),
        base("last"): us(LAST_MOMENT) - DAY_US,
        base("gap_count"): 0,  # the tail: one purchase
        base("active_days"): 1,
        base("streak"): 1,
        base("hour_squares"): 1,
        base("weekend"): 0,
        base("count", window=400): 1,
    }
    assert both_ways(events, plan_of(*wanted), LAST_DAY) == list(wanted.values())
    early = {base("gap_sum"): 25 * 60, base("active_days"): 2, base("weekday_squares"): 2, base("streak"): 2}
    assert both_ways(events[:2], plan_of(*early), FIRST_DAY + 2) == list(early.values())


def test_a_duration_that_ends_after_the_year_9999() -> None:
    ending = base("running_out", window=400, field="duration_seconds")
    events = [Event(at=LAST_MOMENT - timedelta(days=1), numbers={"duration_seconds": 86_400.0 * 300})]
    assert both_ways(events, plan_of(ending), LAST_DAY) == [1]
    assert both_ways([replace(events[0], numbers={"duration_seconds": 1e12})], plan_of(ending), LAST_DAY) == [0]
    assert both_ways([replace(events[0], numbers={"duration_seconds": -1e12})], plan_of(ending), LAST_DAY) == [0]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_counts_as_missing(bad: float) -> None:
    events = [bought(1, bad, order="o"), bought(2, 4, order="o"), bought(3, bad)]
    wanted = {
        MONEY: 400,
        base("present", field="amount"): 1,
        base("last_number", field="amount"): 400,
        base("first_order_sum", field="amount"): 400,
    }
    assert both_ways(events, plan_of(*wanted), 5) == list(wanted.values())
    ending = base("running_out", window=7, field="duration_seconds")
    assert both_ways([Event(at=day(1), numbers={"duration_seconds": bad})], plan_of(ending), 1.5) == [0]


def test_negative_quantities_are_summed_as_they_are() -> None:
    events = [Event(at=day(at), numbers={"quantity": pieces}) for at, pieces in ((1, 3), (2, -5.5), (3, 0))]
    wanted = {
        base("sum", field="quantity"): -2_500,
        base("present", field="quantity"): 3,
        base("last_number", field="quantity"): 0,
    }
    assert both_ways(events, plan_of(*wanted), 5) == list(wanted.values())


def test_refunds_above_purchases() -> None:
    events = [bought(1, 10), Event(at=day(2), type="refund", numbers={"amount": 30.5})]
    plan = plan_of(MONEY, REFUNDED, features=NET)
    table = table_of(events, plan, [5])
    assert table.values[0].tolist() == [-20.5]
    assert both_ways(events, plan, 5) == [1_000, 3_050]


NET = (Feature(readout=Readout.DIFFERENCE, bases=(MONEY, REFUNDED), family=Family.MONETARY),)


def test_halves_of_a_hundredth_are_rounded_away_from_zero() -> None:
    assert both_ways([bought(1, 0.005), bought(2, 0.125)], plan_of(MONEY), 5) == [1 + 13]
    assert both_ways([bought(1, -0.005), bought(2, -0.125)], plan_of(MONEY), 5) == [-14]


ODD = ["it's", "a b", " a b", "a b ", "🛍🧾", "x" * 10_000, "'; DROP TABLE t; --", "\t", "é", "e\u0301", "NULL", "%s{}"]


def test_ids_types_and_texts_are_any_text() -> None:
    events = [
        Event(at=day(1 + at), customer=name, type=name, order=name, id=name, texts={"channel": name, "item_id": name})
        for name in ODD
        for at in (0, 1)
    ]
    wanted = [
        *(base("count", name) for name in ODD),
        *(base("lines", name, 7, where=("channel", name)) for name in ODD),
        *(base("first_order_is", name, field="channel", value=name) for name in ODD),
        *(base("distinct", name, field="item_id") for name in ODD),
    ]
    plan = plan_of(*wanted)
    found = rows_of(table_of([replace(event, id="") for event in events], plan, [5]))
    kept = dict(states(FakeLog([replace(event, id="") for event in events])))
    assert set(kept) == set(ODD) == {customer for customer, _ in found}
    for (customer, _), row in found.items():
        of_each = zip(plan.extra, row, strict=True)
        for wanted_base, value in of_each:
            mine = wanted_base.event_type == customer
            per_kind = {"count": 1, "lines": 2, "first_order_is": 1, "distinct": 1}[str(wanted_base.aggregation)]
            nothing = NULL if str(wanted_base.aggregation) == "first_order_is" else 0
            assert value == (per_kind if mine else nothing), (customer[:20], wanted_base.aggregation)
        assert kept[customer].answer(plan, us(day(5))).base.tolist() == row


def test_a_log_of_one_event() -> None:
    event = Event(
        at=day(3),  # a Saturday
        order="o",
        numbers={"amount": 2.5, "duration_seconds": 86_400.0},
        texts={"channel": "web", "item_id": "i"},
    )
    wanted = {
        **dict.fromkeys(("count", "lines", "active_days", "streak"), 1),
        **dict.fromkeys(("weekday_squares", "hour_squares", "weekend"), 1),
        **dict.fromkeys(("gap_count", "gap_sum", "gap_squares"), 0),
        "gap_max": NULL,
        "first": us(day(3)),
        "last": us(day(3)),
    }
    plan = plan_of(*(base(name) for name in wanted))
    assert both_ways([event], plan, 3.5) == list(wanted.values())
    of_columns = {
        base("sum", field="amount"): 250,
        base("last_number", field="amount"): 250,
        base("first_order_sum", field="amount"): 250,
        base("distinct", field="item_id"): 1,
        base("top", field="item_id", last=1): 1,
        base("present", window=1, field="channel"): 1,
        base("first_order_is", field="channel", value="web"): 1,
        base("running_out", window=1, field="duration_seconds"): 1,
        base("running_out", "view", window=1, field="duration_seconds"): 0,
    }
    assert both_ways([event], plan_of(*of_columns), 3.5) == list(of_columns.values())
    assert len(table_of([event], plan, [3])) == 0  # at the cutoff: not there yet


def test_buckets_without_customers() -> None:
    events = [bought(1, customer="a"), bought(1, customer="b")]
    assert len({bucket_of("a"), bucket_of("b")}) == 2
    for batch_rows in (1, 1_000):
        table = table_of(events, plan_of(*every_base(), features=every_feature()), [5], batch_rows=batch_rows)
        assert sorted(table.customer_ids[table.customer]) == ["a", "b"]
    empty = concat(list(build(FakeLog([]), plan_of(*every_base()), [day(3)], batch_rows=1)))
    assert (len(empty), empty.base.shape) == (0, (0, len(every_base())))


def test_a_type_that_never_happened() -> None:
    plan = plan_of(*every_base(types=("no such type",)))
    (row,) = rows_of(table_of([bought(1, 2)], plan, [5])).values()
    nullable = ("first", "last", "gap_max", "last_number", "first_order_sum", "first_order_is")
    assert row == [NULL if str(each.aggregation) in nullable else 0 for each in plan.extra]


MANY, STEP_US = 10_000_000, 1_000_000


@dataclass(frozen=True)
class OneCustomer:
    """A snapshot of one customer's events, one a second from day 0 on, made up by SQL; every tenth is a view."""

    count: int = MANY

    @property
    def bucket_rows(self) -> tuple[int, ...]:
        return tuple(self.count if bucket == bucket_of("a") else 0 for bucket in range(256))

    def scan_sql(self, first_bucket: int, last_bucket: int) -> str:
        shown = Event(at=day(0), customer="a", order="o", numbers=dict.fromkeys(NUMBERS, 1.0), texts=TEXTS)
        made = {
            "event_time": f"make_timestamptz({us(day(0))} + range * {STEP_US})",
            "received_at": f"make_timestamptz({us(day(0))} + range * {STEP_US})",
            "event_type": "CASE WHEN range % 10 = 0 THEN 'view' ELSE 'purchase' END",
            "event_id": "'e' || range",
            "order_id": "CASE WHEN range % 3 = 0 THEN NULL ELSE 'o' || (range // 4) END",
            "amount": "(range % 1000) / 100",
            "item_id": "'item ' || (range % 7)",
            "channel": "CASE WHEN range % 2 = 0 THEN 'web' END",
        }
        columns = ", ".join(f"{made[name]} AS {name}" for name in made)
        template = FakeLog([shown]).scan_sql(0, 255)
        rows = f"range({self.count})" if first_bucket <= bucket_of("a") <= last_bucket else "range(0)"
        return f"SELECT t.* REPLACE ({columns}) FROM ({template}) AS t, {rows}"


NUMBERS, TEXTS = ("amount", "rating"), {"item_id": "i", "channel": "web"}


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_ten_million_events_of_one_customer() -> None:
    cutoff = us(day(0)) + MANY * STEP_US
    tail = 4_096
    wanted = {
        base("lines", None): MANY,
        base("lines"): MANY - MANY // 10,
        base("lines", "view"): MANY // 10,
        base("sum", None, field="amount"): MANY // 1_000 * sum(range(1_000)),
        base("first", None): us(day(0)),
        base("last", None): cutoff - STEP_US,
        base("count", None, 400): tail,
        base("distinct", None, field="item_id"): 7,
        base("distinct", None, field="item_id", last=3): 3,
        base("top", None, field="item_id", last=70): 10,
        base("lines", "view", 1): len([at for at in range(MANY - tail, MANY) if at % 10 == 0]),
        base("lines", "view", 1, where=("channel", "web")): len(
            [at for at in range(MANY - tail, MANY) if at % 10 == 0]
        ),
        base("gap_count", None): tail - 1,
        base("active_days", None): len({at // 86_400 for at in range(MANY - tail, MANY)}),
        base("last_number", field="amount"): 999,
        base("count"): len(_orders()),
    }
    plan = plan_of(*wanted)
    moment = EPOCH + timedelta(microseconds=MANY * STEP_US)
    table = concat(list(build(OneCustomer(), plan, [moment])))
    assert dict(zip(plan.extra, table.base[0].tolist(), strict=True)) == wanted
    assert peak_gib() < 5
    ((name, state),) = states(OneCustomer())
    assert name == "a"
    assert state.event_count <= 2 * tail
    assert len(state.encode()) < 4_000_000
    assert state.answer(plan, cutoff).base.tolist() == table.base[0].tolist()
    assert peak_gib() < 11  # every column of every event at once: a bucket is never divided


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1_024) / 2**30


def _orders() -> np.ndarray:
    """Purchases of the made-up customer: rows without an order id, and distinct orders."""
    at = np.arange(MANY)
    at = at[at % 10 != 0]
    single = at[at % 3 == 0]
    return np.concatenate([single, np.unique(at[at % 3 != 0] // 4) + MANY])

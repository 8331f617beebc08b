"""The batch engine: which rows there are, and that batches and threads change nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from features.catalogue import TypeTraits, catalogue
from features.duckdb_engine import build, concat, states
from features.errors import UsageError
from features.event_log import EventLog
from tests.features.oracle import Event, day, us
from tests.features.small_logs import FakeLog, base, plan_of, table_of

COUNT = plan_of(base("count"))


def shop(customers: int = 40) -> list[Event]:
    return [
        Event(at=day(number % 13 + step), customer=f"c{number}", order=f"o{step // 2}", numbers={"amount": step + 0.01})
        for number in range(customers)
        for step in range(number % 7 + 1)
    ]


def test_a_row_for_each_cutoff_with_something_to_see() -> None:
    table = table_of([Event(at=day(1), customer="a"), Event(at=day(5), customer="b")], COUNT, [9, 1, 3])
    rows = list(
        zip(table.customer_ids[table.customer], table.cutoff_us.tolist(), table.base[:, 0].tolist(), strict=True)
    )
    assert sorted(rows) == [("a", us(day(3)), 1), ("a", us(day(9)), 1), ("b", us(day(9)), 1)]
    assert (np.diff(table.customer) >= 0).all()
    assert table.values.shape == (3, 0)


def test_batches_and_threads_change_nothing() -> None:
    features = catalogue({"purchase": TypeTraits(fields=frozenset({"amount", "order_id"}))})
    plan = plan_of(features=features)
    whole = table_of(shop(), plan, [4, 9], threads=1)
    parts = table_of(shop(), plan, [4, 9], threads=3, batch_rows=7)
    for table in (whole, parts):
        assert len(set(table.customer_ids)) == table.customer_ids.size == 40
    one, other = (
        {
            (table.customer_ids[customer], cutoff): (base_row.tobytes(), values.tobytes())
            for customer, cutoff, base_row, values in zip(
                table.customer, table.cutoff_us.tolist(), table.base, table.values, strict=True
            )
        }
        for table in (whole, parts)
    )
    assert one == other
    assert whole.customer_ids.tolist() == parts.customer_ids.tolist()  # so that a panel's rows keep their order


def test_progress_counts_events() -> None:
    seen = []
    list(
        build(FakeLog(shop()), COUNT, [day(3)], batch_rows=30, progress=lambda done, total: seen.append((done, total)))
    )
    assert len(seen) > 2
    assert seen[-1] == (len(shop()), len(shop()))


def test_an_empty_log_gives_a_table_without_rows() -> None:
    table = table_of([], plan_of(features=catalogue({"purchase": TypeTraits()})), [3])
    assert len(table) == 0
    assert table.values.shape[1] > 0
    assert table.customer_ids.size == 0
    assert list(states(FakeLog([]))) == []


def test_ids_and_types_are_any_text() -> None:
    strange = ["it's", "a b", "🛍", "x" * 10_000, "'; DROP TABLE t; --"]
    events = [Event(at=day(1), customer=name, type=name, order=name) for name in strange]
    table = table_of(events, plan_of(*(base("count", name) for name in strange)), [2])
    for row in range(len(strange)):
        own = strange.index(table.customer_ids[table.customer[row]])
        assert table.base[row].tolist() == [int(at == own) for at in range(len(strange))]


def test_cutoffs_are_distinct_and_each_has_its_moment_of_receipt() -> None:
    with pytest.raises(UsageError, match="twice"):
        table_of([], COUNT, [1, 1])
    with pytest.raises(UsageError, match="one a cutoff"):
        list(build(FakeLog([]), COUNT, [day(1), day(2)], received_before=[day(1)]))
    with pytest.raises(UsageError, match="no feature tables"):
        concat([])


def test_states_hold_every_customer_and_their_last_events() -> None:
    events = [Event(at=day(1), customer="b", order="o", numbers={"amount": 2.5}), Event(at=day(2), type="view")]
    found = dict(states(FakeLog(events)))
    assert sorted(found) == ["a", "b"]
    (last,) = found["b"].last_events(5)
    assert (last.event_type, last.event_time_us, last.order_id, last.amount) == ("purchase", us(day(1)), "o", 2.5)
    assert found["a"].last_events(5)[0].amount is None


def test_states_answer_as_the_table_does() -> None:
    plan = plan_of(base("sum", field="amount"), base("count", window=7), max_events=4)
    table = table_of(shop(), plan, [20])
    found = dict(states(FakeLog(shop()), max_events=4, batch_rows=25))
    assert any(state.content.carry.size for state in found.values())
    for row in range(len(table)):
        state = found[table.customer_ids[table.customer[row]]]
        assert state.answer(plan, us(day(20))).base.tolist() == table.base[row].tolist()


def test_a_real_log_gives_what_its_events_give(tmp_path: Path) -> None:
    log, plan = EventLog(tmp_path / "log"), plan_of(base("sum", field="amount"), base("count"), base("lines", None))
    first, second = Event(at=day(1), id="x", numbers={"amount": 9}), Event(at=day(2), id="x", numbers={"amount": 1.5})
    events = [*shop(), Event(at=day(3), customer="c1", type="view"), second]
    rows = [
        {
            "customer_id": event.customer,
            "event_time": event.at,
            "received_at": event.at,
            "event_type": event.type,
            "event_id": event.id or f"e{number}",
            "order_id": event.order,
            **event.numbers,
        }
        for number, event in enumerate([first, *events])
    ]
    rows.append(rows[1])  # x was corrected, and one line is delivered twice
    log.append_events(rows[:9], now=day(40))
    log.append_events(rows[9:], now=day(40))
    snapshot = log.snapshot()
    found = concat(list(build(snapshot, plan, [day(30)])))
    wanted = table_of(events, plan, [30])
    one, other = (
        dict(zip(table.customer_ids[table.customer], table.base.tolist(), strict=True)) for table in (found, wanted)
    )
    assert one == other
    assert one["a"] == [150, 1, 1]
    kept = dict(states(snapshot))
    assert {name: kept[name].answer(plan, us(day(30))).base.tolist() for name in one} == one

"""Attributes of customers: batch, packed states and nested loops agree, and no cutoff sees what was true only later."""

from __future__ import annotations

import math
import pickle
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.attributes import AttributeTable, attached, open_attributes
from features.batch import Task
from features.batch_arrow import raw_schema
from features.catalogue import Attribute
from features.customers import load_customers
from features.definition import Aggregation, Base
from features.duckdb_engine import build, concat, states
from features.errors import StateError
from features.feature_table_file import read_tables
from features.parity_replay import dice, replay
from features.spark_worker import work
from features.state import State
from tests.features import oracle
from tests.features.oracle import Event, day, us
from tests.features.random_logs import random_logs
from tests.features.small_logs import FakeLog, event_row, plan_of, rows_of

ALWAYS = datetime.min.replace(tzinfo=day(0).tzinfo)
TYPES = {
    "age": pa.float64(),
    "member": pa.bool_(),
    "rank": pa.decimal128(9, 4),
    "tier": pa.string(),
    "gone": pa.date32(),
}
NAMES = tuple(TYPES)


def wants(name: str, value: str | None = None) -> Base:
    return Base(aggregation=Aggregation.ATTRIBUTE, event_type=None, field=name, value=value)


BASES = (
    *(wants(name) for name in (*NAMES, "unheard of")),
    *(wants("tier", value) for value in ("gold", "Gold", "tin's", "")),
    *(wants("age", value) for value in ("1.5", "34.0")),
)
PLAN, FEW = plan_of(*BASES), plan_of(*BASES, max_events=4)
Row = tuple[str, datetime | None, dict[str, Any]]


def stored(folder: Path, rows: list[Row], *, names: tuple[str, ...] = NAMES, dated: bool = True) -> AttributeTable:
    """Write customers as a raw table, load it as ingest does, and open what was stored."""
    columns: dict[str, Any] = {"id": pa.array([customer for customer, _, _ in rows], pa.string())}
    columns["since"] = pa.array([since for _, since, _ in rows], pa.timestamp("us", tz="UTC"))
    for name in names:
        columns[name] = pa.array([values.get(name) for _, _, values in rows], TYPES[name])
    pq.write_table(pa.table(columns), folder / "raw.parquet")
    expressions = {"customer_id": "id", "valid_from": "since", **dict(zip(names, names, strict=True))}
    if not dated:
        del expressions["valid_from"]
    out = folder / "customers.parquet"
    load_customers(expressions, path="raw.parquet", query=None, root=folder, timezone="UTC", out=out)
    return open_attributes(out, names, dated=dated)


def batch_rows(events: list[Event], cutoffs: list[datetime], table: AttributeTable) -> dict[tuple[str, int], list[int]]:
    return rows_of(concat(list(build(FakeLog(events), PLAN, cutoffs, attributes=table, batch_rows=9))))


def wanted(rows: list[Row], customer: str, cutoff: datetime) -> list[int]:
    """The row by nested loops; dates and what the table lacks are null."""
    own = []
    for who, since, values in rows:
        if who == customer:
            own.append(oracle.Attributes(valid_from=since or ALWAYS, values=known_of(values)))
    found = []
    for base in PLAN.extra:
        if base.field == "age" and base.value is not None:
            found.append(_number_as_text(rows, customer, base, cutoff))
            continue
        found.append(oracle.attribute_value(own, base, cutoff))
    return found


def known_of(values: dict[str, Any]) -> dict[str, str | float]:
    """What is a number in range, or a text that is not empty."""
    known = {name: value for name, value in values.items() if value not in (None, "") and name != "gone"}
    known = {name: value if isinstance(value, str) else float(value) for name, value in known.items()}
    return {name: value for name, value in known.items() if isinstance(value, str) or not abs(value) > 4.6e15}


def _number_as_text(rows: list[Row], customer: str, base: Base, cutoff: datetime) -> int:
    """A number that was a text when the model was trained: equal if it is written alike."""
    before = [
        (since or ALWAYS, values) for who, since, values in rows if who == customer and (since or ALWAYS) < cutoff
    ]
    number = max(before, key=lambda row: row[0])[1].get("age") if before else None
    return oracle.NULL if number is None or not math.isfinite(number) else int(str(number) == base.value)


NUMBERS = st.sampled_from([None, 1.5, 34.0, -0.0005, 0.0005, 2.0005, -7.25, math.nan, math.inf, 1e300, 1e306, 4.6e15])
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "age": NUMBERS,
        "member": st.sampled_from([None, True, False]),
        "rank": st.sampled_from([None, oracle.Decimal("1.0005"), oracle.Decimal("-3.5000")]),
        "tier": st.sampled_from([None, "", "gold", "Gold", "tin's"]),
        "gone": st.sampled_from([None, day(3).date()]),
    },
)
CUSTOMERS = ("a", "b", "c'd é", "🛍", "nobody")
MOMENTS = st.sampled_from([0, 1, 2, 2.5, 3, 5, 9]).map(day) | st.sampled_from([day(3) - timedelta(microseconds=1)])
ROWS = st.lists(
    st.tuples(st.sampled_from(CUSTOMERS), MOMENTS, VALUES), max_size=14, unique_by=lambda row: (row[0], row[1])
)
EVENTS = st.lists(st.tuples(st.sampled_from(CUSTOMERS[:-1]), st.integers(-450, 9)), min_size=1, max_size=14)
CUTOFFS = [day(number) for number in (2, 3, 4.5, 10)]


@random_logs(30)
@given(EVENTS, ROWS, st.booleans())
def test_batch_and_states_equal_nested_loops(drawn: list[tuple[str, int]], rows: list[Row], dated: bool) -> None:
    events = [Event(at=day(at), customer=customer, id=f"e{n}") for n, (customer, at) in enumerate(drawn)]
    if not dated:
        rows = [(customer, None, values) for customer, values in {who: values for who, _, values in rows}.items()]
    with TemporaryDirectory() as folder:
        table = stored(Path(folder), rows, dated=dated)
        found = batch_rows(events, CUTOFFS, table)
        made = {customer: State.decode(state.encode()) for customer, state in attached(states(FakeLog(events)), table)}
        known = table.rows(CUSTOMERS)
    assert set(found) == {(one.customer, us(at)) for one in events for at in CUTOFFS if one.at < at}
    for (customer, cutoff_us), row in found.items():
        cutoff = next(at for at in CUTOFFS if us(at) == cutoff_us)
        expected = dict(zip(BASES, wanted(rows, customer, cutoff), strict=True))
        assert dict(zip(BASES, row, strict=True)) == expected
        assert dict(zip(BASES, made[customer].answer(PLAN, cutoff_us).base.tolist(), strict=True)) == expected
        own = [event_row(event, 0) for event in events if event.customer == customer and event.at < cutoff]
        arrived = replay(own, max_events=4, generator=dice(1, customer, cutoff_us), attributes=known.get(customer, ()))
        if not arrived.stale:
            assert arrived.answer(FEW, cutoff_us).base.tolist() == list(expected.values())


def test_a_change_is_seen_by_cutoffs_after_it_and_by_none_at_it(tmp_path: Path) -> None:
    rows: list[Row] = [("a", day(0), {"tier": "tin"}), ("a", day(10), {"tier": "gold"}), ("b", day(10), {"age": 7.0})]
    table = stored(tmp_path, rows)
    plan = plan_of(wants("tier", "gold"), wants("age"))
    events = [Event(at=day(-1), customer=customer) for customer in ("a", "b", "c")]
    moments = [day(0), day(5), day(10), day(10) + timedelta(microseconds=1)]
    found = rows_of(concat(list(build(FakeLog(events), plan, moments, attributes=table))))
    made = dict(attached(states(FakeLog(events)), table))
    null = oracle.NULL
    expected = {"a": [[null, null], [0, null], [0, null], [1, null]], "b": [[null, null]] * 3 + [[null, 7_000]]}
    for customer, answers in {**expected, "c": [[null, null]] * 4}.items():
        assert [found[customer, us(at)] for at in moments] == answers
        assert [made[customer].answer(plan, us(at)).base.tolist() for at in moments] == answers


def test_without_dates_every_cutoff_sees_them(tmp_path: Path) -> None:
    table = stored(tmp_path, [("a", None, {"age": 41.0})], dated=False)
    plan, long_ago = plan_of(wants("age")), day(-300)
    log = FakeLog([Event(at=day(-301), customer="a")])
    (row,) = rows_of(concat(list(build(log, plan, [long_ago], attributes=table)))).values()
    ((_, state),) = attached(states(log), table)
    assert row == state.answer(plan, us(long_ago)).base.tolist() == [41_000]


def test_a_customer_with_attributes_only_has_no_row(tmp_path: Path) -> None:
    table = stored(tmp_path, [("a", day(0), {"age": 1.0}), ("silent", day(0), {"age": 2.0})])
    log = FakeLog([Event(at=day(1), customer="a")])
    assert list(rows_of(concat(list(build(log, PLAN, [day(3)], attributes=table))))) == [("a", us(day(3)))]
    assert [customer for customer, _ in attached(states(log), table)] == ["a"]


def test_a_state_that_goes_on_keeps_its_attributes(tmp_path: Path) -> None:
    table = stored(tmp_path, [("a", day(0), {"tier": "gold"})])
    ((_, state),) = attached([("a", State.empty(max_events=2))], table)
    events = [event_row(Event(at=day(number), customer="a", id=f"e{number}"), 0) for number in range(40)]
    state = State.decode(state.update(events).state.compact().encode())
    plan = plan_of(wants("tier", "gold"), max_events=2)
    assert state.answer(plan, us(day(40))).base.tolist() == [1]


def test_a_worker_of_spark_reads_them_for_its_customers(tmp_path: Path) -> None:
    customers = [f"c{number:02d}" for number in range(30)]
    rows: list[Row] = [(one, day(number % 5), {"age": float(number)}) for number, one in enumerate(customers[::-1])]
    table = pickle.loads(pickle.dumps(stored(tmp_path, rows)))  # noqa: S301 (our own)
    before = np.full(1, 2**63 - 1, dtype=np.int64)
    task = Task.of(PLAN, (), cutoffs_us=np.array([us(day(3))]), received_before_us=before)
    events = [{"bucket": 1, "customer_id": one, "event_time": 0, "received_at": 0} for one in customers]
    schema = raw_schema(task).append(pa.field("bucket", pa.int32()))
    batches = pa.Table.from_pylist(events, schema=schema).to_batches(max_chunksize=4)
    (result,) = work(task, tmp_path, batches, attributes=table, batch_rows=7, table_bytes=1)
    found = rows_of(concat(list(read_tables(tmp_path / result.to_pylist()[0]["file"]))))
    assert found == {(one, us(day(3))): wanted(rows, one, day(3)) for one in customers}
    assert {row[0] for row in found.values()} > {oracle.NULL, 6_000}


def test_the_catalogue_gets_numbers_and_the_most_frequent_texts(tmp_path: Path) -> None:
    frequent = [f"t{number:02d}" for number in range(12)]
    texts = [*frequent, *frequent, "seldom", "rare", "", None]
    rows: list[Row] = [(f"c{at}", day(0), {"tier": text, "gone": day(0).date()}) for at, text in enumerate(texts)]
    listed, notes = stored(tmp_path, rows).listed()
    numbers = [Attribute(name=name) for name in ("age", "member", "rank")]
    assert listed == (*numbers, Attribute(name="tier", values=tuple(frequent)))
    assert [note.partition(";")[0] for note in notes] == [
        "attribute 'gone' is a DATE and becomes no feature",
        "attribute 'tier' has more than 12 values: the 12 most frequent become features",
    ]


def test_texts_that_are_empty_or_look_like_numbers_are_told(tmp_path: Path) -> None:
    listed, notes = stored(tmp_path, [("a", None, {"tier": "007"})], names=("tier",), dated=False).listed()
    assert listed == (Attribute(name="tier", values=("007",)),)
    assert 'tier = "CAST(tier AS DOUBLE)"' in notes[0]
    listed, notes = stored(tmp_path, [("a", None, {"tier": ""})], names=("tier",), dated=False).listed()
    assert listed == ()  # no values would mean a number
    assert notes == ("attribute 'tier' is empty in every row and becomes no feature",)


@pytest.mark.parametrize(
    ("dated", "names", "opened", "found"),
    [
        (False, ("age",), True, "has no valid_from"),
        (True, ("age",), False, "has a valid_from that"),
        (True, ("age", "tier"), True, "has no tier"),
    ],
)
def test_a_table_of_another_configuration_is_refused(
    tmp_path: Path, dated: bool, names: tuple[str, ...], opened: bool, found: str
) -> None:
    stored(tmp_path, [("a", day(0), {"age": 1.0})], names=("age",), dated=dated)
    with pytest.raises(StateError, match=f"{found}.*ebbtide ingest"):
        open_attributes(tmp_path / "customers.parquet", names, dated=opened)


def test_a_damaged_table_is_told(tmp_path: Path) -> None:
    table = stored(tmp_path, [("a", day(0), {"age": 1.0})])
    table.path.write_bytes(b"PAR1" + bytes(40))
    with pytest.raises(StateError, match="table of customers cannot be read"):
        table.rows(["a"])

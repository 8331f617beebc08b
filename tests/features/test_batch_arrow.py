"""Raw Arrow rows become what the kernel reads, however they were cut into pieces on the way."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from features.batch import Task
from features.batch_arrow import batch_from_arrow, customer_runs, raw_schema, scaled_numbers, whole_customers
from features.events import MAX_MAGNITUDE, SCALES, scaled
from features.kernel_program import NULL, ORDER_OF_ITS_OWN
from tests.features.small_logs import base, plan_of


def task_of(*event_types: str, number: str = "amount") -> Task:
    bases = [base("sum", event_type, field=number) for event_type in event_types]
    nothing = np.zeros(0, dtype=np.int64)
    return Task.of(plan_of(*bases), (), cutoffs_us=nothing, received_before_us=nothing)


def raw(*rows: tuple[str, int, str, str | None, float | None], task: Task) -> pa.Table:
    names = ("customer_id", "event_time", "event_type", "order_id", "amount")
    return pa.Table.from_pylist(
        [{"received_at": row[1] + 1, **dict(zip(names, row, strict=True))} for row in rows], schema=raw_schema(task)
    )


def test_every_column_becomes_the_kernels() -> None:
    task = task_of("purchase", "refund")
    rows = [
        ("a", 1, "purchase", "o1", 12.345),
        ("a", 2, "view", None, None),
        ("a", 3, "refund", "o2", math.nan),
        ("b", 0, "purchase", "o1", -0.005),
        ("b", 9, "refund", "o1", math.inf),
    ]
    whole = raw(*rows, task=task)
    pieces = pa.concat_tables([raw(row, task=task) for row in rows])
    assert pieces.column("order_id").num_chunks == 5
    for table in (whole, pieces):
        batch = batch_from_arrow(table, task)
        assert batch.customer_ids.tolist() == ["a", "b"]
        assert batch.offsets.tolist() == [0, 3, 5]
        assert batch.events.time.tolist() == [1, 2, 3, 0, 9]
        assert batch.events.received.tolist() == [2, 3, 4, 1, 10]
        assert batch.events.kind.tolist() == [1, 0, 2, 1, 2]
        assert batch.events.numbers.tolist() == [[1235, NULL, NULL, -1, NULL]]
        one, none, other, again, last = batch.events.order.tolist()
        assert none == ORDER_OF_ITS_OWN
        assert one == again == last != other
        assert min(one, other) >= 0
        assert all(array.flags.writeable for array in batch.events)


def test_no_rows_are_a_batch_of_nobody() -> None:
    for task in (task_of("purchase"), task_of()):
        batch = batch_from_arrow(raw_schema(task).empty_table(), task)
        assert batch.customer_ids.size == 0
        assert batch.offsets.tolist() == [0]
        assert batch.events.numbers.shape == (len(task.readings), 0)


@given(st.floats(-MAX_MAGNITUDE, MAX_MAGNITUDE), st.sampled_from(sorted(SCALES)))
def test_numbers_are_scaled_as_one_by_one(number: float, column: str) -> None:
    assert scaled_numbers(np.array([number]), column).tolist() == [scaled(number, column)]


@given(st.integers(-(10**6), 10**6), st.sampled_from(sorted(SCALES)))
def test_halves_are_rounded_away_from_zero(number: int, column: str) -> None:
    half = (2 * number + 1) / (2 * SCALES[column])
    assert scaled_numbers(np.array([half]), column).tolist() == [scaled(half, column)]


@given(
    st.lists(st.integers(1, 7), max_size=12),
    st.lists(st.integers(0, 5), min_size=90, max_size=90),
    st.integers(1, 12),
)
def test_customers_stay_whole_however_the_stream_is_cut(sizes: list[int], cuts: list[int], rows: int) -> None:
    ids = [f"c{number}" for number, size in enumerate(sizes) for _ in range(size)]
    table = pa.table({"customer_id": pa.array(ids, pa.string()), "at": pa.array(range(len(ids)), pa.int64())})
    batches, start = [], 0
    for cut in cuts:
        batches += table.slice(start, cut).to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
        start += cut
    batches += table.slice(start).to_batches()
    parts = list(whole_customers(batches, rows))
    assert [at for part in parts for at in part.column("at").to_pylist()] == list(range(len(ids)))
    seen = [set(part.column("customer_id").to_pylist()) for part in parts]
    assert sum(map(len, seen)) == len(sizes)  # nobody in two parts
    largest, batch = max(sizes, default=0), max((batch.num_rows for batch in batches), default=0)
    assert all(0 < part.num_rows < rows + largest + batch for part in parts)


def test_a_customer_with_many_rows_is_one_part_and_does_not_keep_others_waiting() -> None:
    ids = ["a", "b", *["c"] * 50, "d"]
    table = pa.table({"customer_id": ids})
    parts = list(whole_customers(table.to_batches(max_chunksize=3), 3))
    assert [part.num_rows for part in parts] == [2, 50, 1]


def test_customers_that_end_where_a_batch_ends_are_given_out() -> None:
    table = pa.table({"customer_id": list("abcdefghi")})
    assert [part.num_rows for part in whole_customers(table.to_batches(max_chunksize=1), 3)] == [2, 2, 2, 2, 1]


def test_runs_of_ids_that_are_any_text() -> None:
    ids = ["", " ", "a b", "a b", "x" * 10_000, "🛍", "🛍"]
    offsets, customers = customer_runs(pa.chunked_array([ids[:3], ids[3:]]))
    assert offsets.tolist() == [0, 1, 2, 4, 5, 7]
    assert customers.tolist() == ["", " ", "a b", "x" * 10_000, "🛍"]

"""What a worker does with a partition, without Spark: the same rows as the DuckDB engine, in bounded pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.batch import Task
from features.batch_arrow import batch_from_arrow, raw_schema
from features.feature_table import concat
from features.feature_table_file import read_tables
from features.spark_worker import RESULT, divided, work
from tests.features.oracle import Event, day, us
from tests.features.small_logs import base, plan_of, table_of

PLAN = plan_of(base("sum", field="amount"), base("count", window=7))
CUTOFFS = (4, 9)
TASK = Task.of(
    PLAN,
    (),
    cutoffs_us=np.array([us(day(at)) for at in CUTOFFS]),
    received_before_us=np.full(2, 2**63 - 1, dtype=np.int64),
)


def shop(customers: int) -> list[Event]:
    return [
        Event(at=day(number % 5 + step), customer=f"c{number}", order=f"o{step}", numbers={"amount": step + 0.5})
        for number in range(customers)
        for step in range(number % 7 + 1)
    ]


def rows_of(events: list[Event]) -> pa.Table:
    """Sorted by customer and time, all in bucket 3."""
    rows = [
        {
            "bucket": 3,
            "customer_id": event.customer,
            "event_type": event.type,
            "order_id": event.order,
            "event_time": us(event.at),
            "received_at": us(event.received_at),
            **event.numbers,
        }
        for event in sorted(events, key=lambda event: (event.customer, event.at))
    ]
    return pa.Table.from_pylist(rows, schema=raw_schema(TASK).append(pa.field("bucket", pa.int32())))


@pytest.mark.parametrize(("chunk", "batch_rows", "table_bytes"), [(1_000, 1_000, 10**9), (3, 5, 1), (1, 1, 200)])
def test_a_partition_gives_its_customers_rows(tmp_path: Path, chunk: int, batch_rows: int, table_bytes: int) -> None:
    events = shop(30)
    batches = rows_of(events).to_batches(max_chunksize=chunk)
    (result,) = work(TASK, tmp_path, batches, batch_rows=batch_rows, table_bytes=table_bytes)
    assert result.schema == RESULT
    (row,) = result.to_pylist()
    assert (row["bucket"], row["events"]) == (3, len(events))
    tables = list(read_tables(tmp_path / row["file"]))
    assert (len(tables) > 1) == (table_bytes < 10**9)
    found, wanted = concat(tables), table_of(events, PLAN, CUTOFFS)
    assert {key(found, at) for at in range(len(found))} == {key(wanted, at) for at in range(len(wanted))}
    assert len(found) == len(wanted)


def key(table: object, at: int) -> tuple[object, ...]:
    return table.customer_ids[table.customer[at]], int(table.cutoff_us[at]), table.base[at].tobytes()  # type: ignore[attr-defined]


def test_a_partition_without_rows_leaves_nothing(tmp_path: Path) -> None:
    assert list(work(TASK, tmp_path, [])) == []
    assert list(tmp_path.iterdir()) == []


def test_a_repeated_attempt_writes_its_own_file(tmp_path: Path) -> None:
    batches = rows_of(shop(3)).to_batches()
    names = {result.to_pylist()[0]["file"] for _ in range(2) for result in work(TASK, tmp_path, batches)}
    assert len(names) == 2


def test_parts_of_a_batch_hold_as_many_customers_as_fit() -> None:
    batch = batch_from_arrow(rows_of(shop(5)), TASK)
    row = 8 * (2 + len(PLAN.base))
    sizes = [part.customer_ids.size for part in divided(batch, TASK, 2 * row * len(CUTOFFS))]
    assert sizes == [2, 2, 1]
    assert [part.offsets.tolist() for part in divided(batch, TASK, 1)] == [
        batch.offsets[at : at + 2].tolist() for at in range(5)
    ]

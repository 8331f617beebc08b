"""Events of a range of buckets, brought together by customer: from DuckDB's query to the kernel's arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.batch import Batch, ReadableAttributes, Task, no_attributes
from features.batch_arrow import customer_runs
from features.events import scaled_sql
from features.kernel_program import NULL, ORDER_OF_ITS_OWN, Events, Ints
from features.layout import Reading

__all__ = ["integers", "order_code", "read_batch", "scaled_or_null", "text_code"]

_FEW_TYPES: Final = 12
"""Up to so many event types a CASE is as fast as anything; beyond, an ENUM's cost does not grow with their number."""


def read_batch(
    connection: duckdb.DuckDBPyConnection, scan: str, task: Task, attributes: ReadableAttributes | None
) -> Batch:
    """Batch of the events that a scan of the log selects.

    A segment of the log is written in order, and DuckDB keeps it; so the query is not sorted at first, and only sorted
    if what came is not in order (several segments), which is cheaper to see than to sort (ADR 0008).
    """
    query = _query(connection, scan, task)
    table = connection.sql(query).to_arrow_table()
    offsets, ids = customer_runs(table.column("customer_id"))
    if not _in_order(table, offsets, ids):
        table = connection.sql(f"{query} ORDER BY bucket, customer_id, event_time").to_arrow_table()
        offsets, ids = customer_runs(table.column("customer_id"))
    numbers = np.empty((len(task.readings), table.num_rows), dtype=np.int64)
    for at in range(len(task.readings)):
        _copy(table.column(f"reading_{at}"), numbers[at])
    events = Events(
        time=integers(table.column("event_time")),
        received=integers(table.column("received_at")),
        kind=np.empty(table.num_rows, dtype=np.int16),
        order=integers(table.column("order_code")),
        numbers=numbers,
    )
    _copy(table.column("kind"), events.kind)
    known = no_attributes(ids.size) if attributes is None else attributes.of(ids, task.plan.attributes)
    return Batch(customer_ids=ids, offsets=offsets, events=events, attributes=known)


def integers(column: pa.ChunkedArray[pa.Int64Scalar]) -> Ints:
    """Writable copy of a column without nulls."""
    values = np.empty(len(column), dtype=np.int64)
    _copy(column, values)
    return values


def scaled_or_null(name: str) -> str:
    """SQL of a number of the log as a scaled integer; missing and not finite is NULL's integer."""
    return f"CASE WHEN isfinite(CAST({name} AS DOUBLE)) THEN {scaled_sql(name)} ELSE {NULL} END"


def order_code(code: str) -> str:
    """SQL of an order's code."""
    return f"CASE WHEN order_id IS NULL THEN {ORDER_OF_ITS_OWN} ELSE CAST({code} >> 1 AS BIGINT) END"


def text_code(name: str, code: str) -> str:
    """SQL of a text's code; missing is NULL's integer."""
    return f"CASE WHEN {name} IS NULL THEN {NULL} ELSE CAST({code} >> 1 AS BIGINT) END"


def _query(connection: duckdb.DuckDBPyConnection, scan: str, task: Task) -> str:
    kind = _kind(connection, task.event_types)
    selected = [_reading(reading, task.filters) for reading in task.readings]
    readings = "".join(f", {sql} AS reading_{at}" for at, sql in enumerate(selected))
    return (
        "SELECT customer_id, epoch_us(event_time) AS event_time, epoch_us(received_at) AS received_at, "
        f"{kind} AS kind, {order_code('hash(order_id)')} AS order_code{readings}, bucket FROM ({scan})"
    )


def _kind(connection: duckdb.DuckDBPyConnection, event_types: Sequence[str]) -> str:
    if not event_types:
        return "CAST(0 AS SMALLINT)"
    if len(event_types) > _FEW_TYPES:
        names = ", ".join(_quoted(name) for name in event_types)
        connection.execute(f"CREATE OR REPLACE TYPE wanted_event_type AS ENUM ({names})")
        return "CAST(coalesce(enum_code(TRY_CAST(event_type AS wanted_event_type)) + 1, 0) AS SMALLINT)"
    kinds = " ".join(f"WHEN {_quoted(name)} THEN {at}" for at, name in enumerate(event_types, 1))
    return f"CAST(CASE event_type {kinds} ELSE 0 END AS SMALLINT)"


def _reading(reading: Reading, filters: Mapping[str, Sequence[str]]) -> str:
    column = reading.column
    if reading.how == "number":
        return scaled_or_null(column)
    if reading.how == "text":
        return text_code(column, f"hash({column})")
    values = ", ".join(_quoted(value) for value in filters.get(column, ()))
    code = f"CAST(coalesce(list_position([{values}]::VARCHAR[], {column}), 0) AS BIGINT)"
    return f"CASE WHEN {column} IS NULL THEN {NULL} ELSE {code} END"


def _in_order(table: pa.Table, offsets: Ints, ids: NDArray[np.object_]) -> bool:
    """Whether customers ascend by bucket and id, each with rows that ascend by time."""
    buckets = table.column("bucket").to_numpy()[offsets[:-1]]
    if ids.size and not ((buckets[1:] > buckets[:-1]) | ((buckets[1:] == buckets[:-1]) & (ids[1:] > ids[:-1]))).all():
        return False
    descends = np.zeros(table.num_rows, dtype=np.bool_)
    at, last = 0, None
    for chunk in table.column("event_time").chunks:
        time = chunk.to_numpy()
        descends[at + 1 : at + time.size] = time[1:] < time[:-1]
        if last is not None and time.size:
            descends[at] = time[0] < last
        at, last = at + time.size, time[-1] if time.size else last
    descends[offsets[:-1]] = False
    return not descends.any()


def _copy(column: pa.ChunkedArray[Any], into: NDArray[np.generic]) -> None:
    at = 0
    for chunk in column.chunks:
        into[at : at + len(chunk)] = chunk.to_numpy()
        at += len(chunk)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

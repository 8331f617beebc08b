"""One machine, out of core: DuckDB brings a batch of buckets' events together, the kernel does the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Protocol, cast

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.batch import Batch, ReadableAttributes, Task, compute
from features.batch_arrow import customer_runs
from features.cutoffs import moments
from features.definition import MAX_EVENTS
from features.duckdb_read import integers, order_code, read_batch, scaled_or_null, text_code
from features.errors import StateError
from features.events import SCALES, TEXTS
from features.feature_table import FeatureTable, concat
from features.outcome import Outcome
from features.plan import Plan
from features.state import State
from features.state_bulk import EventColumns, states_of

__all__ = ["BATCH_ROWS", "FeatureTable", "ReadableLog", "bucket_batches", "build", "concat", "states"]

BATCH_ROWS: Final = 750_000
"""Events that are held at a time."""


class ReadableLog(Protocol):
    """What the engine needs of a snapshot of the event log."""

    @property
    def bucket_rows(self) -> tuple[int, ...]:
        """Rows a bucket."""

    def scan_sql(self, first_bucket: int, last_bucket: int) -> str:
        """SQL that selects the rows of the buckets, both inclusive."""


def build(
    snapshot: ReadableLog,
    plan: Plan,
    cutoffs: Sequence[datetime],
    *,
    received_before: Sequence[datetime] | None = None,
    outcomes: Sequence[Outcome] = (),
    attributes: ReadableAttributes | None = None,
    threads: int = 2,
    progress: Callable[[int, int], None] | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Iterator[FeatureTable]:
    """Build the feature table of a log, batch by batch; memory is bounded by two batches.

    Parameters
    ----------
    snapshot : ReadableLog
        The log.
    plan : Plan
        The features.
    cutoffs : sequence of datetime
        Aware, distinct, in any order.
    received_before : sequence of datetime, optional
        One a cutoff: events received at or after it are not seen. None: all received events are seen.
    outcomes : sequence of Outcome
        What to look for after each cutoff.
    attributes : ReadableAttributes, optional
        Where customers' attributes come from; None: every attribute is null.
    threads : int
        For DuckDB and for the kernel.
    progress : callable, optional
        Called after each batch with the events done and the events in the log.
    batch_rows : int
        Events to hold at a time; a bucket is never divided.

    Yields
    ------
    FeatureTable
        One a batch; customers of different batches differ. At least one, perhaps without rows.

    Raises
    ------
    UsageError
        If cutoffs repeat, or ``received_before`` has another length.
    StateError
        If the log cannot be read.
    """
    at, before = moments(cutoffs, received_before)
    task = Task.of(plan, outcomes, cutoffs_us=at, received_before_us=before)
    done, total = 0, sum(snapshot.bucket_rows)
    with _connected(threads) as connection, ThreadPoolExecutor(max_workers=1) as reader:
        scans = (snapshot.scan_sql(*buckets) for buckets in bucket_batches(snapshot.bucket_rows, batch_rows))
        reads = (reader.submit(read_batch, connection, scan, task, attributes) for scan in scans)
        for batch in _one_ahead(reads):
            yield compute(task, batch, threads=threads)
            done += batch.events.time.size
            if progress is not None:
                progress(done, total)


def states(
    snapshot: ReadableLog,
    *,
    max_events: int = MAX_EVENTS,
    threads: int = 2,
    progress: Callable[[int, int], None] | None = None,
    batch_rows: int = BATCH_ROWS // 3,
) -> Iterator[tuple[str, State]]:
    """Packed state of every customer of a log, compacted: what fills the online store in bulk.

    Parameters
    ----------
    snapshot : ReadableLog
        The log.
    max_events : int
        How many of a customer's last events windows see.
    threads : int
        For DuckDB.
    progress : callable, optional
        Called after each batch with the events done and the events in the log.
    batch_rows : int
        Events to hold at a time; a bucket is never divided.

    Yields
    ------
    (str, State)
        Customer id and state, each customer once.
    """
    done, total = 0, sum(snapshot.bucket_rows)
    with _connected(threads) as connection:
        for first, last in bucket_batches(snapshot.bucket_rows, batch_rows):
            table = connection.sql(_states_sql(snapshot.scan_sql(first, last))).to_arrow_table()
            offsets, ids = customer_runs(table.column("customer_id"))
            yield from zip(ids, states_of(_columns(table), offsets, max_events=max_events), strict=True)
            done += table.num_rows
            if progress is not None:
                progress(done, total)


def bucket_batches(bucket_rows: Sequence[int], batch_rows: int) -> Iterator[tuple[int, int]]:
    """Ranges of buckets, both ends inclusive, of at most so many rows where a bucket allows it.

    Examples
    --------
    >>> list(bucket_batches([5, 5, 1, 9, 0], 10))
    [(0, 1), (2, 4)]
    >>> list(bucket_batches([50, 5], 10))
    [(0, 0), (1, 1)]
    """
    first, held = 0, 0
    for bucket, rows in enumerate(bucket_rows):
        if held and held + rows > batch_rows:
            yield first, bucket - 1
            first, held = bucket, 0
        held += rows
    if bucket_rows:
        yield first, len(bucket_rows) - 1


def _one_ahead(reads: Iterator[Future[Batch]]) -> Iterator[Batch]:
    """Batches in turn, each given out only after the next one has begun to be read."""
    pending: Future[Batch] | None = None
    for following in reads:
        if pending is not None:
            yield pending.result()
        pending = following
    if pending is not None:
        yield pending.result()


@contextmanager
def _connected(threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with duckdb.connect(":memory:", config={"threads": threads}) as connection:
            # Segments never change; without this every batch reads a whole segment's footer, at 100 M rows 0.1 s each.
            connection.execute("SET parquet_metadata_cache = true")
            yield connection
    except duckdb.Error as error:
        raise StateError(
            f"the event log cannot be read: {str(error).splitlines()[0]}",
            remedy="restore its folder from a backup, or delete all of it and run `ebbtide ingest` again",
        ) from error


def _states_sql(scan: str) -> str:
    numbers = ", ".join(f"{scaled_or_null(name)} AS scaled_{name}" for name in SCALES)
    texts = ", ".join(f"{text_code(name, f'md5_number_lower({name})')} AS code_{name}" for name in TEXTS)
    return (
        "SELECT customer_id, epoch_us(event_time) AS event_time, epoch_us(received_at) AS received_at, event_type, "
        f"{order_code('md5_number_lower(order_id)')} AS order_code, "
        f"CAST(md5_number_lower(event_id) >> 1 AS BIGINT) AS event_code, event_id, order_id, {numbers}, {texts}, "
        f"CAST(amount AS DOUBLE) AS amount FROM ({scan}) "
        "ORDER BY bucket, customer_id, event_time, order_code, event_code"
    )


def _columns(table: pa.Table) -> EventColumns:
    event_ids, order_ids = table.column("event_id"), table.column("order_id")
    column = table.column("event_type").combine_chunks()
    kinds = cast("Any", pc.dictionary_encode(column))  # the stubs promise any array

    def texts(start: int, stop: int) -> list[tuple[str, str | None]]:
        pair = (event_ids.slice(start, stop - start), order_ids.slice(start, stop - start))
        return list(zip(*(part.to_pylist() for part in pair), strict=True))

    return EventColumns(
        time=integers(table.column("event_time")),
        received=integers(table.column("received_at")),
        order=integers(table.column("order_code")),
        key=integers(table.column("event_code")),
        kind=kinds.indices.to_numpy(),
        names=tuple(kinds.dictionary.to_pylist()),
        numbers={name: integers(table.column(f"scaled_{name}")) for name in SCALES}
        | {name: integers(table.column(f"code_{name}")) for name in TEXTS},
        amount=table.column("amount").to_numpy(),
        texts=texts,
    )

"""What a Spark worker process does with one partition: raw rows in, feature tables to a file, the file's name out."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from features.batch import Batch, ReadableAttributes, Task, compute
from features.batch_arrow import batch_from_arrow, whole_customers
from features.feature_table_file import append_table

__all__ = ["RESULT", "RESULT_SQL", "divided", "work"]

_FIELDS: Final[list[pa.Field[Any]]] = [
    pa.field("bucket", pa.int32()),
    pa.field("events", pa.int64()),
    pa.field("file", pa.string()),
]
RESULT: Final = pa.schema(_FIELDS)
"""One row a partition that has rows: its first bucket, how many events it has, and where the tables are."""

RESULT_SQL: Final = "bucket int, events bigint, file string"
"""The same schema as Spark writes it."""

_BATCH_ROWS: Final = 200_000
_TABLE_BYTES: Final = 64_000_000


def work(
    task: Task,
    folder: Path,
    batches: Iterable[pa.RecordBatch],
    *,
    attributes: ReadableAttributes | None = None,
    batch_rows: int = _BATCH_ROWS,
    table_bytes: int = _TABLE_BYTES,
) -> Iterator[pa.RecordBatch]:
    """Compute a partition's feature tables.

    Parameters
    ----------
    task : Task
        What to compute.
    folder : Path
        Where the file goes; the driver reads it there.
    batches : iterable of pa.RecordBatch
        The partition's rows, sorted by bucket, customer and time: ``bucket`` and
        :func:`features.batch_arrow.raw_schema`.
    attributes : ReadableAttributes, optional
        Where customers' attributes come from.
    batch_rows : int
        Events to hold at a time; a customer is never divided.
    table_bytes : int
        Most bytes of a table that has more than one customer.

    Yields
    ------
    pa.RecordBatch
        One row of :data:`RESULT`; nothing for a partition without rows.
    """
    # A partition that is computed again, after a failure or speculatively, must not write into its first file.
    path = folder / f"{uuid.uuid4().hex}.tables"
    bucket, events = -1, 0
    with path.open("wb") as file:
        for rows in whole_customers(batches, batch_rows):
            if bucket < 0:
                bucket = int(rows.column("bucket")[0].as_py())
            events += rows.num_rows
            for batch in divided(batch_from_arrow(rows, task, attributes), task, table_bytes):
                append_table(file, compute(task, batch, threads=1))
    if bucket < 0:
        path.unlink()
        return
    yield pa.RecordBatch.from_pylist([{"bucket": bucket, "events": events, "file": path.name}], schema=RESULT)


def divided(batch: Batch, task: Task, table_bytes: int) -> Iterator[Batch]:
    """Share a batch's customers out so that no feature table becomes larger than so many bytes."""
    row = 8 * (2 + len(task.plan.extra) + task.outcomes) + 4 * len(task.plan.features)
    step = max(1, table_bytes // (row * max(1, task.job.cutoffs.size)))
    for first in range(0, batch.customer_ids.size, step):
        yield Batch(
            customer_ids=batch.customer_ids[first : first + step],
            offsets=batch.offsets[first : first + step + 1],
            events=batch.events,
            attributes=batch.attributes._replace(start=batch.attributes.start[first : first + step + 1]),
        )

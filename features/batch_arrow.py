"""From an Arrow table of raw log rows to what the kernel reads: for engines that bring the rows together elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.batch import Batch, ReadableAttributes, Task, no_attributes
from features.events import SCALES
from features.kernel_program import NULL, ORDER_OF_ITS_OWN, Events, Ints

__all__ = ["batch_from_arrow", "customer_runs", "raw_schema", "scaled_numbers", "whole_customers"]


def raw_schema(task: Task) -> pa.Schema:
    """Columns of the log that :func:`batch_from_arrow` reads; times are epoch µs."""
    fields: list[pa.Field[Any]] = [pa.field(name, pa.string()) for name in ("customer_id", "event_type", "order_id")]
    fields += [pa.field(name, pa.int64()) for name in ("event_time", "received_at")]
    readings = dict.fromkeys((reading.column, reading.how == "number") for reading in task.readings)
    fields += [pa.field(name, pa.float64() if is_number else pa.string()) for name, is_number in readings]
    return pa.schema(fields)


def batch_from_arrow(table: pa.Table, task: Task, attributes: ReadableAttributes | None = None) -> Batch:
    """Turn raw rows of whole customers into a batch.

    Parameters
    ----------
    table : pa.Table
        As :func:`raw_schema`, each customer's rows together and sorted by event time. Numbers are as the log has them:
        null, NaN and infinities are missing.
    task : Task
        Says which classes and readings the kernel wants.
    attributes : ReadableAttributes, optional
        Where customers' attributes come from; None: every attribute is null.

    Returns
    -------
    Batch
        Customers in the table's order. Codes of orders and texts are numbers of this table: equal for equal ones.
    """
    offsets, ids = customer_runs(table.column("customer_id"))
    events = Events(
        time=_integers(table.column("event_time")),
        received=_integers(table.column("received_at")),
        kind=_classes(table.column("event_type"), task.event_types),
        order=_codes(table.column("order_id"), missing=ORDER_OF_ITS_OWN),
        numbers=np.empty((len(task.readings), table.num_rows), dtype=np.int64),
    )
    for at, reading in enumerate(task.readings):
        column = table.column(reading.column)
        if reading.how == "number":
            events.numbers[at] = scaled_numbers(column.to_numpy(), reading.column)
        elif reading.how == "text":
            events.numbers[at] = _codes(column, missing=NULL)
        else:
            which = _classes(column, task.filters.get(reading.column, ())).astype(np.int64)
            events.numbers[at] = np.where(column.is_null().to_numpy(), NULL, which)
    known = no_attributes(ids.size) if attributes is None else attributes.of(ids, task.plan.attributes)
    return Batch(customer_ids=ids, offsets=offsets, events=events, attributes=known)


def scaled_numbers(numbers: NDArray[np.float64], column: str) -> Ints:
    """Array form of :func:`features.events.scaled`; what is not finite becomes :data:`NULL`.

    Examples
    --------
    >>> scaled_numbers(np.array([12.345, -0.005, np.nan]), "amount").tolist()
    [1235, -1, -9223372036854775808]
    """
    known = np.isfinite(numbers)
    product = np.where(known, numbers, 0.0) * SCALES[column]
    size = np.abs(product)
    whole = np.floor(size)
    whole += size - whole >= 0.5
    return np.where(known, np.copysign(whole, product).astype(np.int64), NULL)


def customer_runs(column: pa.ChunkedArray[Any]) -> tuple[Ints, NDArray[np.object_]]:
    """Where each customer's rows begin, with the end of the last, and the customers' ids in that order."""
    if len(column) == 0:
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=object)
    joined = column.cast(pa.large_string()).combine_chunks()  # long ids: more than 2 GiB of text fit together
    runs = pc.run_end_encode(joined)  # type: ignore[attr-defined] # the stubs lack it
    ids = np.empty(len(runs.values), dtype=object)
    ids[:] = runs.values.to_numpy(zero_copy_only=False)
    return np.concatenate([[0], runs.run_ends.to_numpy()]).astype(np.int64), ids


def whole_customers(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Cut a stream of rows, each customer's together, into tables of whole customers.

    Parameters
    ----------
    batches : iterable of pa.RecordBatch
        With ``customer_id``; a customer may go on over any number of them.
    rows : int
        A table is given out as soon as so many rows are held: it has more only by the last batch, or by one customer
        with more than that.

    Yields
    ------
    pa.Table
        Never empty.
    """
    held: list[pa.RecordBatch] = []
    size, complete = 0, 0  # rows held; rows at their beginning whose customers are over
    last: str | None = None
    for batch in batches:
        if batch.num_rows == 0:
            continue
        ids = batch.column(batch.schema.get_field_index("customer_id"))
        if ids[0].as_py() != last:
            complete = size
        last = ids[-1].as_py()
        starts = int(pc.index(ids, last).as_py())
        complete = size + starts if starts else complete
        held.append(batch)
        size += batch.num_rows
        if size >= rows and complete:
            table = pa.Table.from_batches(held)
            yield table.slice(0, complete)
            held = table.slice(complete).to_batches()
            size, complete = size - complete, 0
    if held:
        yield pa.Table.from_batches(held)


def _integers(column: pa.ChunkedArray[Any]) -> Ints:
    return np.array(column.to_numpy(), dtype=np.int64)


def _classes(column: pa.ChunkedArray[Any], event_types: tuple[str, ...]) -> NDArray[np.int16]:
    """Class i + 1 of the i-th type, 0 of any other."""
    place = cast("Any", pc.index_in(column, pa.array(event_types, column.type)))  # the stubs promise any object
    return np.array(place.fill_null(-1).to_numpy() + 1, dtype=np.int16)


def _codes(column: pa.ChunkedArray[Any], *, missing: int) -> Ints:
    if len(column) == 0:
        return np.zeros(0, dtype=np.int64)
    encoded = cast("Any", pc.dictionary_encode(column))  # all chunks share one dictionary
    parts: list[pa.Array[Any]] = [chunk.indices.cast(pa.int64()).fill_null(missing) for chunk in encoded.chunks]
    return np.concatenate([part.to_numpy() for part in parts])

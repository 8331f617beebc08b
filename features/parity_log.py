"""What the parity replay reads of a log: whom to replay, their events as they arrived, and a log cut to them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Final, Protocol

import duckdb
import pyarrow as pa

from features.attributes import AttributeTable
from features.duckdb_engine import ReadableLog, bucket_batches, states
from features.errors import StateError
from features.events import COLUMNS
from features.parity_replay import Customer, Moment
from features.sources import sql_text
from features.state import AttributeRow, EventRow, State

__all__ = ["MOST_EVENTS", "ReplayableLog", "Sample", "SampledLog", "customers", "rebuilt", "sample"]

MOST_EVENTS: Final = 200_000
"""Customers with more events than this are not replayed one event at a time."""
_BATCH_ROWS: Final = 300_000
_STRATA: Final = {
    "busiest": ("true", "n DESC"),
    "late": ("lag_us > 0", "lag_us DESC"),
    "corrected": ("corrected", "draw"),
    "single": ("n = 1", "draw"),
    "random": ("true", "draw"),
}
_TIMES: Final = {"event_time_us": "event_time", "received_us": "received_at"}
_FIELDS: Final = tuple(
    field.name for field in fields(EventRow) if field.name in _TIMES or field.name in {one.name for one in COLUMNS}
)


class ReplayableLog(ReadableLog, Protocol):
    """What the replay needs of a snapshot of the event log."""

    def superseded_sql(self, first_bucket: int, last_bucket: int) -> str | None:
        """SQL that selects the rows of the buckets that were corrected, with load and version; None if none was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Customers to replay.

    Parameters
    ----------
    buckets : mapping of str to int
        Customer id → bucket.
    strata : mapping of str to int
        How many were chosen for what: most events, latest arrivals, corrections, a single event, at random; or all.
    left_out : int
        Customers with more than :data:`MOST_EVENTS` events.
    """

    buckets: Mapping[str, int]
    strata: Mapping[str, int]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledLog:
    """A log cut to some customers, and to what is visible at a moment if one is given."""

    log: ReadableLog
    buckets: Mapping[str, int]
    moment: Moment | None = None

    @property
    def bucket_rows(self) -> tuple[int, ...]:
        """Rows a bucket of the whole log; 0 where no customer lives."""
        used = set(self.buckets.values())
        return tuple(rows if at in used else 0 for at, rows in enumerate(self.log.bucket_rows))

    def scan_sql(self, first_bucket: int, last_bucket: int) -> str:
        """SQL that selects the rows of the customers in the buckets, both inclusive."""
        conditions = [_one_of([one for one, at in self.buckets.items() if first_bucket <= at <= last_bucket])]
        if self.moment is not None:
            conditions.append(f"epoch_us(event_time) < {self.moment.cutoff_us}")
            conditions.append(f"epoch_us(received_at) < {self.moment.received_before_us}")
        return f"SELECT * FROM ({self.log.scan_sql(first_bucket, last_bucket)}) WHERE {' AND '.join(conditions)}"


def sample(log: ReplayableLog, count: int | None, *, seed: int) -> Sample:
    """Choose customers: a fifth each with most events, latest arrivals, corrections, a single event, and at random.

    Parameters
    ----------
    log : ReplayableLog
    count : int or None
        How many, at least 1; None: all.
    seed : int
        The same seed and log choose the same customers.

    Raises
    ------
    StateError
        If the log cannot be read.
    """
    candidates: dict[str, list[tuple[float | str, str, int]]] = {name: [] for name in _STRATA}
    left_out = 0
    most = sum(log.bucket_rows) if count is None else count
    with _connected() as connection:
        for first, last in bucket_batches(log.bucket_rows, 10 * _BATCH_ROWS):
            _count(connection, log, first, last, seed)
            found = connection.sql(f"SELECT count(*) FROM counted WHERE n > {MOST_EVENTS}").fetchall()
            left_out += int(found[0][0])
            for name, (condition, order) in _STRATA.items():
                column, _, descending = order.partition(" ")
                rank = f"-{column}" if descending else column
                candidates[name] += connection.sql(
                    f"SELECT {rank}, customer_id, bucket FROM counted WHERE n <= {MOST_EVENTS} AND {condition} "
                    f"ORDER BY {order}, customer_id LIMIT {most}"
                ).fetchall()
    if count is None:
        everyone = {customer_id: bucket for _, customer_id, bucket in candidates["random"]}
        return Sample(buckets=everyone, strata={"all": len(everyone)}, left_out=left_out)
    chosen: dict[str, int] = {}
    strata: dict[str, int] = {}
    for at, (name, rows) in enumerate(candidates.items(), 1):
        share = most if at == len(candidates) else -(-most * at // len(candidates))
        before = len(chosen)
        for _, customer_id, bucket in sorted(rows):
            if len(chosen) >= share:
                break
            chosen.setdefault(customer_id, bucket)
        strata[name] = len(chosen) - before
    return Sample(buckets=chosen, strata=strata, left_out=left_out)


def customers(
    log: ReplayableLog, buckets: Mapping[str, int], attributes: AttributeTable | None = None
) -> Iterator[Customer]:
    """Events of some customers in the order of their receipt, bucket by bucket, with their attributes.

    Of the versions that were corrected those are given that were received no later than the one that is the truth:
    where the log knows no times of receipt, the last loaded is the truth, which no order of receipt tells.

    Raises
    ------
    StateError
        If the log cannot be read.
    """
    sampled = SampledLog(log=log, buckets=buckets)
    with _connected() as connection:
        for first, last in bucket_batches(sampled.bucket_rows, _BATCH_ROWS):
            if any(sampled.bucket_rows[first : last + 1]):
                arrived = connection.sql(_arrivals(log, sampled, first, last)).to_arrow_table()
                ids = [one for one, at in buckets.items() if first <= at <= last]
                yield from _split(arrived, {} if attributes is None else attributes.rows(ids))


def rebuilt(log: ReadableLog, customer_id: str, bucket: int, moment: Moment, *, max_events: int) -> State | None:
    """A customer's state as the bulk path makes it of the events visible at a moment; None without any."""
    cut = SampledLog(log=log, buckets={customer_id: bucket}, moment=moment)
    return dict(states(cut, max_events=max_events, threads=1)).get(customer_id)


@contextmanager
def _connected() -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with duckdb.connect(":memory:", config={"threads": 2}) as connection:
            yield connection
    except duckdb.Error as error:
        raise StateError(
            f"the event log cannot be read: {str(error).splitlines()[0]}",
            remedy="restore its folder from a backup, or delete all of it and run `ebbtide ingest` again",
        ) from error


def _count(connection: duckdb.DuckDBPyConnection, log: ReplayableLog, first: int, last: int, seed: int) -> None:
    """Make the table of some buckets' customers: how many events, the longest delay, whether any was corrected."""
    superseded = log.superseded_sql(first, last)
    corrected = "false" if superseded is None else f"customer_id IN (SELECT customer_id FROM ({superseded}))"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE counted AS SELECT *, {corrected} AS corrected FROM ("
        "SELECT customer_id, any_value(bucket) AS bucket, count(*) AS n, "
        "max(epoch_us(received_at) - epoch_us(event_time)) AS lag_us, "
        f"md5(concat(customer_id, ':{int(seed)}')) AS draw FROM ({log.scan_sql(first, last)}) GROUP BY customer_id)"
    )


def _arrivals(log: ReplayableLog, sampled: SampledLog, first: int, last: int) -> str:
    columns = ", ".join(f"epoch_us(t.{_TIMES[name]}) AS {name}" if name in _TIMES else f"t.{name}" for name in _FIELDS)
    truth = sampled.scan_sql(first, last)
    rows = f"SELECT t.customer_id, {columns}, true AS is_truth, 0 AS load, 0 AS version FROM ({truth}) t"
    superseded = log.superseded_sql(first, last)
    if superseded is not None:
        rows += (
            f" UNION ALL SELECT t.customer_id, {columns}, false, t.load, t.version FROM ({superseded}) t "
            f"JOIN ({truth}) s ON s.event_id = t.event_id AND s.customer_id = t.customer_id "
            "WHERE t.received_at <= s.received_at"
        )
    return f"SELECT * FROM ({rows}) ORDER BY customer_id, received_us, is_truth, load, version, md5(event_id)"


def _split(table: pa.Table, attributes: Mapping[str, Sequence[AttributeRow]]) -> Iterator[Customer]:
    ids = [str(one) for one in table.column("customer_id").to_pylist()]
    truth = [bool(one) for one in table.column("is_truth").to_pylist()]
    events = table.select(_FIELDS)
    start = 0
    for stop in range(1, len(ids) + 1):
        if stop == len(ids) or ids[stop] != ids[start]:
            rows = _rows(events.slice(start, stop - start))
            known = attributes.get(ids[start], ())
            yield Customer(customer_id=ids[start], events=rows, is_truth=truth[start:stop], attributes=known)
            start = stop


def _rows(table: pa.Table) -> Sequence[EventRow]:
    columns = table.to_pydict()
    return [EventRow(**dict(zip(_FIELDS, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def _one_of(customer_ids: Collection[str]) -> str:
    return f"customer_id IN ({', '.join(map(sql_text, customer_ids))})" if customer_ids else "false"

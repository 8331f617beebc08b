"""A made-up shop's event log of any size, for measuring: seeded, clustered, in constant memory.

Customers differ: the number of visits is 1 + a Poisson of a gamma-distributed rate, each customer arrives at some time
in two years and drops out after an exponential time. A visit is a session, some views, searches and carts, and
sometimes an order of several lines, a coupon, a refund; messages come and are opened. All lines of an order share a
time. Three in a hundred events arrive up to some days late.

Customers are generated in chunks of whole buckets and streamed through the log's own writer, so that what is on disk is
what ``ebbtide ingest`` of one sorted load would have left there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.event_log import EventLog, Snapshot
from features.event_log_identity import BUCKET_SQL
from features.event_log_manifest import BlockEntry, Manifest, SegmentEntry, write_manifest
from features.event_log_segments import SEGMENTS, workspace, write_parquet
from features.event_log_stats import segment_stats
from features.events import BUCKETS, COLUMNS

__all__ = ["BYTES_A_ROW", "EVENTS_A_CUSTOMER", "TYPES", "LogSpec", "event_log"]

Ints = NDArray[np.int64]

VERSION: Final = 1
"""Raised when the generator would write another log for the same specification."""
EVENTS_A_CUSTOMER: Final = 50
BYTES_A_ROW: Final = 20
"""On disk, measured at 5 M rows, rounded up."""
START: Final = datetime(2023, 1, 1, tzinfo=UTC)
DAYS: Final = 731
TYPES: Final = (
    "session",
    "view",
    "search",
    "cart",
    "purchase",
    "coupon_redeemed",
    "refund",
    "message_sent",
    "message_open",
)
BLOCKS: Final = {"web": (0, 1, 2, 3), "orders": (4, 5, 6), "messages": (7, 8)}
"""How the types are shared out where the log is loaded from several tables."""

_SESSION, _VIEW, _SEARCH, _CART, _PURCHASE, _COUPON, _REFUND, _SENT, _OPEN = range(len(TYPES))
_CHUNK_ROWS: Final = 500_000
_EXTRA_VISITS: Final = 8.32  # visits beyond the first, on average: makes EVENTS_A_CUSTOMER
_DAY_US: Final = 86_400_000_000
_MINUTE_US: Final = 60_000_000
_NONE: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSpec:
    """What to generate; ``blocks`` is 1 or 3: how many tables, and so segments, the log was loaded from."""

    rows: int
    seed: int = 7
    blocks: int = 1

    @property
    def customers(self) -> int:
        """How many customers there are; each has at least one event."""
        return max(self.rows // EVENTS_A_CUSTOMER, 1)

    @property
    def name(self) -> str:
        """Folder name."""
        return f"log-v{VERSION}-{self.rows}-{self.blocks}-{self.seed}"


def event_log(spec: LogSpec, work: Path) -> Snapshot:
    """Snapshot of the log, generated into ``work`` unless it is there already.

    Raises
    ------
    OSError
        If the disk has less than twice the room it takes.
    """
    folder = work / spec.name
    if not (folder / "manifest.json").is_file():
        free = shutil.disk_usage(work).free
        if free < 2 * BYTES_A_ROW * spec.rows:
            raise OSError(
                f"{spec.rows:,} rows take about {BYTES_A_ROW * spec.rows / 1e9:.1f} GB; {free / 1e9:.1f} free"
            )
        _generate(spec, folder)
    return EventLog(folder).snapshot()


def _generate(spec: LogSpec, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / SEGMENTS).mkdir(parents=True)
    blocks = BLOCKS if spec.blocks > 1 else {"shop": tuple(range(len(TYPES)))}
    segments = []
    with workspace(folder, "UTC") as con:
        customers, edges = _customers(con, spec.customers)
        for load, (block, types) in enumerate(blocks.items(), 1):
            name = f"{SEGMENTS}/{load:06d}.parquet"
            schema = pa.schema([(key, pa.int64()) for key in _KEYS])
            reader = pa.RecordBatchReader.from_batches(schema, _batches(spec, customers, edges, types))
            con.register("generated", reader)
            rows = write_parquet(con, _segment_sql(block, load), folder, name)
            con.unregister("generated")
            stats = segment_stats(con, str(folder / name), [])
            segments.append(
                SegmentEntry(
                    file=name,
                    load=load,
                    block=block,
                    stored_rows=rows,
                    oldest_us=stats.first_us or 0,
                    newest_us=stats.last_us or 0,
                    dates_only=False,
                    stats=stats,
                )
            )
    manifest = Manifest(
        version=len(segments),
        customers=spec.customers,
        segments=tuple(segments),
        blocks={block: BlockEntry(expressions={}, timezone="UTC") for block in blocks},
    )
    write_manifest(folder, manifest)


def _customers(con: duckdb.DuckDBPyConnection, count: int) -> tuple[Ints, Ints]:
    """Numbers of the customers, sorted by bucket and id, and where each bucket begins."""
    ids = f"SELECT customer, {_CUSTOMER_ID} AS customer_id FROM (SELECT range AS customer FROM range({count}))"
    rows = con.sql(
        f"SELECT customer, {BUCKET_SQL.format(column='customer_id')} AS bucket FROM ({ids}) ORDER BY bucket, customer"
    ).fetchnumpy()
    customers = np.asarray(rows["customer"], dtype=np.int64)
    return customers, np.searchsorted(np.asarray(rows["bucket"]), np.arange(BUCKETS + 1)).astype(np.int64)


_CUSTOMER_ID: Final = "'c' || lpad(CAST(customer AS VARCHAR), 9, '0')"
_KEYS: Final = (
    *("customer", "bucket", "time", "received", "type", "event", "order", "item", "quantity"),
    *("amount", "discount", "seconds"),
)


def _segment_sql(block: str, load: int) -> str:
    types = ", ".join(f"'{name}'" for name in TYPES)
    order, item = f'nullif("order", {_NONE})', f"nullif(item, {_NONE})"
    values = {
        "customer_id": _CUSTOMER_ID,
        "event_time": "make_timestamptz(time)",
        "received_at": "make_timestamptz(received)",
        "event_type": f"[{types}][type + 1]",
        "event_id": "'e' || lpad(CAST(event AS VARCHAR), 10, '0')",
        "order_id": f"'o' || lpad(CAST({order} AS VARCHAR), 10, '0')",
        "item_id": f"'i' || CAST({item} AS VARCHAR)",
        "category": f"'category ' || CAST({item} % 40 AS VARCHAR)",
        "channel": f"CASE WHEN type IN ({_SENT}, {_OPEN}) THEN ['email', 'sms', 'push'][customer % 3 + 1] END",
        "quantity": f"CAST(nullif(quantity, {_NONE}) AS DOUBLE)",
        "amount": f"nullif(amount, {_NONE}) / 100.0",
        "discount": f"nullif(discount, {_NONE}) / 100.0",
        "duration_seconds": f"CAST(nullif(seconds, {_NONE}) AS DOUBLE)",
    }
    columns = ", ".join(
        f"CAST({values.get(column.name, 'NULL')} AS {column.type}) AS {column.name}" for column in COLUMNS
    )
    return (
        f"SELECT {columns}, CAST(bucket AS SMALLINT) AS bucket, '{block}' AS block, {load} AS load, 0 AS version "
        "FROM generated"
    )


def _batches(spec: LogSpec, customers: Ints, edges: Ints, types: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Events of whole buckets at a time, in the log's order."""
    event, first, most = 0, 0, _CHUNK_ROWS // EVENTS_A_CUSTOMER
    while first < BUCKETS:
        last = first + 1
        while last < BUCKETS and edges[last + 1] - edges[first] <= most:
            last += 1
        buckets = np.repeat(np.arange(first, last), np.diff(edges[first : last + 1]))
        columns = _events(spec, customers[edges[first] : edges[last]], first)
        chosen = np.isin(columns["type"], types)
        columns = {name: column[chosen] for name, column in columns.items()}
        size = columns["type"].size
        columns["bucket"] = buckets[columns.pop("place")]
        columns["event"] = event + np.arange(size)
        event, first = event + size, last
        yield pa.RecordBatch.from_arrays([pa.array(columns[key], pa.int64()) for key in _KEYS], names=list(_KEYS))


def _events(spec: LogSpec, customers: Ints, chunk: int) -> dict[str, Ints]:
    draw = np.random.default_rng([spec.seed, spec.rows, chunk])
    start, size = int(START.timestamp()) * 1_000_000, customers.size
    arrived = draw.uniform(-120, DAYS - 30, size).clip(0)
    left = (arrived + 20 + draw.exponential(420, size)).clip(max=DAYS)
    visits = 1 + draw.poisson(draw.gamma(0.6, _EXTRA_VISITS / 0.6, size))
    place = np.repeat(np.arange(size), visits)
    when = np.sort(place + draw.random(place.size)) - place  # sorted within each customer
    time = start + ((arrived[place] + when * (left - arrived)[place]) * _DAY_US).astype(np.int64)
    visit = customers[place] * 10_000 + np.arange(place.size) % 10_000

    def some(type_: int, counts: Ints, after_minutes: float, spread_minutes: float = 0.0) -> dict[str, Ints]:
        rows = np.repeat(np.arange(place.size), counts)
        minutes = after_minutes + draw.random(rows.size) * spread_minutes
        blank = np.full(rows.size, _NONE, dtype=np.int64)
        return {
            "place": place[rows],
            "time": time[rows] + (minutes * _MINUTE_US).astype(np.int64),
            "type": np.full(rows.size, type_, dtype=np.int64),
            "order": visit[rows] if type_ in (_PURCHASE, _COUPON, _REFUND) else blank,
            "item": draw.zipf(1.4, rows.size) % 5_000 if type_ in (_VIEW, _CART, _PURCHASE) else blank,
            "quantity": 1 + draw.poisson(0.4, rows.size) if type_ in (_CART, _PURCHASE) else blank,
            "amount": draw.lognormal(7.6, 0.8, rows.size).astype(np.int64) if type_ in (_PURCHASE, _REFUND) else blank,
            "discount": blank,
            "seconds": draw.exponential(90, rows.size).astype(np.int64) if type_ in (_SESSION, _VIEW) else blank,
        }

    def maybe(share: float) -> Ints:
        return (draw.random(place.size) < share).astype(np.int64)

    bought, sent = maybe(0.28), draw.poisson(0.8, place.size)
    lines = bought * (1 + draw.poisson(1.3, place.size))
    parts = [
        some(_SESSION, np.ones(place.size, dtype=np.int64), 0),
        some(_VIEW, draw.poisson(1.9, place.size), 1, 18),
        some(_SEARCH, draw.poisson(0.3, place.size), 1, 10),
        some(_CART, np.maximum(bought, maybe(0.25)), 19),
        some(_PURCHASE, lines, 22),
        some(_COUPON, bought * maybe(0.2), 22),
        some(_REFUND, bought * maybe(0.06), 9 * 1_440, 10_000),
        some(_SENT, sent, -3_000, 2_900),
        some(_OPEN, np.minimum(sent, maybe(0.35)), -90, 80),
    ]
    purchase, coupon = parts[_PURCHASE], parts[_COUPON]
    reduced = draw.random(purchase["amount"].size) < 0.3
    purchase["discount"] = np.where(reduced, purchase["amount"] // 5, _NONE)
    coupon["discount"] = 200 + 100 * draw.integers(0, 12, coupon["amount"].size)
    events = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    late = draw.random(events["time"].size) < 0.03
    events["received"] = events["time"] + late * (draw.exponential(0.6 * _DAY_US, late.size)).astype(np.int64)
    order = np.lexsort((events["order"], events["time"], events["place"]))
    events = {name: column[order] for name, column in events.items()}
    events["customer"] = customers[events["place"]]
    return events

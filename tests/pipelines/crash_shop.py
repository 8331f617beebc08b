"""A shop with two deliveries for the crash tests, and everything that its home then holds, to compare."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from features.event_log import EventLog
from features.event_log_manifest import read_manifest
from features.events import BUCKETS
from serving.live_events import row_of
from serving.store import LiveEvent, open_store

STORE = "embedded:state?map_gb=1"
TOML = f"""
[project]
name = "shop"
timezone = "Europe/Berlin"
[[events]]
name = "orders"
path = "orders.csv"
event_type = "'purchase'"
customer_id = "customer"
event_time = "at"
received_at = "got"
event_id = "id"
amount = "amount"
max_bad_ratio = 0.9
[[events]]
name = "visits"
path = "visits.parquet"
event_type = "'session'"
customer_id = "who"
event_time = "at"
max_bad_ratio = 0.9
[customers]
path = "customers.csv"
customer_id = "id"
[customers.attributes]
town = "town"
[store]
url = "{STORE}"
"""
START = datetime(2024, 3, 1, tzinfo=UTC)


def first_delivery(home: Path) -> None:
    """Good rows, bad rows and repeated lines; live events that wait in the store."""
    home.mkdir(parents=True)
    (home / "ebbtide.toml").write_text(TOML, encoding="utf-8")
    _orders(home, [_order(number) for number in range(40)] + ["x1,,2024-03-01 10:00:00,2024-03-02T00:00:00Z,5"])
    _visits(home, [("c1", 1.0), ("c1", 1.0), ("c2", 2.0), (None, 3.0)])
    _customers(home, ["c1,Jena"])
    _live(home, [_event("live-a", "c3", 10), _event("o7", "c7", 7, received=7.5), _event("live-b", "new", 11)])


def second_delivery(home: Path) -> None:
    """The same rows again, corrections, new rows, a new bad row; further live events."""
    corrected = [_order(number, amount=900.0 + number, got=20) for number in range(0, 40, 5)]
    bad = ["x1,,2024-03-01 10:00:00,2024-03-02T00:00:00Z,5", "x2,c1,never,2024-03-02T00:00:00Z,5"]
    kept = [_order(number) for number in range(40)]
    _orders(home, [*kept, *corrected, *(_order(number) for number in range(40, 50)), *bad])
    _visits(home, [("c1", 1.0), ("c1", 1.0), ("c1", 1.0), ("c2", 2.0), ("c9", 4.0), (None, 3.0), (None, 3.0)])
    _customers(home, ["c1,Jena", "c2,Gera"])
    _live(home, [_event("live-c", "c3", 12), _event("live-a", "c3", 10)])


def contents(home: Path) -> dict[str, Any]:
    """What readers can see of a home: events and their order, corrections, quarantine, counts, states, files."""
    folder = home / "log"
    manifest = read_manifest(folder)
    snapshot = EventLog(folder).snapshot()
    found: dict[str, Any] = {"manifest": msgspec.to_builtins(manifest)}
    with duckdb.connect(":memory:", config={"threads": 1}) as con:
        con.execute("SET TimeZone = 'UTC'")
        for file in sorted(manifest.files()):
            # In the order it stands.
            some = "* EXCLUDE (loaded_at)" if file.startswith("quarantine") else "*"
            found[file] = con.execute(f"SELECT COLUMNS({some})::VARCHAR FROM '{folder / file}'").fetchall()
        scan = snapshot.scan_sql(0, BUCKETS - 1)
        found["truth"] = con.execute(f"SELECT COLUMNS(*)::VARCHAR FROM ({scan}) ORDER BY event_id").fetchall()
        found["customers"] = con.execute(f"SELECT COLUMNS(*)::VARCHAR FROM '{home / 'customers.parquet'}'").fetchall()
    ids = sorted({str(row[0]) for row in found["truth"]})
    with closing(open_store(STORE, home)) as store:
        states = store.get_many(ids)
        found["states"] = {
            name: state.encode() if hasattr(state, "encode") else None for name, state in zip(ids, states, strict=True)
        }
        found["store"] = (store.sizes(), store.filled())
    found["files"] = sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != ".lock"
    )
    return found


def _order(number: int, *, amount: float | None = None, got: float | None = None) -> str:
    at = START + timedelta(days=number % 25, minutes=number)
    received = START + timedelta(days=got) if got is not None else at + timedelta(days=1)
    paid = 10.0 + number if amount is None else amount
    return f"o{number},c{number % 9},{at.isoformat()},{received.isoformat()},{paid}"


def _orders(home: Path, lines: Sequence[str]) -> None:
    (home / "orders.csv").write_text("id,customer,at,got,amount\n" + "\n".join(lines) + "\n", encoding="utf-8")


def _visits(home: Path, rows: Sequence[tuple[str | None, float]]) -> None:
    times = [START + timedelta(days=days) for _, days in rows]
    table = pa.table({"who": [who for who, _ in rows], "at": pa.array(times, pa.timestamp("us", tz="UTC"))})
    pq.write_table(table, home / "visits.parquet")


def _customers(home: Path, lines: Sequence[str]) -> None:
    (home / "customers.csv").write_text("id,town\n" + "\n".join(lines) + "\n", encoding="utf-8")


def _event(event_id: str, customer: str, days: float, *, received: float | None = None) -> LiveEvent:
    columns = {
        "customer_id": customer,
        "event_id": event_id,
        "event_type": "purchase",
        "event_time": START + timedelta(days=days),
        "received_at": START + timedelta(days=days if received is None else received),
        "amount": 17.0,
    }
    return LiveEvent(columns=columns, row=row_of(columns))


def _live(home: Path, events: Sequence[LiveEvent]) -> None:
    with closing(open_store(STORE, home)) as store:
        store.apply_events(events)

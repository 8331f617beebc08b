"""Small raw tables, blocks and look-ups for the tests of the event log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import duckdb
import pandas as pd

from features.event_log import BlockReport, EventLog
from features.events import BUCKETS
from features.mapping import EventBlock

NOW = datetime(2024, 1, 1, tzinfo=UTC)
EXPRESSIONS = {"customer_id": "who", "event_time": "at", "event_type": "'purchase'", "amount": "paid"}
SEVENTEEN = "2017-12-04 17:30:00"


def rows(*given: tuple[object, ...], names: str = "who at paid") -> pd.DataFrame:
    return pd.DataFrame([dict(zip(names.split(), row, strict=True)) for row in given], columns=names.split())


def block(
    name: str = "orders",
    *,
    path: str | None = None,
    where: str | None = None,
    dedupe: Literal["none", "rows"] = "none",
    max_bad_ratio: float = 0.9,
    drop: Sequence[str] = (),
    **expressions: str,
) -> EventBlock:
    merged = {key: of for key, of in {**EXPRESSIONS, **expressions}.items() if key not in drop}
    return EventBlock(name=name, path=path, where=where, dedupe=dedupe, max_bad_ratio=max_bad_ratio, expressions=merged)


def ingest(
    log: EventLog,
    frame: object | None,
    of: EventBlock | None = None,
    *,
    timezone: str = "America/New_York",
    root: Path = Path("/"),
) -> BlockReport:
    return log.ingest(of or block(), root=root, timezone=timezone, now=NOW, frame=frame)


def events(log: EventLog, columns: str = "customer_id, epoch_us(event_time), amount") -> list[tuple[object, ...]]:
    scan = log.snapshot().scan_sql(0, BUCKETS - 1)
    with duckdb.connect(":memory:", config={"threads": 1}) as con:
        return con.execute(f"SELECT {columns} FROM ({scan}) ORDER BY ALL").fetchall()


def utc(text: str) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


def quarantine(folder: Path, columns: str = "reason, column_name") -> list[tuple[object, ...]]:
    files = f"read_parquet('{folder}/quarantine/*.parquet')"
    with duckdb.connect(":memory:", config={"threads": 1}) as con:
        return con.execute(f"SELECT {columns} FROM {files} ORDER BY ALL").fetchall()


WITH_ID = {"event_id": "id"}
WITH_RECEIPT = {"event_id": "id", "received_at": "got"}


def line(id_: str, paid: float, got: str = "2017-12-05T00:00:00Z", who: str = "a") -> tuple[object, ...]:
    return (who, SEVENTEEN, paid, id_, got)


def lines(*given: tuple[object, ...]) -> pd.DataFrame:
    return rows(*given, names="who at paid id got")


def counts(report: BlockReport) -> tuple[int, int, int]:
    return report.accepted, report.duplicates, report.corrections

"""Small logs as Parquet files, for engines that read the files of a log themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.event_log_identity import Stored
from features.event_log_segments import scan_sql
from features.sources import sql_text
from tests.features.oracle import Event
from tests.features.small_logs import FakeLog


@dataclass(frozen=True)
class ParquetLog:
    """A snapshot of a log without corrections."""

    bucket_rows: tuple[int, ...]
    stored: Stored

    def scan_sql(self, first_bucket: int, last_bucket: int) -> str:
        return scan_sql(self.stored, first_bucket, last_bucket)


_OTHERS = ("kind", "item_id", "category", "channel", "source", "device", "page", "campaign_id", "coupon_id")
_MORE = ("content_id", "session_id", "live_id", "host_id", "related_customer_id", "dimension")


def parquet_log(folder: Path, *segments: Sequence[Event]) -> ParquetLog:
    """Write each list of events as one file, by the same writer as the event log's."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    nulls = ", ".join(f"NULL::VARCHAR AS {name}" for name in (*_OTHERS, *_MORE))
    for load, events in enumerate(segments, 1):
        file = folder / f"{load:06d}.parquet"
        scan = FakeLog(events).scan_sql(0, 255)
        rows = f"SELECT * REPLACE (bucket::SMALLINT AS bucket), {nulls}, {load} AS load, 0 AS version FROM ({scan})"
        with duckdb.connect(":memory:", config={"threads": 1}) as con:
            con.execute(f"COPY ({rows} ORDER BY bucket, customer_id, event_time) TO {sql_text(str(file))}")
        files.append(str(file))
    counted = zip(*(FakeLog(events).bucket_rows for events in segments), strict=True)
    return ParquetLog(bucket_rows=tuple(sum(of) for of in counted), stored=Stored(files=files, superseded=()))

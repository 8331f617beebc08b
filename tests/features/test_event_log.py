"""The event log: raw tables in, snapshots out, published whole or not at all."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import CutoffError, LockedError, SourceError, StateError
from features.event_log import EventLog, Snapshot
from features.event_log_lock import lock
from features.events import BUCKETS, COLUMNS
from tests.features.log_builders import (
    NOW,
    SEVENTEEN,
    block,
    events,
    ingest,
    rows,
    utc,
)


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "log")


def test_an_absent_log_is_an_empty_snapshot(log: EventLog) -> None:
    snapshot = log.snapshot()
    assert (snapshot.rows, snapshot.customers, snapshot.first_event, snapshot.version) == (0, 0, None, 0)
    assert snapshot.bucket_rows == (0,) * BUCKETS
    assert events(log) == []
    assert dict(snapshot.quarantine_counts()) == {}


def test_the_same_table_gives_the_same_events_from_every_kind_of_source(tmp_path: Path) -> None:
    frame = rows(("007", SEVENTEEN, "12.50"), ("b", "2017-12-05 00:00:00", None), ("b", "2017-12-05 00:00:00", "3"))
    text = frame.to_csv(index=False)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), tmp_path / "a.parquet")
    found = []
    for number, path in enumerate(["a.csv", "a.csv.gz", "a.parquet", None]):
        log = EventLog(tmp_path / f"log{number}")
        report = ingest(log, frame if path is None else None, block(path=path), root=tmp_path)
        assert (report.read, report.accepted, report.duplicates, dict(report.quarantined)) == (3, 3, 0, {})
        found.append(events(log, "customer_id, epoch_us(event_time), amount, event_id"))
    assert [row[:3] for row in found[0]] == [
        ("007", utc("2017-12-04 22:30:00"), 12.5),
        ("b", utc("2017-12-05 05:00:00"), 3.0),
        ("b", utc("2017-12-05 05:00:00"), None),
    ]
    assert found[1:] == found[:1] * 3


def test_snapshot_counts(log: EventLog) -> None:
    ingest(log, rows(("a", SEVENTEEN, 1.0), ("a", "2017-12-05 10:00:00", None), ("b", "2017-12-06 10:00:00", 2.0)))
    views = block("views", event_type="'view'", order_id="'o' || who", drop=["amount"])
    ingest(log, rows(("c", "2017-12-07 10:00:00", 1.0)), views)
    s = log.snapshot()
    assert (s.rows, s.customers, s.version, s.midnight_only) == (4, 3, 2, False)
    assert dict(s.event_types) == {"purchase": 3, "view": 1}
    assert {name: set(of.fields) for name, of in s.type_traits.items()} == {
        "purchase": {"amount"},
        "view": {"order_id"},
    }
    assert s.first_event == datetime(2017, 12, 4, 22, 30, tzinfo=UTC)
    assert s.last_event == datetime(2017, 12, 7, 15, tzinfo=UTC)
    assert s.newest_by_block == {
        "orders": datetime(2017, 12, 6, 15, tzinfo=UTC),
        "views": datetime(2017, 12, 7, 15, tzinfo=UTC),
    }
    # md5("a") = 0cc1…, md5("b") = 92eb…, md5("c") = 4a8a…
    assert {bucket: n for bucket, n in enumerate(s.bucket_rows) if n} == {0x0C: 2, 0x92: 1, 0x4A: 1}
    with duckdb.connect(":memory:") as con:
        some = con.execute(f"SELECT customer_id, bucket FROM ({s.scan_sql(0x4A, 0x91)})").fetchall()
        columns = [row[0] for row in con.execute(f"DESCRIBE {s.scan_sql(0, 9)}").fetchall()]
    assert some == [("c", 0x4A)]
    assert columns == [*(column.name for column in COLUMNS), "bucket"]


def test_segments_are_sorted_by_bucket_customer_time_order(log: EventLog, tmp_path: Path) -> None:
    frame = rows(
        *[(f"c{n % 7}", f"2017-12-0{1 + n % 5} 10:00:00", n % 3, f"o{n % 2}") for n in range(60)], names="who at paid o"
    )
    ingest(log, frame, block(order_id="o"))
    table = pq.read_table(next((tmp_path / "log" / "segments").glob("*.parquet"))).to_pylist()
    keys = [(r["bucket"], r["customer_id"], r["event_time"], r["order_id"], r["event_id"]) for r in table]
    assert keys == sorted(keys)
    assert len(keys) == 60


def test_floats_that_are_ids_lose_their_point_and_empty_text_is_null(log: EventLog) -> None:
    frame = rows((13085.0, SEVENTEEN, ""), (float("nan"), SEVENTEEN, "1"), (0.5, SEVENTEEN, "2"))
    report = ingest(log, frame, block(order_id="paid"))
    assert events(log, "customer_id, order_id, amount") == [("0.5", "2", 2.0), ("13085", None, None)]
    assert dict(report.quarantined) == {"customer_id_missing": 1}


def test_where_leaves_rows_out(log: EventLog) -> None:
    frame = rows(("a", SEVENTEEN, 1.0), ("b", SEVENTEEN, 0.0), (None, SEVENTEEN, 0.0))
    assert ingest(log, frame, block(where="paid > 0")).read == 1


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2017-07-01 12:00:00", "2017-07-01 16:00:00"),  # summer: UTC-4
        ("2017-12-01 12:00:00", "2017-12-01 17:00:00"),  # winter: UTC-5
        ("2017-12-01T12:00:00.123456", "2017-12-01 17:00:00.123456"),
        ("2017-12-01T12:00:00Z", "2017-12-01 12:00:00"),
        ("2017-12-01T12:00:00+08:00", "2017-12-01 04:00:00"),
        ("2017-03-12 02:30:00", "2017-03-12 07:30:00"),  # does not exist: read as 03:30 summer time
        ("2017-11-05 01:30:00", "2017-11-05 06:30:00"),  # exists twice: read as the second, winter time
    ],
)
def test_naive_times_are_local_and_offsets_are_honoured(log: EventLog, text: str, moment: str) -> None:
    ingest(log, rows(("a", text, 1.0)))
    assert events(log, "epoch_us(event_time), epoch_us(received_at)") == [(utc(moment), utc(moment))]
    assert not log.snapshot().midnight_only


def test_typed_times_follow_the_same_rule(log: EventLog) -> None:
    frame = rows(("a", pd.Timestamp("2017-07-01 12:00"), 1.0))
    ingest(log, frame)
    ingest(log, frame, block("utc", event_time="\"at\" AT TIME ZONE 'UTC'"))
    aware = rows(("a", pd.Timestamp("2017-07-01 12:00", tz="Asia/Shanghai"), 1.0))
    ingest(log, aware, block("aware"))
    assert [row[0] for row in events(log, "epoch_us(event_time)")] == [
        utc("2017-07-01 04:00:00"),
        utc("2017-07-01 12:00:00"),
        utc("2017-07-01 16:00:00"),
    ]


@pytest.mark.parametrize("expression", ["at", 'CAST("at" AS DATE)'])
def test_a_date_is_the_end_of_its_local_day(log: EventLog, expression: str) -> None:
    frame = rows(("a", "2017-03-12", 1.0), ("b", "2017-12-01", 1.0))
    ingest(log, frame, block(event_time=expression))
    assert events(log, "customer_id, epoch_us(event_time)") == [
        ("a", utc("2017-03-13 04:00:00") - 1),  # a day of 23 hours
        ("b", utc("2017-12-02 05:00:00") - 1),
    ]
    assert log.snapshot().midnight_only


def test_a_date_among_times_is_the_end_of_its_day_but_the_source_is_timed(log: EventLog) -> None:
    ingest(log, rows(("a", "2017-12-01", 1.0), ("b", "2017-12-01 09:00:00", 1.0)))
    assert [row[0] for row in events(log, "epoch_us(event_time)")] == [
        utc("2017-12-01 14:00:00"),
        utc("2017-12-02 05:00:00") - 1,
    ]
    assert not log.snapshot().midnight_only


def test_today_as_a_date_is_not_in_the_future(log: EventLog) -> None:
    report = ingest(log, rows(("a", "2024-01-01", 1.0), ("b", "2024-01-02", 1.0)), timezone="UTC")
    assert (report.accepted, dict(report.quarantined)) == (1, {"event_time_in_future": 1})


def test_received_at_is_mapped_or_the_event_time(log: EventLog) -> None:
    frame = rows(("a", SEVENTEEN, 1.0, "2017-12-06T00:00:00Z"), ("b", SEVENTEEN, 1.0, None), names="who at paid got")
    ingest(log, frame, block(received_at="got"))
    assert events(log, "customer_id, epoch_us(received_at)") == [
        ("a", utc("2017-12-06 00:00:00")),
        ("b", utc("2017-12-04 22:30:00")),
    ]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_files_of_a_crashed_load_are_ignored_and_then_removed(log: EventLog, tmp_path: Path) -> None:
    ingest(log, rows(("a", SEVENTEEN, 1.0)))
    folder = tmp_path / "log"
    before, snapshot = files(folder), log.snapshot()
    whole = folder / "segments" / "000001.parquet"
    (folder / "segments" / "000002.parquet").write_bytes(whole.read_bytes())
    (folder / "segments" / "000003.tmp").write_bytes(b"PAR1")
    (folder / "quarantine" / "000002.parquet").write_bytes(b"")
    (folder / "manifest.json.tmp").write_bytes(b"{")
    assert (log.snapshot(), len(events(log))) == (snapshot, 1)
    ingest(log, rows(("a", SEVENTEEN, 1.0)))
    assert files(folder) - {"manifest.json.tmp"} == before
    assert ingest(log, rows(("b", SEVENTEEN, 1.0))).accepted == 1
    assert len(events(log)) == 2


def test_an_old_snapshot_stays_as_it_was(log: EventLog) -> None:
    ingest(log, rows(("a", SEVENTEEN, 1.0)))
    old: Snapshot = log.snapshot()
    ingest(log, rows(("b", SEVENTEEN, 1.0)))
    with duckdb.connect(":memory:") as con:
        assert len(con.execute(f"SELECT bucket FROM ({old.scan_sql(0, 255)})").fetchall()) == old.rows == 1


def test_a_second_writer_is_told_at_once(log: EventLog, tmp_path: Path) -> None:
    with (
        lock(tmp_path / "log"),
        pytest.raises(LockedError, match=rf"another process \({os.getpid()}\) is writing") as caught,
    ):
        ingest(log, rows(("a", SEVENTEEN, 1.0)))
    assert caught.value.retryable
    assert ingest(log, rows(("a", SEVENTEEN, 1.0))).accepted == 1


def test_a_damaged_or_foreign_manifest_is_said_to_be_so(log: EventLog, tmp_path: Path) -> None:
    ingest(log, rows(("a", SEVENTEEN, 1.0)))
    manifest = tmp_path / "log" / "manifest.json"
    whole = manifest.read_text(encoding="utf-8")
    manifest.write_text(whole[: len(whole) // 2], encoding="utf-8")
    with pytest.raises(StateError, match="damaged"):
        log.snapshot()
    manifest.write_text(json.dumps({**json.loads(whole), "format": 99}), encoding="utf-8")
    with pytest.raises(StateError, match="format 99"):
        log.snapshot()


def test_a_file_that_breaks_off_is_a_source_error_and_leaves_the_log_alone(log: EventLog, tmp_path: Path) -> None:
    frame = rows(*[(f"c{n}", SEVENTEEN, float(n)) for n in range(20_000)])
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), tmp_path / "a.parquet", compression="none")
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[4:2_000] = b"\xff" * 1_996
    (tmp_path / "a.parquet").write_bytes(bytes(content))
    with pytest.raises(SourceError, match=r"a\.parquet cannot be read"):
        ingest(log, None, block(path="a.parquet"), root=tmp_path)
    assert log.snapshot().version == 0


def test_an_unknown_time_zone_or_a_naive_now_is_refused(log: EventLog) -> None:
    with pytest.raises(CutoffError, match="Mars/Base"):
        ingest(log, rows(("a", SEVENTEEN, 1.0)), timezone="Mars/Base")
    with pytest.raises(CutoffError, match="no time zone"):
        log.ingest(
            block(), root=Path("/"), timezone="UTC", now=NOW.replace(tzinfo=None), frame=rows(("a", SEVENTEEN, 1.0))
        )


def test_a_folder_that_cannot_be_written_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(StateError, match="could not be written"):
        ingest(EventLog(tmp_path / "log"), rows(("a", SEVENTEEN, 1.0)))

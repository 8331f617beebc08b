"""Publish a load: write its files durably, then replace the manifest that names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from features.event_log_identity import FRESH, Outcome, Stored
from features.event_log_manifest import BlockEntry, Manifest, QuarantineEntry, SegmentEntry, write_manifest
from features.event_log_quarantine import new_quarantine_sql
from features.event_log_segments import QUARANTINE, SEGMENTS, scan_sql, write_parquet
from features.event_log_stats import segment_stats
from features.events import BUCKETS, COLUMNS
from features.mapping import EventBlock
from features.sources import sql_text

__all__ = ["publish", "stored_files"]

_WRITTEN: Final = (Outcome.NEW, Outcome.CORRECTION, Outcome.EARLIER, Outcome.HISTORY)


def stored_files(folder: Path, manifest: Manifest) -> Stored:
    """All files of the log."""
    return Stored(
        files=[str(folder / segment.file) for segment in manifest.segments],
        superseded=[str(folder / file) for file in manifest.superseded],
    )


def publish(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: Manifest,
    block: EventBlock,
    *,
    timezone: str,
    root: Path,
    now: datetime,
) -> None:
    """Write the files, then the manifest that names them; nothing is written if nothing is new."""
    load = manifest.version + 1
    segment = f"{SEGMENTS}/{load:06d}.parquet"
    superseded = f"{SEGMENTS}/{load:06d}.superseded.parquet"
    quarantine = f"{QUARANTINE}/{load:06d}.parquet"
    stored_rows = write_parquet(con, _segment_sql(con, block.name, load), folder, segment)
    corrected = write_parquet(con, _superseded_sql(load), folder, superseded) if stored_rows else 0
    known = [str(folder / entry.file) for entry in manifest.quarantine if entry.block == block.name]
    bad_rows = write_parquet(con, new_quarantine_sql(block.name, now, str(root), known), folder, quarantine)
    if not stored_rows and not bad_rows:
        return
    lists = (*manifest.superseded, superseded) if corrected else manifest.superseded
    segments = _recounted(con, folder, manifest, superseded) if corrected else manifest.segments
    if stored_rows:
        segments = (*segments, _segment_entry(con, folder, block.name, load, segment, stored_rows, lists))
    entries = manifest.quarantine
    if bad_rows:
        entries = (
            *entries,
            QuarantineEntry(file=quarantine, block=block.name, reasons=_reasons(con, folder / quarantine)),
        )
    published = replace(
        manifest,
        version=load,
        corrections=manifest.corrections + corrected,
        segments=segments,
        superseded=lists,
        quarantine=entries,
        blocks={**manifest.blocks, block.name: BlockEntry(expressions=dict(block.expressions), timezone=timezone)},
    )
    write_manifest(folder, replace(published, customers=_customers(con, folder, published)))


def _segment_sql(con: duckdb.DuckDBPyConnection, block: str, load: int) -> str:
    present = {str(row[0]) for row in con.execute(f"DESCRIBE {FRESH}").fetchall()}
    names = ", ".join(
        column.name if column.name in present else f"NULL::{column.type} AS {column.name}" for column in COLUMNS
    )
    outcomes = ", ".join(f"'{outcome}'" for outcome in _WRITTEN)
    order = "bucket, customer_id, event_time, " + ("order_id, " if "order_id" in present else "") + "event_id, version"
    return (
        f"SELECT {names}, bucket, {sql_text(block)} AS block, {load} AS load, version "
        f"FROM (SELECT * FROM {FRESH} WHERE outcome IN ({outcomes}) ORDER BY {order})"
    )


def _superseded_sql(load: int) -> str:
    own = f"SELECT event_id, bucket, {load} AS load, version FROM {FRESH} WHERE outcome = '{Outcome.HISTORY}'"
    old = (
        f"SELECT event_id, old_bucket AS bucket, old_load AS load, old_version AS version FROM {FRESH} "
        f"WHERE outcome IN ('{Outcome.CORRECTION}', '{Outcome.EARLIER}')"
    )
    return f"SELECT * FROM ({own} UNION ALL {old}) ORDER BY bucket, event_id"


def _segment_entry(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    block: str,
    load: int,
    file: str,
    stored_rows: int,
    superseded: Sequence[str],
) -> SegmentEntry:
    path = str(folder / file)
    dates_only, oldest, newest = con.execute(
        "SELECT coalesce(bool_and(dates_only), false), epoch_us(min(event_time)), epoch_us(max(event_time)) "
        f"FROM {FRESH}"
    ).fetchall()[0]
    return SegmentEntry(
        file=file,
        load=load,
        block=block,
        stored_rows=stored_rows,
        oldest_us=int(oldest),
        newest_us=int(newest),
        dates_only=bool(dates_only),
        stats=segment_stats(con, path, [str(folder / name) for name in superseded]),
    )


def _recounted(
    con: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, superseded: str
) -> tuple[SegmentEntry, ...]:
    """Segments with the rows that this load superseded no longer counted."""
    loads = {
        row[0]
        for row in con.execute(
            f"SELECT DISTINCT load FROM read_parquet({sql_text(str(folder / superseded))})"
        ).fetchall()
    }
    lists = [str(folder / name) for name in (*manifest.superseded, superseded)]
    return tuple(
        replace(segment, stats=segment_stats(con, str(folder / segment.file), lists))
        if segment.load in loads
        else segment
        for segment in manifest.segments
    )


def _reasons(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, int]:
    rows = con.execute(
        f"SELECT reason, count(*) FROM read_parquet({sql_text(str(path))}) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {str(reason): int(count) for reason, count in rows}


def _customers(con: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest) -> int:
    truth = scan_sql(stored_files(folder, manifest), 0, BUCKETS - 1)
    return int(con.execute(f"SELECT count(DISTINCT customer_id) FROM ({truth})").fetchall()[0][0])

"""One load: map a raw table, judge its rows, find what is new, publish it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from features.errors import MappingError
from features.event_log_identity import FRESH, STAGED, Outcome, Stored, identify_derived, identify_mapped
from features.event_log_manifest import Manifest
from features.event_log_publish import publish, stored_files
from features.event_log_quarantine import FAULTY, Reason, check_bad_share, faulty_rows
from features.event_log_rows import content_sql, judged_sql
from features.events import COLUMNS
from features.mapping import BoundColumn, EventBlock, bind_block
from features.sources import RawTable, open_source, rejected_count, source_error, sql_text

__all__ = ["BlockReport", "load_block"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockReport:
    """What one load did; ``read`` is the sum of the other counts.

    Parameters
    ----------
    block : str
        Name of the block.
    read : int
        Rows read (after the block's ``where``).
    accepted : int
        New events.
    duplicates : int
        Rows that the log had already, or the load brought twice.
    corrections : int
        Rows that bring other content for an event that is known.
    quarantined : mapping of str to int
        Bad rows by their first reason, whether or not an earlier load quarantined them already.
    """

    block: str
    read: int
    accepted: int
    duplicates: int
    corrections: int
    quarantined: Mapping[str, int]


def load_block(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: Manifest,
    block: EventBlock,
    *,
    root: Path,
    timezone: str,
    now: datetime,
    frame: object | None,
) -> BlockReport:
    """Load one block's raw table; the caller holds the lock.

    Raises
    ------
    SourceError, MappingError
        With nothing published.
    """
    table = open_source(con, block, root=root, frame=frame)
    columns = bind_block(con, block, table.columns)
    _check_mapping_unchanged(folder, manifest, block, timezone)
    read = _stage(con, block, columns, table, now)
    _identify(con, folder, manifest, block)
    quarantined = faulty_rows(con)
    check_bad_share(con, block.name, read, block.max_bad_ratio)
    counts = dict(con.execute(f"SELECT outcome, count(*) FROM {FRESH} GROUP BY 1").fetchall())
    publish(con, folder, manifest, block, timezone=timezone, root=root, now=now)
    accepted = int(counts.get(Outcome.NEW, 0))
    corrections = int(counts.get(Outcome.CORRECTION, 0)) + int(counts.get(Outcome.HISTORY, 0))
    return BlockReport(
        block=block.name,
        read=read,
        accepted=accepted,
        duplicates=read - accepted - corrections - sum(quarantined.values()),
        corrections=corrections,
        quarantined=quarantined,
    )


def _check_mapping_unchanged(folder: Path, manifest: Manifest, block: EventBlock, timezone: str) -> None:
    """Refuse to read rows, whose identity is their content, in another way than before: all would count twice.

    With the same mapped ``event_id`` as before, another reading of a row is a correction of it.
    """
    known = manifest.blocks.get(block.name)
    if known is None or not any(segment.block == block.name for segment in manifest.segments):
        return
    before, after = known.expressions, block.expressions
    if "event_id" in after and after.get("event_id") == before.get("event_id"):
        return
    changed = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
    changed += ["the project's timezone"] if known.timezone != timezone else []
    if changed:
        raise MappingError(
            f"[[events]] block '{block.name}' was loaded before with other expressions ({', '.join(changed)} changed); "
            "its rows are recognised by their content, so loading them again would count them twice",
            remedy=f"undo the change, or delete the folder {folder} and ingest everything again",
        )


def _stage(
    con: duckdb.DuckDBPyConnection, block: EventBlock, columns: Sequence[BoundColumn], table: RawTable, now: datetime
) -> int:
    """Fill the tables of mapped and of faulty rows; the number of rows read."""
    judged = judged_sql(block, columns, table, now)
    content = content_sql([column.name for column in columns])
    try:
        con.execute(
            f"CREATE TEMP TABLE {STAGED} AS "
            f"SELECT * EXCLUDE (raw_json, source_file), md5({content}) AS content FROM ({judged})"
        )
        rejected = (
            _rejected_lines()
            if table.keeps_rejects and rejected_count(con)
            else "SELECT '' AS faults, '' AS raw_json, '' AS source_file WHERE false"
        )
        con.execute(f"CREATE TEMP TABLE {FAULTY} AS {rejected}")
        read, faulty = con.execute(f"SELECT count(*), count(faults) FROM {STAGED}").fetchall()[0]
        if faulty:
            # Materialised and filtered afterwards: a filter pushed into the expressions would evaluate them many times.
            con.execute(
                f"INSERT INTO {FAULTY} WITH every AS MATERIALIZED (SELECT faults, source_file, "
                f"CASE WHEN faults IS NOT NULL THEN raw_json END AS raw_json FROM ({judged})) "
                "SELECT faults, raw_json, source_file FROM every WHERE faults IS NOT NULL"
            )
    except duckdb.Error as error:
        raise source_error(table.label, error) from error
    lines = con.execute(f"SELECT count(*) FROM {FAULTY}").fetchall()[0][0]
    return int(read) - int(faulty) + int(lines)


def _rejected_lines() -> str:
    """Lines that DuckDB could not fit to the file's columns, one row a line."""
    return (
        f"SELECT {sql_text(Reason.ROW_UNREADABLE + ':')} || "
        "coalesce(first(e.column_name ORDER BY e.byte_position), '') AS faults, "
        "CAST(json_object('line', first(e.csv_line)) AS VARCHAR) AS raw_json, s.file_path AS source_file "
        "FROM reject_errors e JOIN reject_scans s USING (scan_id, file_id) GROUP BY s.file_path, e.line"
    )


def _identify(con: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, block: EventBlock) -> None:
    one_of_each = block.dedupe == "rows"
    if "event_id" not in block.expressions:
        identify_derived(con, block.name, _overlapping(con, folder, manifest, block.name), one_of_each=one_of_each)
        return
    knows_receipt = "received_at" in block.expressions
    everything = stored_files(folder, manifest)
    identify_mapped(con, block.name, everything, one_of_each=one_of_each, knows_receipt=knows_receipt)
    names = ", ".join(f"'{column.name}', {column.name}" for column in COLUMNS if column.name in block.expressions)
    con.execute(
        f"INSERT INTO {FAULTY} SELECT '{Reason.EVENT_ID_TAKEN}:event_id', CAST(json_object({names}) AS VARCHAR), "
        f"{sql_text(block.name)} FROM {FRESH} WHERE outcome = '{Outcome.TAKEN}'"
    )


def _overlapping(con: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, block: str) -> Stored:
    """Segments in which rows of this load can be: of the same block and the same span of time."""
    span = con.execute(
        f"SELECT epoch_us(min(event_time)), epoch_us(max(event_time)) FROM {STAGED} WHERE faults IS NULL"
    ).fetchall()[0]
    if span[0] is None:
        return Stored(files=(), superseded=())
    files = [
        str(folder / segment.file)
        for segment in manifest.segments
        if segment.block == block and segment.oldest_us <= span[1] and segment.newest_us >= span[0]
    ]
    return Stored(files=files, superseded=())

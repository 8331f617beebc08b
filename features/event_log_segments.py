"""Files of the log folder: the DuckDB connection to write them with, Parquet segments."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from features.durable import make_folder, sync
from features.event_log_identity import Stored
from features.event_log_manifest import Manifest
from features.events import COLUMNS
from features.sources import sql_text

__all__ = [
    "QUARANTINE",
    "SEGMENTS",
    "remove_orphans",
    "scan_sql",
    "superseded_sql",
    "workspace",
    "write_parquet",
]

SEGMENTS: Final = "segments"
QUARANTINE: Final = "quarantine"
_SCRATCH: Final = "scratch"
_THREADS: Final = 2
_MEMORY: Final = "1GB"
_ROW_GROUP: Final = 100_000


@contextmanager
def workspace(folder: Path, timezone: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a bounded DuckDB that reads naive times in ``timezone`` and spills into the log folder."""
    scratch = folder / _SCRATCH
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": _THREADS,
        "memory_limit": _MEMORY,
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": False,
        "python_enable_replacements": False,
    }
    con = duckdb.connect(":memory:", config=config)
    try:
        con.execute(f"SET TimeZone = {sql_text(timezone)}")
        con.execute("SET enable_progress_bar = false")
        yield con
    finally:
        con.close()
        shutil.rmtree(scratch, ignore_errors=True)


def remove_orphans(folder: Path, manifest: Manifest) -> None:
    """Remove what a crashed load left behind: files that the manifest does not know."""
    known = manifest.files()
    for name in (SEGMENTS, QUARANTINE):
        make_folder(folder / name)
        for path in (folder / name).iterdir():
            if f"{name}/{path.name}" not in known:
                path.unlink()
    shutil.rmtree(folder / _SCRATCH, ignore_errors=True)


def write_parquet(con: duckdb.DuckDBPyConnection, select: str, folder: Path, name: str) -> int:
    """Write a query's rows to a file durably: under another name, to disk, then renamed.

    Returns
    -------
    int
        Rows written; with none there is no file.
    """
    path = folder / name
    temporary = path.with_suffix(".tmp")
    options = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {_ROW_GROUP}"
    rows = int(con.execute(f"COPY ({select}) TO {sql_text(str(temporary))} ({options})").fetchall()[0][0])
    if rows == 0:
        temporary.unlink(missing_ok=True)
        return 0
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)
    return rows


def scan_sql(stored: Stored, first_bucket: int, last_bucket: int) -> str:
    """Select log columns and ``bucket`` of the rows that are the truth, in buckets first to last, inclusive."""
    names = ", ".join(f"e.{column.name}" for column in COLUMNS)
    if not stored.files:
        nulls = ", ".join(f"CAST(NULL AS {column.type}) AS {column.name}" for column in COLUMNS)
        return f"SELECT {nulls}, CAST(NULL AS SMALLINT) AS bucket WHERE false"
    between = f"BETWEEN {int(first_bucket)} AND {int(last_bucket)}"
    truth = f"SELECT {names}, e.bucket FROM {stored.rows()} e WHERE e.bucket {between}"
    if not stored.superseded:
        return truth
    return (
        f"SELECT {names}, e.bucket FROM {stored.rows()} e ANTI JOIN "
        f"(SELECT event_id, load, version FROM {stored.lost()} WHERE bucket {between}) l "
        f"ON l.event_id = e.event_id AND l.load = e.load AND l.version = e.version WHERE e.bucket {between}"
    )


def superseded_sql(stored: Stored, first_bucket: int, last_bucket: int) -> str | None:
    """Select log columns, ``load`` and ``version`` of rows that another one corrected; None if there are none."""
    if not stored.files or not stored.superseded:
        return None
    names = ", ".join(f"e.{column.name}" for column in COLUMNS)
    between = f"BETWEEN {int(first_bucket)} AND {int(last_bucket)}"
    return (
        f"SELECT {names}, e.load, e.version FROM {stored.rows()} e SEMI JOIN "
        f"(SELECT event_id, load, version FROM {stored.lost()} WHERE bucket {between}) l "
        f"ON l.event_id = e.event_id AND l.load = e.load AND l.version = e.version WHERE e.bucket {between}"
    )

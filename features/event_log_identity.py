"""Which rows of a load are new: event ids, repeated deliveries and corrections.

An ``event_id`` is mapped, or derived from block, content and occurrence number, so that it depends neither on the order
of rows or files nor on when they came. Rows with a derived id can only be new or known. A mapped id that comes again
with other content is a correction; the older row stays in the log and is listed as superseded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import duckdb

from features.event_log_rows import content_sql
from features.events import COLUMNS
from features.sources import sql_text

__all__ = ["BUCKET_SQL", "FRESH", "LIVE_BLOCK", "STAGED", "Outcome", "Stored", "identify_derived", "identify_mapped"]

STAGED: Final = "_ebbtide_staged"
"""Temporary table of a load's mapped rows: log columns, ``content`` (a hash), ``faults``, ``dates_only``."""

FRESH: Final = "_ebbtide_fresh"
"""Temporary table of what a load may append: log columns, ``bucket``, ``version``, ``outcome``, ``old_*``."""

LIVE_BLOCK: Final = "live"
"""Block of the events that came through the API; a file may bring the same ``event_id`` again."""

BUCKET_SQL: Final = "CAST(CAST('0x' || substr(md5({column}), 1, 2) AS INTEGER) AS SMALLINT)"
"""A customer's bucket: the first byte of md5(customer_id)."""


class Outcome(StrEnum):
    """What becomes of a good row."""

    NEW = "new"
    CORRECTION = "correction"
    HISTORY = "history"
    """Kept, but another version of the same event has the last word."""
    EARLIER = "earlier"
    """The same event, received earlier than was known."""
    DUPLICATE = "duplicate"
    TAKEN = "taken"
    """The id belongs to a different event of another block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The rows a load may meet again.

    Parameters
    ----------
    files : sequence of str
        Segments.
    superseded : sequence of str
        Files that list rows which no longer are the truth.
    """

    files: Sequence[str]
    superseded: Sequence[str]

    def rows(self) -> str:
        """SQL of all stored rows, superseded ones included; only if there are files."""
        return f"read_parquet([{', '.join(map(sql_text, self.files))}])"

    def lost(self) -> str:
        """SQL of the superseded rows' identities."""
        if not self.superseded:
            return "(SELECT '' AS event_id, 0 AS load, 0 AS version WHERE false)"
        return f"read_parquet([{', '.join(map(sql_text, self.superseded))}])"


def identify_derived(con: duckdb.DuckDBPyConnection, block: str, stored: Stored, *, one_of_each: bool) -> None:
    """Fill :data:`FRESH` for a block without mapped ids: the rows that no earlier load brought."""
    numbered = _occurrences(one_of_each=one_of_each)
    rows = f"SELECT * EXCLUDE (occurrence), {_derived_id(block)} AS event_id FROM ({numbered})"
    known = f" ANTI JOIN (SELECT event_id FROM {stored.rows()}) USING (event_id)" if stored.files else ""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {FRESH} AS SELECT *, {_bucket()} AS bucket, 0 AS version, "
        f"{sql_text(Outcome.NEW)} AS outcome, NULL::INTEGER AS old_load, NULL::INTEGER AS old_version, "
        f"NULL::SMALLINT AS old_bucket FROM ({rows}){known}"
    )


def identify_mapped(
    con: duckdb.DuckDBPyConnection, block: str, stored: Stored, *, one_of_each: bool, knows_receipt: bool
) -> None:
    """Fill :data:`FRESH` for a block with mapped ids; rows without one get a derived one.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Connection that holds :data:`STAGED`.
    block : str
        Name of the block.
    stored : Stored
        What the log holds.
    one_of_each : bool
        Keep one of each content among rows without an id.
    knows_receipt : bool
        Whether ``received_at`` was mapped: then the last received wins, else the last loaded.
    """
    without_id = _occurrences(one_of_each=one_of_each, where="event_id IS NULL")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE _ebbtide_identified AS "
        f"SELECT *, rowid AS position FROM {STAGED} WHERE faults IS NULL AND event_id IS NOT NULL "
        f"UNION ALL BY NAME SELECT * EXCLUDE (occurrence) REPLACE ({_derived_id(block)} AS event_id), 0 AS position "
        f"FROM ({without_id})"
    )
    _rank_versions(con, knows_receipt=knows_receipt)
    _match_stored(con, stored)
    same = "v.event_id = r.event_id AND v.content = r.content" + (
        " AND v.received_at = r.received_at" if knows_receipt else ""
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {FRESH} AS SELECT r.*, {_bucket('r.')} AS bucket, "
        f"{_outcome(block, same, knows_receipt=knows_receipt)} AS outcome, "
        f"t.load AS old_load, t.version AS old_version, t.bucket AS old_bucket "
        f"FROM _ebbtide_ranked r LEFT JOIN (FROM _ebbtide_matches WHERE truth) t ON t.event_id = r.event_id"
    )
    for table in ("_ebbtide_identified", "_ebbtide_ranked", "_ebbtide_matches"):
        con.execute(f"DROP TABLE {table}")


def _occurrences(*, one_of_each: bool, where: str = "true") -> str:
    """Good rows with the number of each among those of the same content."""
    good = f"SELECT * FROM {STAGED} WHERE faults IS NULL AND {where}"
    numbered = f"SELECT *, row_number() OVER (PARTITION BY content ORDER BY received_at) AS occurrence FROM ({good})"
    return f"SELECT * FROM ({numbered}) WHERE occurrence = 1" if one_of_each else numbered


def _derived_id(block: str) -> str:
    return f"md5(concat({sql_text(f'{len(block)}:{block};')}, content, ';', occurrence))"


def _bucket(prefix: str = "") -> str:
    return BUCKET_SQL.format(column=f"{prefix}customer_id")


def _rank_versions(con: duckdb.DuckDBPyConnection, *, knows_receipt: bool) -> None:
    """Number the versions of each id within the load; the same content twice in a row is one version."""
    window = f"(PARTITION BY event_id ORDER BY {'received_at, ' if knows_receipt else ''}position)"
    distinct = f"SELECT * FROM _ebbtide_identified QUALIFY content IS DISTINCT FROM lag(content) OVER {window}"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE _ebbtide_ranked AS SELECT * EXCLUDE (position), "
        f"CAST(row_number() OVER {window} - 1 AS INTEGER) AS version, lead(true) OVER {window} IS NULL AS is_last "
        f"FROM ({distinct})"
    )


def _match_stored(con: duckdb.DuckDBPyConnection, stored: Stored) -> None:
    """Find the stored versions of the load's ids, and which of them is the truth."""
    content = f"md5({content_sql([column.name for column in COLUMNS])})"
    source = stored.rows() if stored.files else "(SELECT *, '' AS block, 0 AS load FROM _ebbtide_empty)"
    if not stored.files:
        nulls = ", ".join(f"NULL::{column.type} AS {column.name}" for column in COLUMNS)
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW _ebbtide_empty AS SELECT {nulls}, 0 AS bucket, 0 AS version WHERE false"
        )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE _ebbtide_matches AS "
        f"SELECT s.event_id, {content} AS content, s.received_at, s.block, s.load, s.version, s.bucket, "
        f"l.event_id IS NULL AS truth FROM {source} s SEMI JOIN _ebbtide_ranked r ON r.event_id = s.event_id "
        f"LEFT JOIN {stored.lost()} l ON l.event_id = s.event_id AND l.load = s.load AND l.version = s.version"
    )


def _outcome(block: str, same: str, *, knows_receipt: bool) -> str:
    """Decide a row ``r`` of the load against the truth ``t``; the first true line wins."""
    files = f"t.block <> {sql_text(block)} AND {sql_text(LIVE_BLOCK)} NOT IN (t.block, {sql_text(block)})"
    late = "r.received_at < t.received_at" if knows_receipt else "false"
    settled = "true" if knows_receipt else "(r.content <> t.content OR NOT r.is_last)"
    return (
        "CASE "
        f"WHEN t.event_id IS NULL THEN CASE WHEN r.is_last THEN '{Outcome.NEW}' ELSE '{Outcome.HISTORY}' END "
        f"WHEN EXISTS (SELECT 1 FROM _ebbtide_matches v WHERE {same}) AND {settled} THEN '{Outcome.DUPLICATE}' "
        f"WHEN {files} THEN CASE WHEN r.content = t.content THEN '{Outcome.DUPLICATE}' ELSE '{Outcome.TAKEN}' END "
        f"WHEN NOT r.is_last THEN '{Outcome.HISTORY}' "
        "WHEN r.content = t.content THEN "
        f"CASE WHEN r.received_at < t.received_at THEN '{Outcome.EARLIER}' ELSE '{Outcome.DUPLICATE}' END "
        f"WHEN {late} THEN '{Outcome.HISTORY}' ELSE '{Outcome.CORRECTION}' END"
    )

"""What a segment adds to the truth: rows by bucket and by event type, and what the rows of a type carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb

from features.catalogue.traits import MAX_LENGTH
from features.event_log_identity import Stored
from features.event_log_manifest import SegmentStats, TypeStats
from features.event_log_segments import scan_sql
from features.events import BUCKETS, TRAIT_COLUMNS, VALUE_COLUMNS

__all__ = ["MAX_KEPT", "MAX_LENGTH", "segment_stats"]

MAX_KEPT: Final = 32
"""Distinct values of one column of one event type that a segment's stats keep: the most frequent, then the first."""

_COUNTS: Final = "_ebbtide_counts"


def segment_stats(con: duckdb.DuckDBPyConnection, file: str, superseded: Sequence[str]) -> SegmentStats:
    """Count what a segment adds to the truth.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        A workspace of the log.
    file : str
        The segment.
    superseded : sequence of str
        Files that list rows which no longer are the truth; those rows do not count.
    """
    truth = scan_sql(Stored(files=(file,), superseded=superseded), 0, BUCKETS - 1)
    carried = ", ".join(f"count({name}) AS {name}" for name in TRAIT_COLUMNS)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_COUNTS} AS SELECT bucket, event_type, count(*) AS n, {carried}, "
        f"min(epoch_us(event_time)) AS first_us, max(epoch_us(event_time)) AS last_us FROM ({truth}) GROUP BY ALL"
    )
    sums = ", ".join(f"sum({name})" for name in TRAIT_COLUMNS)
    types = con.execute(f"SELECT event_type, sum(n), {sums} FROM {_COUNTS} GROUP BY 1 ORDER BY 1").fetchall()
    fields = {
        str(name): tuple(column for column, count in zip(TRAIT_COLUMNS, counts, strict=True) if count)
        for name, _, *counts in types
    }
    values = _values(con, truth, [c for c in VALUE_COLUMNS if any(c in of for of in fields.values())])
    buckets = [0] * BUCKETS
    for bucket, rows in con.execute(f"SELECT bucket, sum(n) FROM {_COUNTS} GROUP BY 1").fetchall():
        buckets[int(bucket)] = int(rows)
    span = con.execute(f"SELECT min(first_us), max(last_us) FROM {_COUNTS}").fetchall()[0]
    return SegmentStats(
        rows=sum(buckets),
        buckets=tuple(buckets),
        types={
            str(name): TypeStats(rows=int(rows), fields=fields[str(name)], values=values.get(str(name), {}))
            for name, rows, *_ in types
        },
        first_us=None if span[0] is None else int(span[0]),
        last_us=None if span[1] is None else int(span[1]),
    )


def _values(con: duckdb.DuckDBPyConnection, truth: str, columns: Sequence[str]) -> dict[str, dict[str, dict[str, int]]]:
    """Rows by event type, column and value, of columns that have any; a log without them does not pay for a pass.

    The counting can spill to disk, and what is kept of it is a heap of fixed size, so that a column that is different
    in every row costs time but not memory.
    """
    if not columns:
        return {}
    short = ", ".join(f"CASE WHEN length({name}) <= {MAX_LENGTH} THEN {name} END AS {name}" for name in columns)
    sets = ", ".join(f"(event_type, {name})" for name in columns)
    # In a row of a grouping set the other sets' columns are null.
    which = " ".join(f"WHEN {name} IS NOT NULL THEN '{name}'" for name in columns)
    found = con.execute(
        f"SELECT event_type, field, min((-n, value), {MAX_KEPT}) FROM ("
        f"SELECT event_type, n, CASE {which} END AS field, coalesce({', '.join(columns)}) AS value FROM ("
        f"SELECT event_type, {', '.join(columns)}, count(*) AS n FROM (SELECT event_type, {short} FROM ({truth})) "
        f"GROUP BY GROUPING SETS ({sets}))) WHERE field IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall()
    values: dict[str, dict[str, dict[str, int]]] = {}
    for event_type, field, kept in found:
        values.setdefault(str(event_type), {})[str(field)] = {str(value): -int(n) for n, value in kept}
    return values

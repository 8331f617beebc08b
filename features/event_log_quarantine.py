"""Quarantine: rows that cannot be events, kept with the reason, the source and the row itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import duckdb

from features.clock import to_us
from features.errors import SourceError
from features.sources import sql_text

__all__ = ["FAULTY", "Reason", "check_bad_share", "faulty_rows", "new_quarantine_sql"]

FAULTY: Final = "_ebbtide_faulty"
"""Temporary table of a load's bad rows: ``faults, raw_json, source_file``."""


class Reason(StrEnum):
    """Why a row is quarantined (a closed list; stored)."""

    CUSTOMER_ID_MISSING = "customer_id_missing"
    EVENT_TIME_MISSING = "event_time_missing"
    EVENT_TIME_UNREADABLE = "event_time_unreadable"
    EVENT_TIME_OUT_OF_RANGE = "event_time_out_of_range"
    EVENT_TIME_IN_FUTURE = "event_time_in_future"
    EVENT_TYPE_MISSING = "event_type_missing"
    EVENT_ID_TAKEN = "event_id_taken"
    EXPRESSION_FAILED = "expression_failed"
    NUMBER_NOT_FINITE = "number_not_finite"
    NUMBER_TOO_LARGE = "number_too_large"
    NUMBER_UNREADABLE = "number_unreadable"
    RECEIVED_AT_UNREADABLE = "received_at_unreadable"
    ROW_UNREADABLE = "row_unreadable"


_MEANINGS: Final[Mapping[Reason, str]] = {
    Reason.CUSTOMER_ID_MISSING: "no customer; leave such rows out with `where` if that is expected",
    Reason.EVENT_TIME_MISSING: "no time",
    Reason.EVENT_TIME_UNREADABLE: "the time is not ISO 8601; read it with strptime(x, '%d/%m/%Y %H:%M') or the like",
    Reason.EVENT_TIME_OUT_OF_RANGE: "the time is before 1970 or after 9999",
    Reason.EVENT_TIME_IN_FUTURE: "the time has not come yet; check the time zone",
    Reason.EVENT_TYPE_MISSING: "no event type",
    Reason.EVENT_ID_TAKEN: "another block has an event of this event_id; prefix it: event_id = \"'x-' || id\"",
    Reason.EXPRESSION_FAILED: "the expression failed on the row",
    Reason.NUMBER_NOT_FINITE: "the number is NaN or infinite",
    Reason.NUMBER_TOO_LARGE: "the number is larger than 10^12",
    Reason.NUMBER_UNREADABLE: "the value is not a number",
    Reason.RECEIVED_AT_UNREADABLE: "the receipt time cannot be read or is out of range",
    Reason.ROW_UNREADABLE: "the line does not fit the file's columns",
}
_TOP: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    reason: Reason
    column: str
    rows: int


def faulty_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Bad rows of this load by first reason."""
    counts: dict[str, int] = {}
    for fault in _first_faults(con):
        counts[fault.reason.value] = counts.get(fault.reason.value, 0) + fault.rows
    return dict(sorted(counts.items()))


def check_bad_share(con: duckdb.DuckDBPyConnection, block: str, read: int, limit: float) -> None:
    """Refuse a load that is too bad to publish.

    Raises
    ------
    SourceError
        Saying the share, the limit and the most frequent reasons; never a row's content.
    """
    faults = sorted(_first_faults(con), key=lambda fault: (-fault.rows, fault.reason, fault.column))
    bad = sum(fault.rows for fault in faults)
    if not bad or bad <= limit * read:
        return
    lines = "".join(
        f"\n  - {fault.rows:,} rows: {fault.reason} ({fault.column}): {_MEANINGS[fault.reason]}"
        for fault in faults[:_TOP]
    )
    raise SourceError(
        f"{bad:,} of {read:,} rows ({bad / read:.1%}) of [[events]] block '{block}' are bad, more than "
        f"max_bad_ratio = {limit:g} allows; nothing was published:{lines}",
        remedy="correct the block's expressions or the file, or raise max_bad_ratio of the block",
    )


def new_quarantine_sql(block: str, now: datetime, root: str, known: Sequence[str]) -> str:
    """Rows of :data:`FAULTY` that no quarantine file in ``known`` holds yet.

    A row is known by block, content, reasons and its occurrence number, so that a second ingest of the same file adds
    nothing while two equal bad lines are two.
    """
    first = "split_part(faults, ';', 1)"
    same = "md5(concat_ws(chr(31), faults, raw_json))"
    key = f"md5(concat_ws(chr(31), {sql_text(block)}, {same}, row_number() OVER (PARTITION BY {same})))"
    rows = (
        f"SELECT {key} AS key, {sql_text(block)} AS block, split_part({first}, ':', 1) AS reason, "
        f"split_part({first}, ':', 2) AS column_name, faults AS reasons, raw_json AS raw, "
        f"replace(source_file, {sql_text(root + '/')}, '') AS source, make_timestamptz({to_us(now)}) AS loaded_at "
        f"FROM {FAULTY}"
    )
    if not known:
        return rows
    files = ", ".join(sql_text(file) for file in known)
    return f"SELECT * FROM ({rows}) ANTI JOIN (SELECT key FROM read_parquet([{files}])) USING (key)"


def _first_faults(con: duckdb.DuckDBPyConnection) -> list[_Fault]:
    rows = con.execute(
        f"SELECT split_part(mark, ':', 1), split_part(mark, ':', 2), count(*) "
        f"FROM (SELECT split_part(faults, ';', 1) AS mark FROM {FAULTY}) GROUP BY ALL"
    ).fetchall()
    return [_Fault(reason=Reason(code), column=str(column), rows=int(count)) for code, column, count in rows]

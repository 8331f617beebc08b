"""The SQL that maps raw rows to columns of the log and judges every row.

Three layers, each a ``SELECT`` over the one before: *picked* evaluates the block's expressions so that a failing row
fails alone, *typed* turns them into the log's types, *judged* lists what is wrong with a row as ``code:column`` marks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from features.clock import to_us
from features.event_log_quarantine import Reason
from features.events import COLUMNS, MAX_MAGNITUDE, ColumnType
from features.mapping import RAW, BoundColumn, EventBlock, quote_name
from features.mapping_types import Family, end_of_day_sql, text_sql
from features.sources import FILE_COLUMN, RawTable, sql_text

__all__ = ["CONTENT_COLUMNS", "content_sql", "judged_sql", "raw_json_sql"]

CONTENT_COLUMNS: Final = tuple(c for c in COLUMNS if c.name not in ("event_id", "received_at"))
"""What makes two lines the same: everything but their identity and when they arrived."""

_CLOCK_SKEW: Final = timedelta(minutes=5)
_EARLIEST_US: Final = 0
_LATEST_US: Final = 253_402_300_800_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """SQL of one log column: its value and the tests that find it faulty (mark, condition)."""

    name: str
    value: str
    faults: tuple[tuple[str, str], ...]
    dates_only: str = "NULL"


def judged_sql(block: EventBlock, columns: Sequence[BoundColumn], table: RawTable, now: datetime) -> str:
    """Select the mapped columns, ``faults`` (null when there is none), ``dates_only`` and ``source_file``.

    ``raw_json`` is selected too; a caller that does not ask for it does not pay for it.
    """
    typed = [_typed(column, now) for column in columns]
    passed = "raw_json, source_file" + (", _where" if block.where else "")
    values = ", ".join(f"{column.value} AS {column.name}" for column in typed)
    inner = f"SELECT {_carried(columns)}, {values}, {passed} FROM ({_picked(block, columns, table)})"
    received = "" if any(column.name == "received_at" for column in typed) else ", event_time AS received_at"
    names = ", ".join(
        "coalesce(received_at, event_time) AS received_at" if column.name == "received_at" else column.name
        for column in typed
    )
    dates_only = next(column.dates_only for column in typed if column.name == "event_time")
    faults = [fault for t in typed for fault in t.faults]
    if block.where:
        faults.insert(0, (f"{Reason.EXPRESSION_FAILED}:where", "_where IS NULL"))
    tests = ", ".join(f"CASE WHEN {test} THEN {sql_text(mark)} END" for mark, test in faults)
    return (
        f"SELECT {names}{received}, {dates_only} AS dates_only, "
        f"nullif(concat_ws(';', {tests}), '') AS faults, raw_json, source_file FROM ({inner})"
    )


def content_sql(names: Sequence[str]) -> str:
    """Text that two rows share exactly when their content is the same.

    Each value stands behind its column's name and its own length, so that no text can imitate two; a null stands for
    nothing, so that mapping one more column leaves the rows that lack it as they were.
    """
    parts = []
    for column in CONTENT_COLUMNS:
        if column.name not in names:
            continue
        text = f"CAST(epoch_us({column.name}) AS VARCHAR)" if column.type is ColumnType.TIME else column.name
        if column.type is ColumnType.NUMBER:
            text = f"CAST({column.name} AS VARCHAR)"
        parts.append(f"{sql_text(column.name + '=')} || length({text}) || ':' || {text} || ';'")
    return f"concat({', '.join(parts)})"


def raw_json_sql(table: RawTable) -> str:
    """Raw row as JSON text, in the table's own column order."""
    pairs = ", ".join(f"{sql_text(name)}, {RAW}.{quote_name(name)}" for name in table.columns)
    return f"CAST(json_object({pairs}) AS VARCHAR)"


def _picked(block: EventBlock, columns: Sequence[BoundColumn], table: RawTable) -> str:
    picks = [
        f"TRY(struct_pack(v := (\n{c.expression}\n))) AS _s_{c.name}"
        if c.can_fail
        else f"({c.expression}) AS _v_{c.name}"
        for c in columns
    ]
    file = FILE_COLUMN if table.has_file else sql_text(table.label)
    picked = f"{', '.join(picks)}, {raw_json_sql(table)} AS raw_json, {file} AS source_file"
    if not block.where:
        return f"SELECT {picked} FROM {RAW}"
    # A row on which the condition fails is not one that does not meet it: it is kept, to be quarantined.
    met = f"TRY(struct_pack(v := CAST((\n{block.where}\n) AS BOOLEAN)))"
    return f"SELECT {picked}, {met} AS _where FROM {RAW} WHERE {met}.v OR {met} IS NULL"


def _carried(columns: Sequence[BoundColumn]) -> str:
    """Picked columns that the tests of *judged* look at again."""
    return ", ".join(f"{'_s_' if c.can_fail else '_v_'}{c.name}" for c in columns)


def _typed(column: BoundColumn, now: datetime) -> _Typed:
    raw = f"_s_{column.name}.v" if column.can_fail else f"_v_{column.name}"
    failed = f"_s_{column.name} IS NULL" if column.can_fail else "false"
    text = text_sql(raw, Family.JSON if column.family is Family.JSON else Family.TEXT)
    match column.type:
        case ColumnType.TEXT:
            return _typed_text(column, raw, failed)
        case ColumnType.NUMBER:
            return _typed_number(column, raw, text, failed)
        case ColumnType.TIME:
            return _typed_time(column, raw, text, failed, now)


def _typed_text(column: BoundColumn, raw: str, failed: str) -> _Typed:
    faults = list(_when(failed, Reason.EXPRESSION_FAILED, column.name))
    missing = {"customer_id": Reason.CUSTOMER_ID_MISSING, "event_type": Reason.EVENT_TYPE_MISSING}.get(column.name)
    if missing is not None:
        faults.append((f"{missing}:{column.name}", f"{column.name} IS NULL AND NOT ({failed})"))
    return _Typed(name=column.name, value=text_sql(raw, column.family), faults=tuple(faults))


def _typed_number(column: BoundColumn, raw: str, text: str, failed: str) -> _Typed:
    name = column.name
    is_text = column.family in (Family.TEXT, Family.JSON)
    value = f"TRY_CAST({text} AS DOUBLE)" if is_text else f"CAST({raw} AS DOUBLE)"
    unreadable = f"({failed}) OR ({text} IS NOT NULL AND {name} IS NULL)" if is_text else failed
    faults = [
        *_when(unreadable, Reason.NUMBER_UNREADABLE, name),
        (f"{Reason.NUMBER_NOT_FINITE}:{name}", f"NOT isfinite({name})"),
        (f"{Reason.NUMBER_TOO_LARGE}:{name}", f"isfinite({name}) AND abs({name}) > {MAX_MAGNITUDE!r}"),
    ]
    return _Typed(name=name, value=value, faults=tuple(faults))


def _typed_time(column: BoundColumn, raw: str, text: str, failed: str, now: datetime) -> _Typed:
    name = column.name
    is_text = column.family in (Family.TEXT, Family.JSON)
    given = f"{text} IS NOT NULL" if is_text else f"{raw} IS NOT NULL"
    dates_only, day = "false", "NULL"
    if column.family is Family.DATE:
        dates_only, day = "true", raw
    elif is_text:
        dates_only, day = f"coalesce({text} LIKE '____-__-__', false)", f"TRY_CAST({text} AS DATE)"
    moment = f"TRY_CAST({text if is_text else raw} AS TIMESTAMPTZ)"
    if dates_only != "false":
        moment = f"CASE WHEN {dates_only} THEN {end_of_day_sql(day)} ELSE {moment} END"
    unreadable = f"({failed}) OR ({given} AND {name} IS NULL)"
    outside = f"{name} < make_timestamptz({_EARLIEST_US}) OR {name} >= make_timestamptz({_LATEST_US})"
    if name == "received_at":
        bad = f"({unreadable}) OR ({outside})"
        return _Typed(name=name, value=moment, faults=((f"{Reason.RECEIVED_AT_UNREADABLE}:{name}", bad),))
    latest = f"make_timestamptz({to_us(now + _CLOCK_SKEW)})"
    # A day that has begun is not in the future, although its end is.
    future = f"{name} > {latest} + CASE WHEN {dates_only} THEN INTERVAL 24 HOUR ELSE INTERVAL 0 HOUR END"
    faults = (
        (f"{Reason.EVENT_TIME_MISSING}:{name}", f"NOT ({failed}) AND NOT ({given})"),
        (f"{Reason.EVENT_TIME_UNREADABLE}:{name}", unreadable),
        (f"{Reason.EVENT_TIME_OUT_OF_RANGE}:{name}", outside),
        (f"{Reason.EVENT_TIME_IN_FUTURE}:{name}", f"NOT ({outside}) AND {future}"),
    )
    return _Typed(name=name, value=moment, faults=faults, dates_only=dates_only)


def _when(test: str, reason: Reason, column: str) -> Iterator[tuple[str, str]]:
    if test != "false":
        yield f"{reason}:{column}", test

"""The table of customers: one row a customer, or one each time something about the customer changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from features.durable import replacing
from features.errors import MappingError, SourceError, StateError
from features.mapping import RAW, EventBlock, bare_quoted, check_expressions, quote_name
from features.mapping_types import Family, family, moment_sql, text_sql
from features.sources import open_source, rejected_count, source_error, sql_text

__all__ = ["VALID_FROM", "CustomersReport", "load_customers"]

VALID_FROM: Final = "valid_from"
"""Column that says from when on a row is valid; it is stored as a moment and is never null."""

_BLOCK = "customers"
_ID = "customer_id"
_TIMES = frozenset({Family.TEXT, Family.JSON, Family.DATE, Family.LOCAL_TIME, Family.TIME})


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersReport:
    """What was read.

    Parameters
    ----------
    read : int
        Rows of the raw table.
    kept : int
        Rows written.
    without_id : int
        Rows without a customer id, left out.
    without_date : int
        Rows with an id whose ``valid_from`` is missing or no time, left out; 0 if the table has none.
    unreadable : int
        Lines that do not fit the file's columns, left out; not among those read.
    """

    read: int
    kept: int
    without_id: int
    without_date: int = 0
    unreadable: int


def load_customers(
    expressions: Mapping[str, str], *, path: str | None, query: str | None, root: Path, timezone: str, out: Path
) -> CustomersReport:
    """Read the table and write it as Parquet, replacing what was there.

    Parameters
    ----------
    expressions : mapping of str to str
        Column to SQL expression over the raw table; ``customer_id`` is one of them and becomes text. ``valid_from``,
        if it is one of them, becomes a moment: a naive time is read in ``timezone``, and a day without a time is its
        last microsecond, as in the event log.
    path, query : str, optional
        As in an ``[[events]]`` block.
    root : Path
        Folder that relative paths start from.
    timezone : str
        IANA name; naive times are read in it.
    out : Path
        The Parquet file.

    Raises
    ------
    SourceError
        If the table cannot be read, or a customer is there more than once (at one moment, if rows have dates).
    MappingError
        If an expression does not fit it.
    StateError
        If the file cannot be written.
    """
    block = EventBlock(name=_BLOCK, path=path, query=query, expressions=expressions)
    with duckdb.connect() as con:
        con.execute(f"SET TimeZone = {sql_text(timezone)}")
        table = open_source(con, block, root=root)
        check_expressions(con, "[customers]", expressions, table.columns)
        quoted = {name: f"(\n{bare_quoted(text, table.columns)}\n)" for name, text in expressions.items()}
        quoted[_ID] = text_sql(quoted[_ID], _family(con, quoted[_ID]))  # as in the event log
        key = [_ID]
        if VALID_FROM in quoted:
            quoted[VALID_FROM] = _moment(con, quoted[VALID_FROM])
            key.append(VALID_FROM)
        columns = ", ".join(f"{sql} AS {quote_name(name)}" for name, sql in quoted.items())
        try:
            con.execute(f"CREATE TEMP TABLE mapped AS SELECT {columns} FROM {RAW}")
            unreadable = rejected_count(con) if table.keeps_rejects else 0
        except duckdb.Error as error:
            raise source_error(table.label, error) from error
        columns, whole = ", ".join(key), " AND ".join(f"{name} IS NOT NULL" for name in key)
        counts = f"SELECT count(*), count({_ID}), count(*) FILTER ({whole}) FROM mapped"
        ((read, with_id, kept),) = con.execute(counts).fetchall()
        different = f"SELECT count(*) FROM (SELECT DISTINCT {columns} FROM mapped WHERE {whole})"
        ((distinct,),) = con.execute(different).fetchall()
        if distinct < kept:
            raise SourceError(
                f"[customers]: {kept - distinct:,} of {read:,} rows repeat a {' and a '.join(key)}",
                expected=f"one row a {' and '.join(name.removesuffix('_id') for name in key)}",
                remedy="read the table through `query` with a group by, or correct it"
                + ("" if VALID_FROM in key else "; if rows say from when on they are valid, name that as valid_from"),
            )
        rows = f"SELECT * FROM mapped WHERE {whole} ORDER BY {columns}"
        with replacing(out) as temporary:
            try:
                con.execute(f"COPY ({rows}) TO {sql_text(str(temporary))} (FORMAT parquet, COMPRESSION zstd)")
            except duckdb.Error as error:
                raise StateError(f"{out} cannot be written: {str(error).splitlines()[0]}") from error
    return CustomersReport(
        read=read, kept=kept, without_id=read - with_id, without_date=with_id - kept, unreadable=unreadable
    )


def _family(con: duckdb.DuckDBPyConnection, sql: str) -> Family:
    ((_, found, *_),) = con.execute(f"DESCRIBE SELECT {sql} FROM {RAW}").fetchall()
    return family(str(found))


def _moment(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """SQL of a finite moment, or null."""
    found = _family(con, sql)
    if found not in _TIMES:
        raise MappingError(
            f"[customers] {VALID_FROM} gives a {found}, not a time",
            remedy="for seconds since 1970 write to_timestamp(…), for a number such as 20240131 "
            "strptime(CAST(… AS VARCHAR), '%Y%m%d')",
        )
    moment = moment_sql(sql, found)
    return f"CASE WHEN isfinite({moment}) THEN {moment} END"

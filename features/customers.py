"""The table of customers: one row a customer, for whoever needs an attribute or a consent beside the scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.durable import replacing
from features.errors import SourceError, StateError
from features.mapping import RAW, EventBlock, bare_quoted, check_expressions, quote_name
from features.mapping_types import family, text_sql
from features.sources import open_source, rejected_count, source_error, sql_text

__all__ = ["CustomersReport", "load_customers"]

_BLOCK = "customers"
_ID = "customer_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersReport:
    """What was read.

    Parameters
    ----------
    read : int
        Rows of the raw table.
    kept : int
        Customers written.
    without_id : int
        Rows without a customer id, left out.
    unreadable : int
        Lines that do not fit the file's columns, left out; not among those read.
    """

    read: int
    kept: int
    without_id: int
    unreadable: int


def load_customers(
    expressions: Mapping[str, str], *, path: str | None, query: str | None, root: Path, timezone: str, out: Path
) -> CustomersReport:
    """Read the table and write it as Parquet, replacing what was there.

    Parameters
    ----------
    expressions : mapping of str to str
        Column to SQL expression over the raw table; ``customer_id`` is one of them and becomes text.
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
        If the table cannot be read, or a customer is there more than once.
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
        ((_, id_type, *_),) = con.execute(f"DESCRIBE SELECT {quoted[_ID]} FROM {RAW}").fetchall()
        quoted[_ID] = text_sql(quoted[_ID], family(str(id_type)))  # as in the event log
        columns = ", ".join(f"{sql} AS {quote_name(name)}" for name, sql in quoted.items())
        try:
            con.execute(f"CREATE TEMP TABLE mapped AS SELECT {columns} FROM {RAW}")
            unreadable = rejected_count(con) if table.keeps_rejects else 0
        except duckdb.Error as error:
            raise source_error(table.label, error) from error
        counts = f"SELECT count(*), count({_ID}), count(DISTINCT {_ID}) FROM mapped"
        ((read, with_id, distinct),) = con.execute(counts).fetchall()
        if distinct < with_id:
            raise SourceError(
                f"[customers]: {with_id - distinct:,} of {read:,} rows repeat a customer_id",
                expected="one row a customer",
                remedy="read the table through `query` with a group by, or correct it",
            )
        rows = f"SELECT * FROM mapped WHERE {_ID} IS NOT NULL ORDER BY {_ID}"
        with replacing(out) as temporary:
            try:
                con.execute(f"COPY ({rows}) TO {sql_text(str(temporary))} (FORMAT parquet, COMPRESSION zstd)")
            except duckdb.Error as error:
                raise StateError(f"{out} cannot be written: {str(error).splitlines()[0]}") from error
    return CustomersReport(read=read, kept=distinct, without_id=read - with_id, unreadable=unreadable)

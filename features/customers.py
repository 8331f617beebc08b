"""The table of customers: one row a customer, for whoever needs an attribute or a consent beside the scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.durable import replacing
from features.errors import SourceError
from features.mapping import RAW, EventBlock, check_expressions, quote_name
from features.sources import open_source, source_error, sql_text

__all__ = ["CustomersReport", "load_customers"]

_BLOCK = "customers"


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
    """

    read: int
    kept: int
    without_id: int


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
    """
    block = EventBlock(name=_BLOCK, path=path, query=query, expressions=expressions)
    with duckdb.connect() as con:
        con.execute(f"SET TimeZone = {sql_text(timezone)}")
        table = open_source(con, block, root=root)
        check_expressions(con, "[customers]", expressions, table.columns)
        columns = ", ".join(
            f"{f'CAST(({text}) AS VARCHAR)' if name == 'customer_id' else f'({text})'} AS {quote_name(name)}"
            for name, text in expressions.items()
        )
        try:
            con.execute(f"CREATE TEMP TABLE mapped AS SELECT {columns} FROM {RAW}")
        except duckdb.Error as error:
            raise source_error(table.label, error) from error
        counts = "SELECT count(*), count(nullif(customer_id, '')), count(DISTINCT nullif(customer_id, '')) FROM mapped"
        ((read, with_id, distinct),) = con.execute(counts).fetchall()
        if distinct < with_id:
            raise SourceError(
                f"[customers]: {with_id - distinct:,} of {read:,} rows repeat a customer_id",
                expected="one row a customer",
                remedy="read the table through `query` with a group by, or correct it",
            )
        with replacing(out) as temporary:
            con.execute(
                f"COPY (SELECT * FROM mapped WHERE nullif(customer_id, '') IS NOT NULL ORDER BY customer_id) "
                f"TO {sql_text(str(temporary))} (FORMAT parquet, COMPRESSION zstd)"
            )
    return CustomersReport(read=read, kept=distinct, without_id=read - with_id)

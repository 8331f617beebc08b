"""One ``[[events]]`` block: SQL expressions over a raw table's columns, checked before a row is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import duckdb

from features.errors import MappingError, did_you_mean
from features.events import COLUMNS, REQUIRED_COLUMNS, ColumnType
from features.mapping_types import Family, family

__all__ = [
    "RAW",
    "BoundColumn",
    "EventBlock",
    "bare_column",
    "bare_quoted",
    "bind_block",
    "check_expressions",
    "quote_name",
]

RAW: Final = "_ebbtide_raw"
"""Name of the raw table (a temporary view) that the expressions are bound against."""

_TYPES: Final = {column.name: column.type for column in COLUMNS}
_UNKNOWN_COLUMN: Final = re.compile(r'Referenced column "(.+?)" not found')
_SHOWN_COLUMNS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBlock:
    """How one raw table becomes events.

    Parameters
    ----------
    name : str
        Name of the block; part of every derived ``event_id``.
    path : str or None
        File or glob, relative to the project's folder.
    query : str or None
        A ``select`` over local files instead of a path.
    expressions : mapping of str to str
        Column of the log to the SQL expression that gives it, row by row.
    where : str or None
        Rows for which this is not true are left out (they are neither read nor quarantined).
    dedupe : {"none", "rows"}
        ``"rows"`` keeps one of each content; ``"none"`` keeps naturally repeated lines.
    max_bad_ratio : float
        Largest share of the rows read, 0 to 1, that may be quarantined before nothing is published.
    """

    name: str
    expressions: Mapping[str, str]
    path: str | None = None
    query: str | None = None
    where: str | None = None
    dedupe: Literal["none", "rows"] = "none"
    max_bad_ratio: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundColumn:
    """A log column whose expression fits the raw table.

    Parameters
    ----------
    name : str
        Column of the log.
    type : ColumnType
        Its storage type.
    expression : str
        The SQL expression over the raw table.
    family : Family
        What the expression gives.
    can_fail : bool
        Whether evaluating it can fail on some row (a plain column cannot).
    """

    name: str
    type: ColumnType
    expression: str
    family: Family
    can_fail: bool


def quote_name(name: str) -> str:
    """SQL identifier, whatever the name holds.

    Examples
    --------
    >>> print(quote_name('5" disc'))
    "5"" disc"
    """
    return '"' + name.replace('"', '""') + '"'


def bare_column(expression: str, columns: Mapping[str, str]) -> str | None:
    """Column that an expression names and nothing else, or None.

    Examples
    --------
    >>> bare_column(' "Customer ID" ', {"Customer ID": "BIGINT"}), bare_column("a + 1", {"a": "BIGINT"})
    ('Customer ID', None)
    """
    text = expression.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('""', '"')
    return next((column for column in columns if column.casefold() == text.casefold()), None)


def bare_quoted(expression: str, columns: Mapping[str, str]) -> str:
    """Quote the name if the expression is just a column, so that one may be called `at` or `order`.

    Examples
    --------
    >>> bare_quoted("order", {"order": "BIGINT"}), bare_quoted("order + 1", {"order": "BIGINT"})
    ('"order"', 'order + 1')
    """
    column = bare_column(expression, columns)
    return expression if column is None else quote_name(column)


def bind_block(
    con: duckdb.DuckDBPyConnection, block: EventBlock, columns: Mapping[str, str]
) -> tuple[BoundColumn, ...]:
    """Check every expression of a block against the raw table, each alone.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Connection in which the view :data:`RAW` is the raw table.
    block : EventBlock
        The block.
    columns : mapping of str to str
        The raw table's columns and their SQL types.

    Returns
    -------
    tuple of BoundColumn
        In the order of the log's contract.

    Raises
    ------
    MappingError
        Naming every expression that does not fit, with what to write instead.
    """
    problems = [
        f"{key} is no column of the log; {did_you_mean(key, _TYPES)}" for key in block.expressions if key not in _TYPES
    ]
    problems += [f"{key} is missing; every event needs it" for key in REQUIRED_COLUMNS if key not in block.expressions]
    bound: list[BoundColumn] = []
    for key, type_ in _TYPES.items():
        if (expression := block.expressions.get(key)) is None:
            continue
        column, sql = bare_column(expression, columns), bare_quoted(expression, columns)
        found, problem = _bind(con, key, sql, columns)
        if problem := problem or _type_problem(con, key, sql, type_, found):
            problems.append(f"{key} = {_toml_text(expression)}: {problem}")
        else:
            bound.append(BoundColumn(name=key, type=type_, expression=sql, family=found, can_fail=column is None))
    if block.where is not None:
        found, problem = _bind(con, "where", block.where, columns)
        if not problem and found is not Family.BOOLEAN:
            problem = f"gives a {found.value} value, not true or false; compare it with something"
        problems += [f"where = {_toml_text(block.where)}: {problem}"] if problem else []
    if problems:
        raise _mapping_error(f"[[events]] block '{block.name}'", problems, columns)
    return tuple(bound)


def check_expressions(
    con: duckdb.DuckDBPyConnection, label: str, expressions: Mapping[str, str], columns: Mapping[str, str]
) -> None:
    """Check expressions of any names against the raw table, each alone.

    Parameters
    ----------
    con, columns
        As in :func:`bind_block`.
    label : str
        What they belong to, for the message.
    expressions : mapping of str to str
        Name to SQL expression.

    Raises
    ------
    MappingError
        Naming every expression that does not fit.
    """
    found = {key: _bind(con, key, bare_quoted(sql, columns), columns)[1] for key, sql in expressions.items()}
    problems = [f"{key} = {_toml_text(expressions[key])}: {problem}" for key, problem in found.items() if problem]
    if problems:
        raise _mapping_error(label, problems, columns)


def _mapping_error(label: str, problems: list[str], columns: Mapping[str, str]) -> MappingError:
    count = len(problems)
    shown = ", ".join(list(columns)[:_SHOWN_COLUMNS]) + (", …" if len(columns) > _SHOWN_COLUMNS else "")
    lines = "".join(f"\n  - {problem}" for problem in problems)
    return MappingError(
        f"{count} problem{'s' if count != 1 else ''} in {label}:{lines}\nThe table has the columns {shown}",
        remedy="correct it in ebbtide.toml",
    )


def _toml_text(expression: str) -> str:
    return '"' + expression.strip().replace('"', '\\"') + '"'


def _bind(con: duckdb.DuckDBPyConnection, key: str, expression: str, columns: Mapping[str, str]) -> tuple[Family, str]:
    """What the expression gives, and what is wrong with it (empty: nothing)."""
    if not expression.strip():
        return Family.OTHER, "is empty"
    probe = f"SELECT (\n{expression}\n) FROM {RAW}"
    try:
        if len(con.extract_statements(probe)) != 1:
            return Family.OTHER, "is more than one SQL statement"
        described = con.execute(f"DESCRIBE {probe}").fetchall()
        if len(described) != 1:
            return Family.OTHER, "is more than one expression"
        con.execute(f"DESCRIBE SELECT 1 FROM {RAW} WHERE TRY((\n{expression}\n)) IS NULL")
    except duckdb.Error as error:
        return Family.OTHER, _explain(str(error), key, expression, columns)
    return family(str(described[0][1])), ""


def _explain(message: str, key: str, expression: str, columns: Mapping[str, str]) -> str:
    """DuckDB's message as one sentence with a remedy."""
    if unknown := _UNKNOWN_COLUMN.search(message):
        name = unknown.group(1)
        sentence = f"there is no column '{name}'; {did_you_mean(name, columns)}"
        if _TYPES.get(key) is ColumnType.TEXT and expression.strip() == name:
            sentence += f" For the fixed text write \"'{name}'\", in single quotes"
        return sentence
    if "cannot contain aggregates" in message or "cannot contain window functions" in message:
        return "looks at more than one row; compute that in a `query` instead"
    if "volatile function" in message:
        return "gives another answer each time, so a second ingest could not recognise its rows"
    if "scalar subquery" in message:
        return "holds a subquery; join the tables in a `query` instead"
    reserved = "; a column named like an SQL word stands in double quotes" if message.startswith("Parser") else ""
    return message.strip().splitlines()[0] + reserved


def _type_problem(con: duckdb.DuckDBPyConnection, key: str, expression: str, type_: ColumnType, found: Family) -> str:
    numeric = found in (Family.INTEGER, Family.DECIMAL, Family.FLOAT)
    if type_ is ColumnType.TIME and numeric:
        return "gives a number, not a time; " + _epoch_hint(con, expression)
    allowed = {
        ColumnType.TEXT: set(Family) - {Family.OTHER},
        ColumnType.NUMBER: {
            Family.TEXT,
            Family.INTEGER,
            Family.DECIMAL,
            Family.FLOAT,
            Family.BOOLEAN,
            Family.JSON,
        },
        ColumnType.TIME: {Family.TEXT, Family.DATE, Family.LOCAL_TIME, Family.TIME, Family.JSON},
    }[type_]
    if found in allowed:
        return ""
    wanted = {ColumnType.TEXT: "text", ColumnType.NUMBER: "a number", ColumnType.TIME: "a time"}[type_]
    hint = " (an interval's seconds are epoch(x), a nested field is x.name or x ->> '$.name')"
    return f"gives a {found.value if found is not Family.OTHER else 'nested or special'} value; {key} is {wanted}{hint}"


def _epoch_hint(con: duckdb.DuckDBPyConnection, expression: str) -> str:
    """What to write, judged by the size of the numbers."""
    try:
        rows = con.execute(f"SELECT max(abs(TRY(CAST((\n{expression}\n) AS DOUBLE)))) FROM {RAW}").fetchall()
    except duckdb.Error:  # an unreadable row is reported by the load itself; here only the hint is at stake
        rows = [(None,)]
    largest = rows[0][0]
    plain = expression.strip()[1:-1]  # a plain column is shown without the quotes it does not need
    x = plain if plain.isidentifier() and expression.strip() == quote_name(plain) else expression.strip()
    if largest is None or 1e8 <= largest < 1e11:
        return f"if it counts seconds since 1970 write to_timestamp({x})"
    if 19_000_101 <= largest < 1e8:
        return f"if it is a date as YYYYMMDD write CAST(strptime(CAST({x} AS VARCHAR), '%Y%m%d') AS DATE)"
    if largest >= 1e17:
        return f"if it counts nanoseconds since 1970 write make_timestamptz({x} // 1000)"
    if largest >= 1e14:
        return f"if it counts microseconds since 1970 write make_timestamptz({x})"
    if largest >= 1e11:
        return f"if it counts milliseconds since 1970 write to_timestamp({x} / 1000.0)"
    return f"if it counts days since 1970 write DATE '1970-01-01' + CAST({x} AS INTEGER)"

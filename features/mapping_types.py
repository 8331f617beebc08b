"""What a raw table's SQL types are good for."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["Family", "end_of_day_sql", "family", "moment_sql", "text_sql"]

_EXACT_INTEGERS: Final = 2**53
_INTEGERS: Final = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})


class Family(StrEnum):
    """What a raw SQL type is good for."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    LOCAL_TIME = "timestamp"
    TIME = "timestamp with time zone"
    JSON = "json"
    OTHER = "other"


def family(sql_type: str) -> Family:
    """Family of a DuckDB type.

    Examples
    --------
    >>> family("DECIMAL(18,2)").value, family("TIMESTAMP_NS").value, family("STRUCT(a INTEGER)").value
    ('decimal', 'timestamp', 'other')
    """
    if sql_type.endswith("]"):
        return Family.OTHER
    name = sql_type.partition("(")[0].strip('"')
    match name:
        case "VARCHAR" | "NULL" | "ENUM" | "UUID" | "BLOB":
            return Family.TEXT
        case "DOUBLE" | "FLOAT":
            return Family.FLOAT
        case "DECIMAL" | "BIGNUM":
            return Family.DECIMAL
        case "BOOLEAN" | "DATE" | "JSON":
            return Family(name.lower())
        case "TIMESTAMP" | "TIMESTAMP_S" | "TIMESTAMP_MS" | "TIMESTAMP_NS":
            return Family.LOCAL_TIME
        case "TIMESTAMP WITH TIME ZONE" | "TIMESTAMP_NS WITH TIME ZONE":
            return Family.TIME
    return Family.INTEGER if name.removeprefix("U") in _INTEGERS else Family.OTHER


def text_sql(value: str, of: Family) -> str:
    """SQL of a value as the text of an id; an empty one is null.

    Ids that became floats because their column has nulls are whole again: 13085.0 is ``'13085'``.

    Examples
    --------
    >>> text_sql("x", Family.TEXT)
    "nullif(CAST(x AS VARCHAR), '')"
    """
    text = f"nullif(CAST({value} AS VARCHAR), '')"
    match of:
        case Family.JSON:
            return f"nullif({value} ->> '$', '')"
        case Family.FLOAT:
            whole = f"{value} = trunc({value}) AND abs({value}) < {_EXACT_INTEGERS}"
            as_integer = f"CAST(CAST({value} AS BIGINT) AS VARCHAR)"
            return f"CASE WHEN isnan({value}) THEN NULL WHEN {whole} THEN {as_integer} ELSE {text} END"
    return text


def end_of_day_sql(day: str) -> str:
    """SQL of a local day's last microsecond (the session's time zone is the project's); far-off days' midnight."""
    near = f"{day} BETWEEN DATE '1900-01-01' AND DATE '9999-12-30'"
    end = f"CAST(CAST({day} + 1 AS TIMESTAMP) AS TIMESTAMPTZ) - INTERVAL 1 MICROSECOND"
    return f"CASE WHEN {near} THEN {end} ELSE CAST({day} AS TIMESTAMPTZ) END"


def moment_sql(value: str, of: Family) -> str:
    """SQL of a value as a moment: naive times are the session's, a day without a time is its end; else null."""
    if of is Family.DATE:
        return end_of_day_sql(value)
    if of not in (Family.TEXT, Family.JSON):
        return f"TRY_CAST({value} AS TIMESTAMPTZ)"
    text = text_sql(value, of)
    end = end_of_day_sql(f"TRY_CAST({text} AS DATE)")
    return f"CASE WHEN {text} LIKE '____-__-__' THEN {end} ELSE TRY_CAST({text} AS TIMESTAMPTZ) END"

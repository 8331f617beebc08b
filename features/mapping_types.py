"""What a raw table's SQL types are good for."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["Family", "family"]

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

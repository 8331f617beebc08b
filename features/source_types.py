"""Which types the columns of a text file (CSV, JSON lines) are read with, so that no value is changed by a guess.

DuckDB guesses types from a file's first rows; a later 2.5 in a column of integers would silently become 3, and a time
in a column of dates its day. Columns that are only named, and ids and other texts of the log in any case, stay the
text they are; of those that an expression calculates with, the guess is checked against the whole file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import duckdb

from features.events import COLUMNS, ColumnType
from features.mapping import EventBlock, bare_column, quote_name
from features.mapping_types import Family, family

__all__ = ["column_types"]

_TEXT: Final = "VARCHAR"
_ISO_DAY: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TEXT_KEYS: Final = frozenset(column.name for column in COLUMNS if column.type is ColumnType.TEXT)


class _Facts(NamedTuple):
    """What a column of a file holds: how many values; any with a fraction, a time of day, or not as ISO 8601 has it."""

    values: int
    fraction: bool
    time_of_day: bool
    not_iso: bool


def column_types(
    con: duckdb.DuckDBPyConnection,
    block: EventBlock,
    guessed: Sequence[Mapping[str, str]],
    read: Callable[[int, Mapping[str, str]], str],
) -> list[dict[str, str]]:
    """Types to read each file's columns with.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Connection to look into the files with.
    block : EventBlock
        Its expressions say which columns are calculated with.
    guessed : sequence of mapping of str to str
        Column to DuckDB's guess, one a file.
    read : callable
        SQL table of a file (by its number) with these columns as these types; unreadable lines left out.

    Returns
    -------
    list of dict of str to str
        Column to SQL type, one a file.
    """
    types, unknown = [], []
    for number, columns in enumerate(guessed):
        computed = _computed(block, columns) - _named_as_text(block, columns)
        chosen = {name: of if name in computed or family(of) is Family.OTHER else _TEXT for name, of in columns.items()}
        facts = _facts(con, read, number, {name: of for name, of in chosen.items() if name in computed})
        types.append(chosen | {name: _checked(chosen[name], of) for name, of in facts.items()})
        unknown.append({name for name, of in facts.items() if not of.values})
    for chosen, empty in zip(types, unknown, strict=True):  # a column without any value takes the other files' type
        for name in empty:
            known = (other[name] for other, none in zip(types, unknown, strict=True) if name in other.keys() - none)
            chosen[name] = next(known, chosen[name])
    return types


def _computed(block: EventBlock, columns: Mapping[str, str]) -> set[str]:
    """Columns that an expression calculates with, and perhaps some more."""
    clauses = [block.where or "", *block.expressions.values()]
    computed = " ".join(clause for clause in clauses if bare_column(clause, columns) is None).casefold()
    return {name for name in columns if name.casefold() in computed}


def _named_as_text(block: EventBlock, columns: Mapping[str, str]) -> set[str | None]:
    """Columns that are an id or another text of the log just as they are."""
    return {bare_column(text, columns) for key, text in block.expressions.items() if key in _TEXT_KEYS}


def _facts(
    con: duckdb.DuckDBPyConnection,
    read: Callable[[int, Mapping[str, str]], str],
    number: int,
    guessed: Mapping[str, str],
) -> dict[str, _Facts]:
    looked = [name for name, of in guessed.items() if family(of) is not Family.OTHER]
    if not looked:
        return {}
    tests = ", ".join(
        f"count({c}), coalesce(bool_or(TRY_CAST({c} AS DOUBLE) <> trunc(TRY_CAST({c} AS DOUBLE))), false), "
        f"coalesce(bool_or(TRY_CAST({c} AS TIMESTAMP) <> CAST(TRY_CAST({c} AS DATE) AS TIMESTAMP)), false), "
        f"coalesce(bool_or(NOT regexp_matches(trim({c}), '{_ISO_DAY}')), false)"
        for c in map(quote_name, looked)
    )
    width = len(_Facts._fields)
    row = con.execute(f"SELECT {tests} FROM {read(number, dict.fromkeys(guessed, _TEXT))}").fetchall()[0]
    return {name: _Facts(*row[width * at : width * at + width]) for at, name in enumerate(looked)}


def _checked(guess: str, facts: _Facts) -> str:
    match family(guess):
        case Family.INTEGER if facts.fraction:
            return "DOUBLE"
        case Family.DATE | Family.LOCAL_TIME | Family.TIME if facts.not_iso:
            return _TEXT  # 01/10/2026 may be either day: the expression has to say which, with strptime
        case Family.DATE if facts.time_of_day:
            return "TIMESTAMP"
    return guess

"""Open a block's raw table in DuckDB: Parquet, CSV (also gzipped), JSON lines, a data frame, or a query over files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from features.errors import SourceError
from features.mapping import RAW, EventBlock
from features.source_types import column_types

__all__ = ["FILE_COLUMN", "RawTable", "open_source", "rejected_count", "source_error", "sql_text"]

FILE_COLUMN: Final = "_ebbtide_file"
"""Extra column of a raw table read from files: the file a row came from."""

_FRAME: Final = "_ebbtide_frame"
_GLOB_CHARACTERS: Final = frozenset("*?[")
_READERS: Final = {
    ".parquet": "read_parquet",
    ".pq": "read_parquet",
    ".csv": "read_csv",
    ".tsv": "read_csv",
    ".jsonl": "read_json",
    ".ndjson": "read_json",
}
_MAX_REASON: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """A raw table that is open as the view :data:`features.mapping.RAW`.

    Parameters
    ----------
    label : str
        What was opened, for messages.
    columns : mapping of str to str
        Its columns and their SQL types, without :data:`FILE_COLUMN`.
    has_file : bool
        Whether the view has :data:`FILE_COLUMN`.
    keeps_rejects : bool
        Whether lines that cannot be parsed land in DuckDB's ``reject_errors`` (CSV only).
    """

    label: str
    columns: Mapping[str, str]
    has_file: bool
    keeps_rejects: bool


def sql_text(text: str) -> str:
    """SQL text literal, whatever the text holds.

    Examples
    --------
    >>> sql_text("o'brien")
    "'o''brien'"
    """
    return "'" + text.replace("'", "''") + "'"


def open_source(
    con: duckdb.DuckDBPyConnection, block: EventBlock, *, root: Path, frame: object | None = None
) -> RawTable:
    """Open a block's raw table as a view.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Connection to open it in.
    block : EventBlock
        Which table; its expressions say which CSV columns must stay text.
    root : Path
        Folder that relative paths start from.
    frame : object, optional
        A pandas, Polars or Arrow table to read instead of the block's path.

    Returns
    -------
    RawTable
        Label and columns.

    Raises
    ------
    SourceError
        If there is no such file, or it cannot be read, with what was looked for.
    """
    if frame is not None:
        label, relation, has_file, is_csv = "the data frame", _register(con, frame), False, False
    elif block.query is not None:
        label, has_file, is_csv = f"the query of block '{block.name}'", False, False
        relation = _query(con, block.query, label, root)
    elif block.path is not None:
        files = _find_files(block, root)
        reader = _reader(files, block)
        label, has_file, is_csv = block.path, True, reader == "read_csv"
        plain = f"SELECT * FROM {_read_call(reader, files, {})}"
        relation = plain if reader == "read_parquet" else _text_relation(con, block, reader, files)
    else:
        raise SourceError(f"[[events]] block '{block.name}' has no source", expected="a path, a query or a data frame")
    columns = _describe(con, relation, label)
    try:
        con.execute(f"CREATE OR REPLACE TEMP VIEW {RAW} AS {relation}")
    except duckdb.Error as error:
        raise source_error(label, error) from error
    columns.pop(FILE_COLUMN, None)
    return RawTable(label=label, columns=columns, has_file=has_file, keeps_rejects=is_csv)


def source_error(label: str, error: duckdb.Error) -> SourceError:
    """Say in one line why a table cannot be read."""
    reason = str(error).strip().splitlines()[0][:_MAX_REASON]
    return SourceError(
        f"{label} cannot be read: {reason}",
        remedy="check that the file is complete and of the type its name says, and deliver it again",
    )


def rejected_count(con: duckdb.DuckDBPyConnection) -> int:
    """How many lines of CSV files the scans so far could not fit to the columns."""
    made = "SELECT 1 FROM duckdb_tables() WHERE table_name = 'reject_errors'"  # with the first scan that is not skipped
    if not con.execute(made).fetchall():
        return 0
    lines = "SELECT count(*) FROM (SELECT DISTINCT scan_id, file_id, line FROM reject_errors)"
    return int(con.execute(lines).fetchall()[0][0])


def _find_files(block: EventBlock, root: Path) -> list[Path]:
    pattern = Path(block.path or "")
    whole = pattern if pattern.is_absolute() else root / pattern
    what = f"[[events]] block '{block.name}': {block.path}"
    if whole.is_dir():
        raise SourceError(f"{what} is a folder", expected="files", remedy=f'write "{block.path}/*.parquet" or "*.csv"')
    if whole.is_file():
        files = [whole]
    elif _GLOB_CHARACTERS.isdisjoint(str(block.path)):
        raise SourceError(
            f"{what} does not exist (looked for {whole})",
            remedy="correct `path`; relative paths start at the folder of ebbtide.toml",
        )
    else:
        start = Path(pattern.anchor) if pattern.is_absolute() else root
        found = start.glob(str(pattern.relative_to(pattern.anchor)))
        files = sorted(path for path in found if path.is_file())
        if not files:
            raise SourceError(
                f"{what} matches no file (looked in {root})", remedy="correct the pattern or add the files"
            )
    if empty := [path for path in files if path.stat().st_size == 0]:
        raise SourceError(f"{what}: {empty[0].name} is empty (0 bytes)", remedy="deliver the file again or remove it")
    return files


def _reader(files: list[Path], block: EventBlock) -> str:
    """DuckDB's function for the files' type; all must be of one type."""
    readers = {_READERS.get(_suffix(path)): path for path in files}
    if None in readers:
        raise SourceError(
            f"[[events]] block '{block.name}': {readers[None].name} is of an unknown type",
            expected="a name that ends in " + ", ".join(_READERS) + " (text types also with .gz)",
            remedy="rename or convert the file",
        )
    if len(readers) > 1:
        raise SourceError(
            f"[[events]] block '{block.name}': {block.path} matches files of different types "
            f"({', '.join(sorted(path.name for path in readers.values()))})",
            remedy="write one block a file type",
        )
    return str(next(iter(readers)))


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


def _read_call(reader: str, files: list[Path], types: Mapping[str, str], *, rejects: bool = True) -> str:
    listed = ", ".join(sql_text(_literal_path(path)) for path in files)
    typed = "{" + ", ".join(f"{sql_text(name)}: {sql_text(of)}" for name, of in types.items()) + "}"
    options = [f"filename = {sql_text(FILE_COLUMN)}"]
    if len(files) > 1:
        options.append("union_by_name = true")
    if reader == "read_csv":
        options.append("store_rejects = true" if rejects else "ignore_errors = true")
        options += [f"types = {typed}"] if types else []
    if reader == "read_json":  # an unreadable line becomes a row of nulls, which is quarantined
        options += ["format = 'newline_delimited'", "ignore_errors = true"]
        options += [f"columns = {typed}"] if types else []
    return f"{reader}([{listed}], {', '.join(options)})"


def _text_relation(con: duckdb.DuckDBPyConnection, block: EventBlock, reader: str, files: list[Path]) -> str:
    """All files one below the other, columns matched by name (DuckDB keeps rejected lines of such a union only so)."""
    parts = [[file] for file in files] if reader == "read_csv" else [files]
    guessed = [_describe(con, f"SELECT * FROM {_read_call(reader, part, {})}", part[0].name) for part in parts]
    for columns in guessed:
        columns.pop(FILE_COLUMN, None)
    try:
        types = column_types(
            con, block, guessed, lambda number, of: _read_call(reader, parts[number], of, rejects=False)
        )
    except duckdb.Error as error:
        raise source_error(str(block.path), error) from error
    read = (_read_call(reader, part, of) for part, of in zip(parts, types, strict=True))
    return " UNION ALL BY NAME ".join(f"SELECT * FROM {call}" for call in read)


def _literal_path(path: Path) -> str:
    """Path that DuckDB's own globbing reads as itself."""
    return "".join(f"[{character}]" if character in _GLOB_CHARACTERS else character for character in str(path))


def _query(con: duckdb.DuckDBPyConnection, query: str, label: str, root: Path) -> str:
    con.execute(f"SET file_search_path = {sql_text(str(root))}")
    relation = f"SELECT * FROM (\n{query.strip().rstrip(';')}\n)"
    try:
        count = len(con.extract_statements(relation))
    except duckdb.Error as error:
        raise source_error(label, error) from error
    if count != 1:
        raise SourceError(f"{label} is more than one SQL statement", expected="one `select`")
    return relation


def _register(con: duckdb.DuckDBPyConnection, frame: object) -> str:
    try:
        con.register(_FRAME, frame)
    except duckdb.Error as error:
        raise SourceError(
            f"a {type(frame).__name__} is no table: {str(error).splitlines()[0][:_MAX_REASON]}",
            expected="a pandas, Polars or Arrow table",
        ) from error
    return f"SELECT * FROM {_FRAME}"


def _describe(con: duckdb.DuckDBPyConnection, relation: str, label: str) -> dict[str, str]:
    try:
        return {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE {relation}").fetchall()}
    except duckdb.Error as error:
        raise source_error(label, error) from error

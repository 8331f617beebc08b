"""The list on disk: CSV for people, Parquet for programs, each either whole or not there."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from features.durable import replacing
from features.errors import UsageError
from pipelines.export.csv_text import csv_text, neutralise
from pipelines.export.rows import ExportRow

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SCHEMA", "Written", "to_table", "write_export"]

_TYPES = {
    "probability": pa.float64(),
    "percentile": pa.float64(),
    "value_at_risk": pa.float64(),
    "cutoff": pa.timestamp("us", tz="UTC"),
}
_NULLABLE = {"value_at_risk"} | {f"reason_{i}_{part}" for i in (1, 2, 3) for part in ("code", "text")}
COLUMNS = tuple(field.name for field in fields(ExportRow))
SCHEMA = pa.schema([pa.field(name, _TYPES.get(name, pa.string()), nullable=name in _NULLABLE) for name in COLUMNS])
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written, and where.

    Parameters
    ----------
    csv, parquet : Path
        The two files, the same rows in the same order.
    rows : int
        Customers on the list.
    neutralised : int
        Customers any text of whom has an apostrophe before it in the CSV because it looks like a formula.
        Match such ids by the Parquet file.
    sentence : str
        For the terminal.
    """

    csv: Path
    parquet: Path
    rows: int
    neutralised: int
    sentence: str


def to_table(rows: Sequence[ExportRow]) -> pa.Table:
    """Arrow table of the rows, with exact types and nothing neutralised."""
    return pa.table(
        {name: pa.array([getattr(row, name) for row in rows], SCHEMA.field(name).type) for name in COLUMNS},
        schema=SCHEMA,
    )


def write_export(rows: Sequence[ExportRow], folder: Path, *, target: str, run_id: str) -> Written:
    """Write ``<folder>/<target>-<run_id>.csv`` and ``.parquet``.

    A file appears under its name only when it is complete and on disk; the same rows and run id write the same
    bytes over the same files.

    Parameters
    ----------
    rows : sequence of ExportRow
        May be empty: the files then hold the columns and no row, and the sentence says so.
    folder : Path
        Made if it is not there.
    target, run_id : str
        Make up the file name: letters, digits, ``.``, ``_`` and ``-``.

    Raises
    ------
    UsageError
        If the target or run id cannot be part of a file name, or the folder cannot be written.
    """
    for what, name in (("target", target), ("run id", run_id)):
        if not _SAFE_NAME.fullmatch(name):
            raise UsageError(
                f"the {what} {name!r} cannot be part of a file name",
                expected="letters, digits, '.', '_' and '-'",
            )
    stem = f"{target}-{run_id}"
    csv, parquet = folder / f"{stem}.csv", folder / f"{stem}.parquet"
    table = to_table(rows)
    text = csv_text(COLUMNS, (astuple(row) for row in rows))
    try:
        with replacing(parquet) as temporary:
            pq.write_table(table, temporary, compression="zstd")
        with replacing(csv) as temporary:
            temporary.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise UsageError(
            f"the export cannot be written to {folder} ({error.strerror})",
            remedy="choose another folder with --out",
        ) from error
    neutralised = sum(any(isinstance(v, str) and neutralise(v) != v for v in astuple(row)) for row in rows)
    return Written(
        csv=csv,
        parquet=parquet,
        rows=len(rows),
        neutralised=neutralised,
        sentence=_sentence(target, len(rows), neutralised, csv),
    )


def _sentence(target: str, rows: int, neutralised: int, csv: Path) -> str:
    if not rows:
        return f"No customer is at risk ({target}) at this cutoff: {csv.name} holds the column names only."
    who = "customer" if rows == 1 else "customers"
    text = f"{rows:,} {who} at risk ({target}), the most valuable first: {csv.name}."
    if neutralised:
        text += (
            f" In {neutralised:,} of them a text looks like a formula: in the CSV (not in the Parquet file) it has"
            " an apostrophe before it."
        )
    return text

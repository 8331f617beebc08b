"""The folder of a simulation: written beside its place under another name, and renamed when it is whole."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import DiskFullError, UsageError

__all__ = ["WORLD_FILE", "Growing", "whole_folder", "write_parquet"]

WORLD_FILE: Final = Path("truth") / "world.json"
"""Marks a simulation; written last."""
_ROW_GROUP: Final = 1 << 18
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OPTIONS: Final[Mapping[str, Any]] = {"compression": "zstd", "compression_level": 1, "store_schema": False}


@contextmanager
def whole_folder(out: Path, *, force: bool) -> Iterator[Path]:
    """A folder to write into, that takes the place of ``out`` if nothing fails.

    Raises
    ------
    UsageError
        If ``out`` is a file, or holds something that is not to be replaced.
    DiskFullError
        If there is no room; nothing is left behind then.
    """
    _check_place(out, force=force)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.parent / f".{out.name}.partial-{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        _replace(partial, out)
    except OSError as error:
        if error.errno not in _FULL and "No space left" not in str(error) and "File too large" not in str(error):
            raise
        raise DiskFullError(
            f"the simulation does not fit on the disk of {out.parent}; nothing of it was kept",
            remedy="free some space there, or take fewer customers or days",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class Growing:
    """Parquet files that grow a table at a time, by name."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stack = folder, ExitStack()
        self._writers: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def append(self, name: str, table: pa.Table) -> None:
        """Add rows; the first table of a name says which columns it has."""
        if name not in self._writers:
            path = self._folder / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = pq.ParquetWriter(path, table.schema, use_dictionary=_texts(table.schema), **_OPTIONS)
            self._writers[name] = self._stack.enter_context(writer)
        if table.num_rows:
            self._writers[name].write_table(table, row_group_size=_ROW_GROUP)


def write_parquet(path: Path, table: pa.Table, *, row_group: int = _ROW_GROUP) -> None:
    """One whole file: the same rows give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=row_group, use_dictionary=_texts(table.schema), **_OPTIONS)


def _texts(schema: pa.Schema) -> Any:  # noqa: ANN401  (a list, where the stubs know only a bool)
    """Columns of few texts; ids of their own are not worth a dictionary."""
    plain = ("event_id", "session_id", "order_id")
    return [
        one.name
        for one in schema
        if one.name not in plain and (pa.types.is_dictionary(one.type) or pa.types.is_string(one.type))
    ]


def _check_place(out: Path, *, force: bool) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UsageError(f"{out} is a file", expected="a folder that does not exist yet", remedy="name another --out")
    if not out.exists() or not any(out.iterdir()):
        return
    if not (out / WORLD_FILE).is_file():
        raise UsageError(
            f"{out} is not empty and is no simulation", expected="a folder that does not exist yet",
            remedy="name another --out",
        )  # fmt: skip
    if not force:
        raise UsageError(f"{out} holds a simulation", remedy="name another --out, or replace it with --force")


def _replace(partial: Path, out: Path) -> None:
    old = partial.with_name(partial.name + ".old")
    if out.exists():
        out.rename(old)
    partial.rename(out)
    shutil.rmtree(old, ignore_errors=True)

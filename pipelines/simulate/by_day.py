"""A log day by day, as it was received: files of one day each, and an iterator over any simulation's days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.clock import DAY_US, to_us
from features.errors import UsageError

__all__ = ["by_day", "split_by_day"]

_EPOCH: Final = date(1970, 1, 1)
_OPEN_FILES: Final = 200
_OPTIONS: Final[Mapping[str, Any]] = {"compression": "zstd", "compression_level": 1}
_DAY_FILE: Final = "received={}.parquet"


def by_day(folder: str | Path) -> Iterator[tuple[date, pa.Table]]:
    """Days of receipt of a simulation, in order, each with the raw rows that arrived on it.

    Parameters
    ----------
    folder : path
        A simulation, written with or without ``--by-day``.

    Yields
    ------
    tuple of date and pyarrow.Table
        Days on which nothing arrived are left out. Chunks of customers stand one below the other; within one the rows
        are in order of receipt. The tables can be given to ``Project.ingest(table)`` one after the other.

    Raises
    ------
    UsageError
        If there is no simulation in the folder.
    """
    events = Path(folder) / "events"
    files = sorted(events.glob("*.parquet"))
    if not files:
        raise UsageError(f"there is no simulation in {folder}", remedy="run `ebbtide simulate --out` it")
    if files[0].name.startswith("received="):
        yield from by_day_files(events)
        return
    with TemporaryDirectory(prefix=".by-day-", dir=folder) as made:
        split_by_day(events, Path(made))
        yield from by_day_files(Path(made))


def by_day_files(events: Path) -> Iterator[tuple[date, pa.Table]]:
    """Days of a folder of one file a day."""
    for file in sorted(events.glob("received=*.parquet")):
        yield date.fromisoformat(file.stem.partition("=")[2]), pq.read_table(file)


def split_by_day(events: Path, out: Path) -> None:
    """Write the rows of ``part-*.parquet`` again, one file a day of receipt.

    Some days at a time, so that neither memory nor open files grow with the log; a row group is read once for them.
    """
    spans = {file: _groups(file) for file in sorted(events.glob("part-*.parquet"))}
    days = [day for groups in spans.values() for span in groups if span[0] <= span[1] for day in span]
    for begin in range(min(days, default=0), max(days, default=-1) + 1, _OPEN_FILES):
        end = begin + _OPEN_FILES
        with ExitStack() as stack:
            writers: dict[int, pq.ParquetWriter] = {}
            for file, groups in spans.items():
                for number, (low, high) in enumerate(groups):
                    for day, rows in _split(file, number, max(low, begin), min(high + 1, end)):
                        if day not in writers:
                            path = out / _DAY_FILE.format((_EPOCH + timedelta(days=day)).isoformat())
                            writer = pq.ParquetWriter(path, rows.schema, store_schema=False, **_OPTIONS)
                            writers[day] = stack.enter_context(writer)
                        writers[day].write_table(rows)


def _groups(file: Path) -> list[tuple[int, int]]:
    """First and last day of receipt of each row group, whose rows are in order of receipt; of an empty one no day."""
    spans = []
    with pq.ParquetFile(file) as opened:
        place = opened.schema_arrow.names.index("received_at")
        for number in range(opened.num_row_groups):
            found: Any = opened.metadata.row_group(number).column(place).statistics
            spans.append((to_us(found.min) // DAY_US, to_us(found.max) // DAY_US) if found is not None else (0, -1))
    return spans


def _split(file: Path, group: int, begin: int, end: int) -> Iterator[tuple[int, pa.Table]]:
    """Rows of a row group by day of receipt, for the days from ``begin`` to before ``end``."""
    if begin >= end:
        return
    with pq.ParquetFile(file) as opened:
        table = opened.read_row_group(group, use_threads=False)
    received = pc.cast(table["received_at"], pa.int64()).to_numpy()
    edges = np.searchsorted(received, np.arange(begin, end + 1) * DAY_US)
    for day, first, last in zip(range(begin, end), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if last > first:
            yield day, table.slice(first, last - first)

"""A log day by day, as it was received: files of one day each, and an iterator over any simulation's days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
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
        for file in files:
            yield date.fromisoformat(file.stem.partition("=")[2]), pq.read_table(file)
        return
    spans = {file: _groups(file) for file in files}
    first = min(low for groups in spans.values() for low, _ in groups)
    last = max(high for groups in spans.values() for _, high in groups)
    for day in range(first, last + 1):
        parts = [part for file in files for part in _rows(file, spans[file], day)]
        if parts:
            yield _EPOCH + timedelta(days=day), pa.concat_tables(parts)


def split_by_day(events: Path) -> None:
    """Write the rows of ``part-*.parquet`` again, one file a day of receipt, and delete the parts.

    Some days at a time, so that neither memory nor open files grow with the log.
    """
    files = sorted(events.glob("part-*.parquet"))
    spans = {file: _groups(file) for file in files}
    days = [day for groups in spans.values() for span in groups for day in span]
    for begin in range(min(days, default=0), max(days, default=-1) + 1, _OPEN_FILES):
        writers: dict[int, pq.ParquetWriter] = {}
        try:
            for file in files:
                for day in range(begin, begin + _OPEN_FILES):
                    for part in _rows(file, spans[file], day):
                        if day not in writers:
                            path = events / _DAY_FILE.format((_EPOCH + timedelta(days=day)).isoformat())
                            writers[day] = pq.ParquetWriter(
                                path, part.schema, compression="zstd", compression_level=1, store_schema=False
                            )
                        writers[day].write_table(part)
        finally:
            for writer in writers.values():
                writer.close()
    for file in files:
        file.unlink()


def _groups(file: Path) -> list[tuple[int, int]]:
    """First and last day of receipt of each row group; rows are in order of receipt."""
    spans = []
    with pq.ParquetFile(file) as opened:
        place = opened.schema_arrow.names.index("received_at")
        for number in range(opened.num_row_groups):
            found: Any = opened.metadata.row_group(number).column(place).statistics
            low, high = to_us(found.min), to_us(found.max)
            spans.append((low // DAY_US, high // DAY_US))
    return spans


def _rows(file: Path, spans: list[tuple[int, int]], day: int) -> list[pa.Table]:
    groups = [number for number, (low, high) in enumerate(spans) if low <= day <= high]
    if not groups:
        return []
    with pq.ParquetFile(file) as opened:
        table = opened.read_row_groups(groups, use_threads=False)
    received = pc.cast(table["received_at"], pa.int64()).to_numpy()
    begin, end = np.searchsorted(received, [day * DAY_US, (day + 1) * DAY_US])
    return [table.slice(int(begin), int(end - begin))] if end > begin else []

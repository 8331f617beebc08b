"""Every score that was handed out, in append-only Parquet, written beside the hot path and never in its way.

A background thread takes rows from a bounded queue and, at least once a second, replaces this worker's current file by
one that also holds the new rows (a whole file is written, then renamed over the old one). So a killed process loses at
most a second of rows, a reader never meets half a file, there is nothing to merge, and after a rotation the file is
left alone. A full queue drops rows and counts them; a request never waits.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "Prediction", "PredictionLog"]

FLUSH_SECONDS: Final = 1.0
ROWS_A_FILE: Final = 50_000
SECONDS_A_FILE: Final = 3_600.0
QUEUE_ROWS: Final = 100_000


class Prediction(NamedTuple):
    """One row of the log: one customer and target of one answered request."""

    logged_at: int
    request_id: str
    customer_id: str
    target: str
    status: str
    probability: float | None
    expected_value: float | None
    percentile: float | None
    band: str | None
    model_version: str | None
    fingerprint: str | None
    cutoff: int
    route: str


_MOMENTS: Final = frozenset({"logged_at", "cutoff"})
_NUMBERS: Final = frozenset({"probability", "expected_value", "percentile"})
COLUMNS: Final = Prediction._fields
"""Column names; ``logged_at`` and ``cutoff`` are UTC timestamps of microseconds in the files."""


class PredictionLog:
    """Append-only log of scores, one current file a process.

    Parameters
    ----------
    folder : Path
        Where the files go, ``date=YYYY-MM-DD/<time>-<worker>-<n>.parquet``.
    worker : str
        Unique name of this process among all that ever wrote here at the same second.
    count : callable
        Called with (metric name, rows) for rows written and dropped.
    now : callable
        The clock.
    """

    def __init__(
        self, folder: Path, worker: str, count: Callable[[str, int], None], now: Callable[[], datetime]
    ) -> None:
        self._folder, self._worker, self._count, self._now = folder, worker, count, now
        self._queue: queue.SimpleQueue[list[Prediction] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._files = 0
        self._table: Any = None
        self._path: Path | None = None
        self._opened = now()
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        """Start writing."""
        self._thread.start()

    def append(self, rows: list[Prediction]) -> None:
        """Hand over rows without waiting; drops and counts them if the log is too far behind."""
        with self._lock:
            accepted = self._waiting + len(rows) <= QUEUE_ROWS
            if accepted:
                self._waiting += len(rows)
        if accepted:
            self._queue.put(rows)
        else:
            self._count("ebbtide_prediction_log_dropped_total", len(rows))

    def close(self, timeout: float = 10.0) -> None:
        """Write what is waiting and stop."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout)

    def _run(self) -> None:
        arrow = _arrow()
        stopping = False
        while not stopping:
            batch, stopping = self._collect()
            if batch:
                if self._is_full():
                    self._table, self._path = None, None
                self._write(arrow, batch)

    def _collect(self) -> tuple[list[Prediction], bool]:
        """Rows of about one flush interval, and whether the log is being closed."""
        batch: list[Prediction] = []
        first = self._queue.get()
        if first is None:
            return batch, True
        batch += first
        deadline = time.monotonic() + FLUSH_SECONDS / 2
        closing = False
        while not closing and (left := deadline - time.monotonic()) > 0:
            try:
                rows = self._queue.get(timeout=left)
            except queue.Empty:
                break
            closing = rows is None
            batch += rows or []
        with self._lock:
            self._waiting -= len(batch)
        return batch, closing

    def _write(self, arrow: ModuleType, batch: list[Prediction]) -> None:
        try:
            path = self._path or self._next_path()
            rows = _table(arrow, batch)
            table = rows if self._table is None else arrow.concat_tables([self._table, rows])
            path.parent.mkdir(parents=True, exist_ok=True)  # each time: someone may clear the folder while we run
            part = path.with_name(f".{path.name}.tmp")
            arrow.parquet.write_table(table, part, compression="zstd")
            part.replace(path)
        except (OSError, ValueError):  # a full or read-only disk costs log rows, never an answer nor this thread
            self._count("ebbtide_prediction_log_dropped_total", len(batch))
        else:
            self._path, self._table = path, table
            self._count("ebbtide_prediction_log_rows_total", len(batch))

    def _is_full(self) -> bool:
        """Whether the current file is to be left alone: it has enough rows, or its hour or its day is over."""
        if self._table is None:
            return False
        now = self._now()
        old = (now - self._opened).total_seconds() >= SECONDS_A_FILE or _day(now) != _day(self._opened)
        return old or self._table.num_rows >= ROWS_A_FILE

    def _next_path(self) -> Path:
        self._opened = self._now()
        self._files += 1
        started = self._opened.astimezone(UTC)
        return self._folder / f"date={_day(started)}" / f"{started:%H%M%S}-{self._worker}-{self._files:04d}.parquet"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _arrow() -> ModuleType:
    """pyarrow, loaded when the first log starts and not before."""
    import pyarrow.parquet  # heavy, and only this thread needs it

    module: ModuleType = pyarrow
    return module


def _table(arrow: Any, rows: Sequence[Prediction]) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """Table of the rows, from buffers: ``pyarrow.array`` of a list would import pandas into the worker."""
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    arrays = []
    for name, values in columns.items():
        if name in _MOMENTS:
            arrays.append(_numbers(arrow, arrow.timestamp("us", tz="UTC"), values, np.int64))
        elif name in _NUMBERS:
            arrays.append(_numbers(arrow, arrow.float64(), values, np.float64))
        else:
            arrays.append(_texts(arrow, values))
    return arrow.Table.from_arrays(arrays, names=list(columns))


def _numbers(arrow: Any, kind: Any, values: Sequence[Any], dtype: type) -> Any:  # noqa: ANN401 - see _table
    data: NDArray[Any] = np.array([0 if value is None else value for value in values], dtype=dtype)
    return arrow.Array.from_buffers(kind, len(values), [_validity(arrow, values), arrow.py_buffer(data)])


def _texts(arrow: Any, values: Sequence[Any]) -> Any:  # noqa: ANN401 - see _table
    encoded = [b"" if value is None else value.encode() for value in values]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    buffers = [_validity(arrow, values), arrow.py_buffer(offsets), arrow.py_buffer(b"".join(encoded))]
    return arrow.Array.from_buffers(arrow.large_string(), len(values), buffers).cast(arrow.string())


def _validity(arrow: Any, values: Sequence[Any]) -> Any:  # noqa: ANN401 - see _table
    known = np.array([value is not None for value in values], dtype=np.bool_)
    return arrow.py_buffer(np.packbits(known, bitorder="little"))

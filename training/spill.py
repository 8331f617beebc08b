"""Feature values that arrive in batches: in memory while they are few, in a file without a name when they are many.

The file is unlinked from the start. Its space is free again when the last array over it is gone, however the process
ends, and there is nothing to tidy up.
"""

from __future__ import annotations

import errno
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from features.errors import DiskFullError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Spill", "ValuesBuffer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spill:
    """When values go to disk, and where.

    Parameters
    ----------
    folder : Path
        On the disk that is to hold them.
    memory_bytes : int
        More values than this go to a file; 0: any.
    """

    folder: Path
    memory_bytes: int


class ValuesBuffer:
    """Rows of float32 values, appended batch by batch.

    Parameters
    ----------
    width : int
        Columns.
    spill : Spill or None
        None: everything stays in memory.

    Examples
    --------
    >>> buffer = ValuesBuffer(2, None)
    >>> buffer.append(np.zeros((1, 2), dtype=np.float32))
    >>> buffer.append(np.ones((1, 2), dtype=np.float32))
    >>> buffer.finish().tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """

    def __init__(self, width: int, spill: Spill | None) -> None:
        self._width, self._spill = width, spill
        self._rows = 0
        self._parts: list[NDArray[np.float32]] = []
        self._file: IO[bytes] | None = None

    def append(self, values: NDArray[np.float32]) -> None:
        """Add rows: float32[k, width].

        Raises
        ------
        DiskFullError
            If the disk has no room for them.
        """
        self._rows += len(values)
        self._parts.append(values)
        if self._spill is not None and (self._file is not None or self._bytes > self._spill.memory_bytes):
            self._write(self._spill)

    def finish(self) -> NDArray[np.float32]:
        """All rows, in memory or mapped read-only; the buffer is empty and closed afterwards."""
        shape = (self._rows, self._width)
        if self._file is None:
            out = np.empty(shape, dtype=np.float32)
            stop = self._rows
            while self._parts:  # each part is freed once it is copied, so that they never stand in memory twice
                part = self._parts.pop()
                out[stop - len(part) : stop] = part
                stop -= len(part)
            return out
        mapped = np.memmap(self._file, dtype=np.float32, mode="r", shape=shape)
        self.close()
        return mapped

    def close(self) -> None:
        """Drop what is held, if anything; arrays that :meth:`finish` gave stay as they are."""
        self._parts.clear()
        if self._file is not None:
            self._file.close()

    @property
    def _bytes(self) -> int:
        return self._rows * self._width * np.dtype(np.float32).itemsize

    def _write(self, spill: Spill) -> None:
        try:
            if self._file is None:
                spill.folder.mkdir(parents=True, exist_ok=True)
                self._file = tempfile.TemporaryFile(dir=spill.folder, buffering=0)  # noqa: SIM115 - outlives the call
            for part in self._parts:
                _write_whole(self._file, part)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise DiskFullError(
                f"the training panel does not fit on the disk of {spill.folder}: it holds {self._bytes / 1e9:.1f} GB "
                "of values so far",
                remedy="free some space there, or take fewer cutoffs: [retrain] max_cutoffs",
            ) from error
        self._parts.clear()


def _write_whole(file: IO[bytes], values: NDArray[np.float32]) -> None:
    """Write all bytes; one call of the system may take fewer."""
    left = np.ascontiguousarray(values, dtype=np.float32).reshape(-1).view(np.uint8).data
    while left:
        left = left[file.write(left) :]

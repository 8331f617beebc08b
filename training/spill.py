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
        self._spill, self._rows = spill, 0
        self._held = np.empty((0, width), dtype=np.float32)
        self._file: IO[bytes] | None = None

    def append(self, values: NDArray[np.float32]) -> None:
        """Add rows: float32[k, width].

        Raises
        ------
        DiskFullError
            If the disk has no room for them.
        """
        start, self._rows = self._rows, self._rows + len(values)
        if self._file is not None:
            self._write(self._file, values)
            return
        # One array that grows where it is: the parts and the whole never stand in memory side by side.
        self._held.resize((self._rows, values.shape[1]), refcheck=False)
        self._held[start:] = values
        if self._spill is not None and self._held.nbytes > self._spill.memory_bytes:
            self._spill.folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._spill.folder, buffering=0)  # noqa: SIM115 - see close
            self._write(self._file, self._held)
            self._held = self._held[:0].copy()

    def finish(self) -> NDArray[np.float32]:
        """All rows, in memory or mapped read-only; nothing can be added afterwards."""
        if self._file is None:
            return self._held
        shape = (self._rows, self._held.shape[1])
        mapped = np.memmap(self._file, dtype=np.float32, mode="r", shape=shape)
        self.close()
        return mapped

    def close(self) -> None:
        """Close the file, if there is one; the array that :meth:`finish` gave stays as it is."""
        if self._file is not None:
            self._file.close()

    def _write(self, file: IO[bytes], values: NDArray[np.float32]) -> None:
        left = np.ascontiguousarray(values, dtype=np.float32).reshape(-1).view(np.uint8).data
        try:
            while left:  # one call of the system may take only some of the bytes
                left = left[file.write(left) :]
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise DiskFullError(
                f"the training panel does not fit on the disk of {self._spill and self._spill.folder}: "
                f"{self._rows:,} rows of {values.shape[1]} features so far",
                remedy="free some space there, or take fewer cutoffs: [retrain] max_cutoffs",
            ) from error

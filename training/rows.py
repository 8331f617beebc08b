"""Rows of a feature matrix that may be larger than memory: gathered, read by column or scored, block by block.

A matrix is an array in memory or a read-only map of a file; both are read by the same lines. Pages of a mapped file
that were read are given back after every block, so a process holds a block of it, whatever the file's size.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Rows"]

_BLOCK_BYTES: Final = 16 << 20
_FLOAT_BYTES: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some rows of a feature matrix, not read yet.

    Parameters
    ----------
    values : ndarray of float32, shape (n, f)
        The matrix, in memory or mapped; NaN = null.
    numbers : ndarray of int64, shape (m,)
        Which of its rows, ascending.

    Examples
    --------
    >>> some = Rows(np.arange(6, dtype=np.float32).reshape(3, 2), np.array([0, 2]))
    >>> some.take().tolist()
    [[0.0, 1.0], [4.0, 5.0]]
    >>> some.columns([1]).tolist()
    [[1.0], [5.0]]
    >>> some.apply(lambda block: block.sum(axis=1, dtype=np.float64)).tolist()
    [1.0, 9.0]
    """

    values: NDArray[np.float32]
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the rows."""
        return int(self.numbers.size)

    @property
    def block_rows(self) -> int:
        """Rows that are read at a time: 16 MiB of them."""
        return max(1, _BLOCK_BYTES // max(1, int(self.values.shape[1]) * _FLOAT_BYTES))

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Copies of the rows, so many at a time; one without rows if there are none."""
        for start in range(0, max(1, len(self)), self.block_rows):
            yield self[start : start + self.block_rows]

    def take(self) -> NDArray[np.float32]:
        """Copy of all the rows: float32[m, f]."""
        return self.columns(None)

    def columns(self, positions: Sequence[int] | None) -> NDArray[np.float32]:
        """Copy of a few columns, in one walk over the rows; None means all: float32[m, k]."""
        width = self.values.shape[1] if positions is None else len(positions)
        out = np.empty((len(self), width), dtype=np.float32)
        start = 0
        for block in self.blocks():
            out[start : start + len(block)] = block if positions is None else block[:, list(positions)]
            start += len(block)
        return out

    def apply(self, score: Callable[[NDArray[np.float32]], NDArray[np.float64]]) -> NDArray[np.float64]:
        """One number a row, from a function that looks at each row by itself: float64[m]."""
        return np.concatenate([score(block) for block in self.blocks()])

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        """Copy of a slice of the rows: float32[k, f]."""
        numbers, file = self.numbers[part], _mapped_file(self.values)
        if file is None:
            return self.values[numbers]
        found = np.empty((numbers.size, self.values.shape[1]), dtype=np.float32)
        start = 0
        while start < numbers.size:  # rows far apart touch many more pages than they fill
            stop = int(np.searchsorted(numbers, numbers[start] + self.block_rows))
            found[start:stop] = self.values[numbers[start:stop]]
            _give_back(file)
            start = stop
        return found


def _mapped_file(values: NDArray[np.float32]) -> mmap.mmap | None:
    base: object = values.base
    return base if isinstance(base, mmap.mmap) else None


def _give_back(file: mmap.mmap) -> None:
    """Let go of the pages of a mapped file; they are read again from it, or from its cache, when asked for."""
    file.madvise(mmap.MADV_DONTNEED)

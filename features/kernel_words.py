"""A plan's arrays as one array: handing one array to compiled code costs a fortieth of handing forty.

That is what a request for one customer's features would otherwise mostly wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled
from features.kernel_program import Edges, Ints, Program
from features.kernel_readout import ReadoutProgram

__all__ = ["pack_words", "unpack_words"]


def pack_words(program: Program, edges: Edges, readouts: ReadoutProgram) -> Ints:
    """Pack all arrays, floats by their bits, behind a head that says where each begins; the last entry is the end."""
    arrays: Sequence[NDArray[Any]] = (*program, *edges, *readouts)
    parts = [np.ascontiguousarray(array).view(np.int64).ravel() for array in arrays]
    starts = np.cumsum([len(parts) + 1, *(part.size for part in parts)])
    return np.concatenate([starts, *parts]).astype(np.int64)


@compiled
def unpack_words(words: Ints) -> tuple[Program, Edges, ReadoutProgram]:
    """Give the arrays again, as views; those of edges are of a single cutoff."""
    program = Program(
        _part(words, 0),
        _part(words, 1),
        _part(words, 2),
        _part(words, 3),
        _part(words, 4),
        _part(words, 5),
        _part(words, 6),
        _part(words, 7),
        _part(words, 8),
        _part(words, 9),
        _part(words, 10),
        _part(words, 11),
        _part(words, 12),
        _part(words, 13),
        _part(words, 14),
        _part(words, 15),
        _part(words, 16),
        _part(words, 17),
        _part(words, 18),
        _part(words, 19),
        _part(words, 20),
        _part(words, 21),
        _part(words, 22),
        _part(words, 23),
        _part(words, 24),
        _part(words, 25),
        _part(words, 26),
        _part(words, 27),
        _part(words, 28),
    )
    edges = Edges(
        _part(words, 29), _part(words, 30), _part(words, 31).reshape((-1, 1)), _part(words, 32).reshape((-1, 1))
    )
    readouts = ReadoutProgram(
        _part(words, 33),
        _part(words, 34).reshape((-1, 3)),
        _part(words, 35).reshape((-1, 2)),
        _part(words, 36).view(np.float64).reshape((-1, 2)),
        _part(words, 37).view(np.float64).reshape((-1, 5)),
        _part(words, 38),
        _part(words, 39),
        _part(words, 40),
    )
    return program, edges, readouts


@compiled
def _part(words: Ints, at: int) -> Ints:
    return words[words[at] : words[at + 1]]

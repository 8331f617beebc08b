"""Random numbers by purpose and place: the same whatever else is drawn, in whichever order, on however many threads."""

from __future__ import annotations

import zlib
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Flags", "Floats", "Ints", "pick", "rank_within", "stream", "sums"]

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


def stream(seed: int, purpose: str, chunk: int = 0) -> np.random.Generator:
    """Counter-based generator of one purpose in one chunk of customers.

    Parameters
    ----------
    seed : int
        Of the simulation, at least 0.
    purpose : str
        What is drawn; streams of two purposes are independent, so that adding one leaves the others as they were.
    chunk : int
        Number of the chunk.

    References
    ----------
    Salmon, Moraes, Dror & Shaw (2011), Parallel random numbers: as easy as 1, 2, 3 (Philox).

    Examples
    --------
    >>> float(stream(1, "states", 3).random()) == float(stream(1, "states", 3).random())
    True
    """
    key = np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), chunk])
    return np.random.Generator(np.random.Philox(key))


def pick(draw: np.random.Generator, weights: tuple[float, ...] | Floats, size: int) -> Ints:
    """Positions drawn with the given weights.

    Examples
    --------
    >>> pick(stream(1, "x"), (0.0, 1.0), 3).tolist()
    [1, 1, 1]
    """
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    place: Ints = np.searchsorted(edges, draw.random(size) * edges[-1], side="right").astype(np.int64)
    return np.minimum(place, edges.size - 1)


def rank_within(groups: Ints) -> Ints:
    """Number of each row within its group, from 0, where rows of a group stand together.

    Examples
    --------
    >>> rank_within(np.array([4, 4, 7, 9, 9, 9])).tolist()
    [0, 1, 0, 0, 1, 2]
    """
    if not groups.size:
        return groups.astype(np.int64)
    first = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    begins: Ints = np.repeat(first, np.diff(np.append(first, groups.size)))
    return np.arange(groups.size) - begins


def sums(groups: Ints, weights: Floats, size: int) -> Floats:
    """Sum of the weights of each group; of nothing it is 0.0, where ``bincount`` alone gives an integer.

    Examples
    --------
    >>> sums(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), 4).tolist()
    [1.0, 0.0, 5.0, 0.0]
    """
    return np.bincount(groups, weights, minlength=size).astype(np.float64)

"""Bands: where a score begins to be medium and high."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bands"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Where ``medium`` and ``high`` begin, as a probability (an amount for a value target).

    Parameters
    ----------
    medium, high : float
        Lowest score of the band; ``medium`` <= ``high``.
    """

    medium: float
    high: float

    @classmethod
    def from_reference(cls, scores: NDArray[np.float64]) -> Bands:
        """The 50th and the 90th percentile of the reference scores.

        Scores that tie with the lowest never stand out: a rule that says the same of almost everyone has few
        ``high``, and one that says the same of everyone has none.

        Parameters
        ----------
        scores : float64 array [m]
            At least one.

        Examples
        --------
        >>> Bands.from_reference(np.arange(11) / 10)
        Bands(medium=0.5, high=0.9)
        >>> Bands.from_reference(np.array([0.1] * 19 + [0.6]))
        Bands(medium=0.6, high=0.6)
        """
        values = np.unique(scores)
        above = float(values[1]) if len(values) > 1 else float(np.nextafter(values[0], np.inf))
        medium, high = np.quantile(scores, [0.5, 0.9], method="higher").tolist()
        return cls(medium=max(medium, above), high=max(high, above))

"""When a difference is an alarm, as an object that can be stated, stored and printed."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

__all__ = ["Threshold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """When a difference is an alarm.

    Parameters
    ----------
    effect : float
        Smallest shift worth acting on, in standard deviations of the reference.
    sigmas : float
        How many standard errors the shift must exceed besides.
    null_share : float
        For features: smallest change of the share of nulls worth reporting, in [0, 1].
    min_rows : int
        Fewer scores than this on either side are not judged.

    Examples
    --------
    >>> round(Threshold().limit(2249, 2000), 3), round(Threshold().limit(2249, 200), 3)
    (0.2, 0.221)
    """

    effect: float = 0.2
    sigmas: float = 3.0
    null_share: float = 0.1
    min_rows: int = 200

    def limit(self, reference_rows: int, current_rows: int) -> float:
        """Alarm level for that many rows (each at least 1), in standard deviations."""
        return max(self.effect, self.sigmas * _noise(reference_rows, current_rows))

    def null_limit(self, reference_rows: int, current_rows: int) -> float:
        """Alarm level for a change of the share of nulls; 0.5 is the largest deviation a share can have."""
        return max(self.null_share, self.sigmas * 0.5 * _noise(reference_rows, current_rows))


def _noise(reference_rows: int, current_rows: int) -> float:
    """Give the standard error of a difference of means, in standard deviations."""
    return sqrt(1 / reference_rows + 1 / current_rows)

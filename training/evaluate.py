"""Metrics of probabilities and amounts, light (NumPy only) and independent of the order of the rows.

Rows are customers at one test cutoff, so rows are independent and paired intervals are normal ones over rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "TWEEDIE_POWER",
    "Bin",
    "Difference",
    "auc",
    "brier",
    "calibration_bins",
    "ece",
    "lift_top_decile",
    "log_loss",
    "log_losses",
    "paired_difference",
    "ranks",
    "spearman",
    "total_bias",
    "tweedie_deviances",
]

TWEEDIE_POWER: Final = 1.5
_CLIP: Final = 1e-15
_NORMAL_95: Final = 1.959963984540054


class Difference(NamedTuple):
    """A mean paired difference with its 95 % interval."""

    mean: float
    low: float
    high: float


class Bin(NamedTuple):
    """One bin of a calibration curve."""

    predicted: float
    observed: float
    rows: int


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mid-ranks from 1; equal values share the mean of their ranks.

    Examples
    --------
    >>> ranks(np.array([5.0, 1.0, 5.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle = last - (counts - 1) / 2.0
    return np.asarray(middle[inverse], dtype=np.float64)


def auc(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """Area under the ROC curve: P(a positive scores above a negative), ties counting half.

    Parameters
    ----------
    labels : ndarray of float64, shape (n,)
        0 or 1.
    scores : ndarray of float64, shape (n,)
        Any monotone score.

    Returns
    -------
    float
        NaN if there is only one class.

    Examples
    --------
    >>> auc(np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.5, 0.5, 0.1]))
    0.875
    """
    positives = float(labels.sum())
    negatives = labels.size - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    rank_sum = float(ranks(scores)[labels > 0].sum())
    return (rank_sum - positives * (positives + 1) / 2.0) / (positives * negatives)


def log_losses(labels: NDArray[np.float64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log loss of each row, probabilities clipped to [1e-15, 1 - 1e-15]."""
    inside = np.clip(probabilities, _CLIP, 1.0 - _CLIP)
    return -(labels * np.log(inside) + (1.0 - labels) * np.log1p(-inside))


def log_loss(labels: NDArray[np.float64], probabilities: NDArray[np.float64]) -> float:
    """Mean log loss, in nats.

    Examples
    --------
    >>> round(log_loss(np.array([1.0, 0.0]), np.array([0.5, 0.5])), 6)
    0.693147
    """
    return float(log_losses(labels, probabilities).mean())


def brier(labels: NDArray[np.float64], probabilities: NDArray[np.float64]) -> float:
    """Mean squared error of probabilities.

    Examples
    --------
    >>> brier(np.array([1.0, 0.0]), np.array([0.5, 0.0]))
    0.125
    """
    return float(((labels - probabilities) ** 2).mean())


def calibration_bins(labels: NDArray[np.float64], predicted: NDArray[np.float64], *, bins: int = 10) -> tuple[Bin, ...]:
    """Bins of equal mass by prediction; equal predictions always share a bin.

    Parameters
    ----------
    labels, predicted : ndarray of float64, shape (n,)
        Outcomes (0/1 or amounts) and their predictions.
    bins : int
        How many at most.

    Returns
    -------
    tuple of Bin
        By rising prediction, without empty ones.

    Examples
    --------
    >>> calibration_bins(np.array([0.0, 1.0]), np.array([0.2, 0.8]), bins=2)
    (Bin(predicted=0.2, observed=0.0, rows=1), Bin(predicted=0.8, observed=1.0, rows=1))
    """
    which = _bin_numbers(predicted, bins)
    rows = np.bincount(which, minlength=bins)
    predictions = np.bincount(which, weights=predicted, minlength=bins)
    outcomes = np.bincount(which, weights=labels, minlength=bins)
    return tuple(
        Bin(
            predicted=float(predictions[b] / rows[b]),
            observed=float(outcomes[b] / rows[b]),
            rows=int(rows[b]),
        )
        for b in range(bins)
        if rows[b]
    )


def ece(labels: NDArray[np.float64], probabilities: NDArray[np.float64], *, bins: int = 10) -> float:
    """Mean distance between predicted and observed rates (expected calibration error), equal-mass bins.

    Examples
    --------
    >>> round(ece(np.array([0.0, 1.0]), np.array([0.2, 0.7]), bins=2), 12)
    0.25
    """
    curve = calibration_bins(labels, probabilities, bins=bins)
    return sum(abs(one.predicted - one.observed) * one.rows for one in curve) / labels.size


def lift_top_decile(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """Outcome rate among the tenth with the highest scores, divided by the rate of all.

    Rows tied at the tenth's edge count with the mean of their outcomes: the order of the rows does not matter.

    Returns
    -------
    float
        NaN if nobody has the outcome.

    Examples
    --------
    >>> lift_top_decile(np.array([1.0] + [0.0] * 9), np.arange(10.0, 0.0, -1.0))
    10.0
    >>> round(lift_top_decile(np.array([1.0] + [0.0] * 9), np.zeros(10)), 12)
    1.0
    """
    overall = float(labels.mean()) if labels.size else 0.0
    if overall == 0.0:
        return float("nan")
    top = max(1, -(-labels.size // 10))
    edge = np.partition(scores, labels.size - top)[labels.size - top]
    above, tied = scores > edge, scores == edge
    found = float(labels[above].sum()) + float(labels[tied].mean()) * (top - int(above.sum()))
    return found / top / overall


def paired_difference(losses_a: NDArray[np.float64], losses_b: NDArray[np.float64]) -> Difference:
    """Mean of ``losses_a - losses_b`` over the same rows, with a normal 95 % interval.

    Returns
    -------
    Difference
        Wholly negative: a is better. The interval has no width for fewer than two rows.

    Examples
    --------
    >>> paired_difference(np.array([1.0, 3.0]), np.array([0.0, 2.0]))
    Difference(mean=1.0, low=1.0, high=1.0)
    """
    gap = losses_a - losses_b
    mean = float(gap.mean())
    half = _NORMAL_95 * float(gap.std(ddof=1)) / float(np.sqrt(gap.size)) if gap.size > 1 else 0.0
    return Difference(mean=mean, low=mean - half, high=mean + half)


def tweedie_deviances(amounts: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tweedie unit deviance (power 1.5) of each row; net amounts below 0 count as 0.

    Parameters
    ----------
    amounts, expected : ndarray of float64, shape (n,)
        Money; ``expected`` is clipped at 10⁻⁶ from below.

    References
    ----------
    Jørgensen (1987), Exponential dispersion models, eq. for the unit deviance with 1 < p < 2.

    Examples
    --------
    >>> tweedie_deviances(np.array([4.0, 0.0]), np.array([4.0, 4.0])).tolist()
    [0.0, 8.0]
    """
    p = TWEEDIE_POWER
    y, mu = np.maximum(amounts, 0.0), np.maximum(expected, 1e-6)
    parts = y ** (2 - p) / ((1 - p) * (2 - p)) - y * mu ** (1 - p) / (1 - p) + mu ** (2 - p) / (2 - p)
    return np.asarray(2.0 * parts, dtype=np.float64)


def total_bias(amounts: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Sum expected divided by sum found, less 1; NaN if nothing was found.

    Examples
    --------
    >>> total_bias(np.array([10.0, 10.0]), np.array([12.0, 10.0]))
    0.10000000000000009
    """
    total = float(amounts.sum())
    return float(expected.sum()) / total - 1.0 if total > 0 else float("nan")


def spearman(amounts: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Rank correlation, ties at mid-ranks; NaN if either side is constant.

    Examples
    --------
    >>> round(spearman(np.array([1.0, 2.0, 9.0]), np.array([1.0, 5.0, 6.0])), 12)
    1.0
    """
    a, b = ranks(amounts) - (amounts.size + 1) / 2.0, ranks(expected) - (expected.size + 1) / 2.0
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / spread if spread > 0 else float("nan")


def _bin_numbers(predicted: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    share = (ranks(predicted) - 0.5) / predicted.size
    return np.minimum((share * bins).astype(np.int64), bins - 1)

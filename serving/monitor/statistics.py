"""How far two samples lie apart, in a unit that does not depend on how many rows there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["finite", "is_constant", "normed_wasserstein", "null_share", "wasserstein"]


def finite(values: NDArray[Any]) -> NDArray[np.float64]:
    """Keep the finite values, as float64.

    Examples
    --------
    >>> finite(np.array([1.0, np.nan, np.inf])).tolist()
    [1.0]
    """
    numbers = np.asarray(values, dtype=np.float64)
    return numbers[np.isfinite(numbers)]


def null_share(values: NDArray[Any]) -> float:
    """Share of the values that are null (NaN) or infinite, in [0, 1]; NaN of no values.

    Examples
    --------
    >>> null_share(np.array([1.0, np.nan, np.inf, 2.0]))
    0.5
    """
    return 1.0 - len(finite(values)) / len(values) if len(values) else float("nan")


def is_constant(values: NDArray[np.float64]) -> bool:
    """Whether all finite values are the same, but for rounding; false of no values.

    Examples
    --------
    >>> is_constant(np.array([0.1, 0.1 + 1e-17])), is_constant(np.array([0.1, 0.2]))
    (True, False)
    """
    if not len(values):
        return False
    low, high = float(values.min()), float(values.max())
    return high - low <= 1e-9 * max(abs(low), abs(high))


def wasserstein(reference: NDArray[np.float64], current: NDArray[np.float64]) -> float:
    """Distance by which values have to move, on average, to turn one sample into the other; in their own unit.

    Parameters
    ----------
    reference, current : array of float64
        Finite, at least one value each.

    Returns
    -------
    float
        The area between the two cumulative distributions, at least the difference of the means.

    Examples
    --------
    >>> wasserstein(np.array([0.0, 1.0]), np.array([2.0, 3.0]))
    2.0
    >>> wasserstein(np.array([0.0, 1.0]), np.array([0.5]))
    0.5

    References
    ----------
    Ramdas, García & Cuturi (2017), "On Wasserstein two-sample testing and related families of nonparametric
    tests", Entropy 19(2), 47, eq. 10 (p = 1).
    """
    a, b = np.sort(reference), np.sort(current)
    merged = np.sort(np.concatenate([a, b]))
    below = merged[:-1]
    gap = np.searchsorted(a, below, side="right") / len(a) - np.searchsorted(b, below, side="right") / len(b)
    return float(np.sum(np.abs(gap) * np.diff(merged)))


def normed_wasserstein(reference: NDArray[np.float64], current: NDArray[np.float64]) -> float | None:
    """Wasserstein distance in standard deviations of the reference.

    Parameters
    ----------
    reference, current : array of float64
        Finite, at least one value each. If the reference is constant, the current sample's deviation is used.

    Returns
    -------
    float or None
        At least 0; 0.3 means that the values moved by 0.3 standard deviations on average. If both are constant: 0
        when they are equal, null when they are not, since there is nothing to measure the step with.

    Examples
    --------
    >>> normed_wasserstein(np.array([0.0, 2.0]), np.array([0.5, 2.5]))
    0.5
    >>> normed_wasserstein(np.array([3.0, 3.0]), np.array([5.0])) is None
    True
    """
    fixed_reference, fixed_current = is_constant(reference), is_constant(current)
    if fixed_reference and fixed_current:
        return 0.0 if is_constant(np.concatenate([reference, current])) else None
    scale = float(np.std(current if fixed_reference else reference))
    return wasserstein(reference, current) / scale

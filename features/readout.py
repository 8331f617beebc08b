"""From base aggregates to feature values: exact integers in, float32 out, NaN for null."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.errors import UsageError
from features.kernel_readout import fill_values
from features.plan import Plan

__all__ = ["readout"]


def readout(plan: Plan, base: NDArray[np.int64], cutoffs_us: NDArray[np.int64]) -> NDArray[np.float32]:
    """Feature values of a base table: the same function, and the same bits, for one row and for many.

    Parameters
    ----------
    plan : Plan
        What the columns mean.
    base : int64[n, base]
        Rows of the base table; ``NULL_INT`` is null.
    cutoffs_us : int64[n]
        The rows' cutoffs, epoch µs.

    Returns
    -------
    float32[n, feature]
        In the order of ``plan.feature_names``; NaN is null.

    Raises
    ------
    UsageError
        If the shapes do not fit the plan.

    Examples
    --------
    >>> from features.definition import Aggregation, Base, Family, Feature, Readout
    >>> from features.plan import compile_plan
    >>> last = Base(aggregation=Aggregation.LAST, event_type="purchase")
    >>> recency = Feature(readout=Readout.AGE_DAYS, bases=(last,), family=Family.RECENCY)
    >>> day = 86_400_000_000
    >>> readout(compile_plan([recency], timezone="UTC"), np.array([[day], [-(2**63)]]), np.array([3 * day, day]))
    array([[ 2.],
           [nan]], dtype=float32)
    """
    if base.ndim != 2 or base.shape[1] != len(plan.base) or cutoffs_us.shape != base.shape[:1]:
        raise UsageError(
            f"a base table of shape {base.shape} with {cutoffs_us.shape} cutoffs",
            expected=f"(n, {len(plan.base)}) and (n,)",
        )
    values = np.empty((base.shape[0], len(plan.features)), dtype=np.float32)
    fill_values(plan.readout_program, np.ascontiguousarray(base), np.ascontiguousarray(cutoffs_us), values)
    return values

"""What became of each feature: reported, never part of the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from serving.monitor.statistics import finite, is_constant, normed_wasserstein, null_share
from serving.monitor.threshold import Threshold

__all__ = ["FeatureFinding", "judge_feature"]

Status = Literal["compared", "missing", "empty", "constant", "not_comparable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureFinding:
    """What became of one feature; reported, never part of the exit code.

    Parameters
    ----------
    name : str
        Of the feature.
    status : str
        ``compared``; ``missing`` from the current data; ``empty``: no value (all null) in one of the two;
        ``constant``: one single value in one of the two; ``not_comparable``: only infinite values, no numbers, or
        not in the reference.
    statistic : float or None
        Shift in standard deviations; null if there is nothing to measure.
    limit : float or None
        What the shift was held against.
    drifted : bool
        The shift, or the change of the share of nulls, exceeds its limit; or the values have gone.
    reference_null_share, current_null_share : float or None
        In [0, 1]; null where the column is not there.
    sentence : str
        What was found.
    """

    name: str
    status: Status
    statistic: float | None = None
    limit: float | None = None
    drifted: bool
    reference_null_share: float | None = None
    current_null_share: float | None = None
    sentence: str


def judge_feature(
    name: str, reference: NDArray[Any] | None, current: NDArray[Any] | None, *, threshold: Threshold
) -> FeatureFinding:
    """Compare one feature, whatever state its column is in.

    Parameters
    ----------
    name : str
        Of the feature.
    reference, current : array of shape [m] and [n], or None
        None: there is no such column.
    threshold : Threshold
        When a difference is reported as drift.

    Examples
    --------
    >>> judge_feature("visits_count_28d", np.arange(300.0), None, threshold=Threshold()).status
    'missing'
    """
    if reference is None:
        return FeatureFinding(
            name=name, status="not_comparable", drifted=False, sentence="not in the reference: new since the model"
        )
    if current is None:
        return FeatureFinding(name=name, status="missing", drifted=True, sentence="missing from the current data")
    if reference.dtype.kind not in "biuf" or current.dtype.kind not in "biuf":
        return FeatureFinding(
            name=name,
            status="not_comparable",
            drifted=False,
            sentence=f"not numbers: {reference.dtype} in the reference, {current.dtype} now",
        )
    old, new = finite(reference), finite(current)
    nulls = null_share(reference), null_share(current)
    if not len(old) or not len(new):
        return _valueless(name, reference, current, nulls)
    limit, null_limit = threshold.limit(len(old), len(new)), threshold.null_limit(len(reference), len(current))
    shift = normed_wasserstein(old, new)
    fixed_old, fixed_new = is_constant(old), is_constant(new)
    parts = [] if shift is None else [f"moved by {shift:.2f} standard deviations (limit {limit:.2f})"]
    if fixed_old:
        parts.append(f"always {old[0]:g} in the reference")
    if fixed_new:
        parts.append(f"always {new[0]:g} now")
    nulls_moved = abs(nulls[1] - nulls[0]) > null_limit
    if nulls_moved:
        parts.append(f"null for {nulls[0]:.0%} in the reference, {nulls[1]:.0%} now")
    return FeatureFinding(
        name=name,
        status="constant" if fixed_old or fixed_new else "compared",
        statistic=shift,
        limit=limit,
        drifted=shift is None or shift > limit or nulls_moved,
        reference_null_share=nulls[0],
        current_null_share=nulls[1],
        sentence="; ".join(parts),
    )


def _valueless(name: str, reference: NDArray[Any], current: NDArray[Any], nulls: tuple[float, float]) -> FeatureFinding:
    """Judge a feature that has not one finite value on one side or on both."""
    here = [len(finite(side)) > 0 for side in (reference, current)]
    infinite = any(
        not there and bool(np.isinf(np.asarray(side, dtype=np.float64)).any())
        for there, side in zip(here, (reference, current), strict=True)
    )
    where = "in the reference" if here[1] else "now" if here[0] else "in the reference and now"
    return FeatureFinding(
        name=name,
        status="not_comparable" if infinite else "empty",
        drifted=here[0] != here[1],
        reference_null_share=nulls[0] if len(reference) else None,
        current_null_share=nulls[1] if len(current) else None,
        sentence=f"{'only infinite values' if infinite else 'no value at all'} {where}",
    )

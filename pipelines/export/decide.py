"""Who goes on the list, and in which order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from features.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["BANDS", "ScoredCustomers", "choose"]

BANDS = ("low", "medium", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCustomers:
    """Batch scores of one target as columns, one entry a customer.

    Parameters
    ----------
    customer_ids : array of str, shape [n]
        Distinct.
    probability : array of float64, shape [n]
        Calibrated, in [0, 1].
    percentile : array of float64, shape [n]
        In [0, 100], against the bundle's reference scores.
    band : array of str, shape [n]
        ``low``, ``medium`` or ``high``.

    Raises
    ------
    UsageError
        If the columns differ in length, a customer is there twice, or a band is none of the three.
    """

    customer_ids: NDArray[Any]
    probability: NDArray[np.float64]
    percentile: NDArray[np.float64]
    band: NDArray[Any]

    def __post_init__(self) -> None:
        lengths = {len(self.customer_ids), len(self.probability), len(self.percentile), len(self.band)}
        if len(lengths) != 1:
            raise UsageError(f"the score columns have {sorted(lengths)} entries", expected="the same number in each")
        twice = [name for name, count in Counter(self.customer_ids.tolist()).items() if count > 1]
        if twice:
            raise UsageError(
                f"{len(twice)} customers are in the scores more than once",
                expected="one row a customer and target",
                remedy="export one target and one cutoff at a time",
            )
        for unknown in sorted(set(self.band.tolist()) - set(BANDS)):
            raise UsageError(f"the scores hold the band {unknown!r}", expected=did_you_mean(str(unknown), BANDS))

    def __len__(self) -> int:
        """Count the customers."""
        return len(self.customer_ids)


def choose(
    scores: ScoredCustomers,
    *,
    value_at_risk: NDArray[np.float64] | None = None,
    bands: Sequence[str] = ("high",),
) -> NDArray[np.int64]:
    """Positions of the customers to export, the most valuable to keep first.

    Parameters
    ----------
    scores : ScoredCustomers
        One target's scores.
    value_at_risk : array of float64, shape [n], optional
        Money a customer is expected to take along, in the project's currency; NaN where unknown. None:
        unknown for everyone (a log without amounts).
    bands : sequence of str, optional
        Who counts as at risk.

    Returns
    -------
    array of int64, shape [k]
        Sorted by value at risk descending (unknown last), then probability descending, then customer id, so
        that the order never depends on the order of the scores.

    Raises
    ------
    UsageError
        If a band does not exist or the values do not match the scores.

    Examples
    --------
    >>> scores = ScoredCustomers(
    ...     customer_ids=np.array(["a", "b", "c", "d"], dtype=object),
    ...     probability=np.array([0.7, 0.9, 0.8, 0.1]),
    ...     percentile=np.array([92.0, 99.0, 95.0, 4.0]),
    ...     band=np.array(["high", "high", "high", "low"], dtype=object),
    ... )
    >>> choose(scores, value_at_risk=np.array([30.0, np.nan, 80.0, 500.0])).tolist()
    [2, 0, 1]
    """
    for band in bands:
        if band not in BANDS:
            raise UsageError(f"there is no band {band!r}", remedy=did_you_mean(band, BANDS).rstrip("?"))
    value = np.full(len(scores), np.nan) if value_at_risk is None else np.asarray(value_at_risk, dtype=np.float64)
    if value.shape != (len(scores),):
        raise UsageError(f"{value.shape[0]} values at risk", expected=f"one for each of the {len(scores)} scores")
    wanted = set(bands)
    chosen = [i for i, band in enumerate(scores.band.tolist()) if band in wanted]
    money, probability, ids = value.tolist(), scores.probability.tolist(), scores.customer_ids.tolist()

    def rank(i: int) -> tuple[bool, float, float, str]:
        unknown = bool(np.isnan(money[i]))
        return unknown, 0.0 if unknown else -money[i], -probability[i], ids[i]

    return np.array(sorted(chosen, key=rank), dtype=np.int64)

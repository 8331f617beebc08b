"""The feature table: one row a customer and cutoff, base aggregates, feature values and outcomes side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import UsageError

__all__ = ["FeatureTable", "concat"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureTable:
    """Rows for customers and cutoffs; a customer has a row at each cutoff with at least one visible event.

    Parameters
    ----------
    customer_ids : object[c]
        The distinct customers.
    customer : int64[n]
        Index into ``customer_ids``; ascending.
    cutoff_us : int64[n]
        Cutoffs, epoch µs; ascending within a customer.
    base : int64[n, b]
        The plan's ``extra`` base aggregates; ``NULL_INT`` is null.
    values : float32[n, f]
        Features; NaN is null.
    outcomes : int64[n, k]
        Counts, or net amounts in hundredths.
    """

    customer_ids: NDArray[np.object_]
    customer: NDArray[np.int64]
    cutoff_us: NDArray[np.int64]
    base: NDArray[np.int64]
    values: NDArray[np.float32]
    outcomes: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the rows."""
        return int(self.customer.size)


def concat(tables: Sequence[FeatureTable]) -> FeatureTable:
    """One table of several with different customers and the same columns.

    Raises
    ------
    UsageError
        If there are no tables, so that the columns are not known.
    """
    if not tables:
        raise UsageError("there are no feature tables to put together", expected="at least one")
    starts = np.cumsum([0, *(table.customer_ids.size for table in tables)])
    return FeatureTable(
        customer_ids=np.concatenate([table.customer_ids for table in tables]),
        customer=np.concatenate([table.customer + start for table, start in zip(tables, starts, strict=False)]),
        cutoff_us=np.concatenate([table.cutoff_us for table in tables]),
        base=np.concatenate([table.base for table in tables]),
        values=np.concatenate([table.values for table in tables]),
        outcomes=np.concatenate([table.outcomes for table in tables]),
    )

"""Check the cutoffs that a batch engine is asked for, and put them in the order the kernel wants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np

from features.clock import to_us
from features.errors import UsageError
from features.kernel_program import Ints

__all__ = ["moments"]

_ALWAYS_US: Final = 2**63 - 1


def moments(cutoffs: Sequence[datetime], received_before: Sequence[datetime] | None) -> tuple[Ints, Ints]:
    """Cutoffs and their moments of receipt, epoch µs, by ascending cutoff.

    Parameters
    ----------
    cutoffs : sequence of datetime
        Aware, distinct, in any order.
    received_before : sequence of datetime, optional
        One a cutoff; without it everything that was ever received is seen.

    Raises
    ------
    UsageError
        If cutoffs repeat, or ``received_before`` has another length.
    """
    if len(set(cutoffs)) != len(cutoffs):
        raise UsageError("a cutoff was given twice", expected="distinct cutoffs")
    if received_before is not None and len(received_before) != len(cutoffs):
        raise UsageError(f"{len(cutoffs)} cutoffs and {len(received_before)} received_before", expected="one a cutoff")
    at = np.array([to_us(cutoff) for cutoff in cutoffs], dtype=np.int64)
    before = np.full(at.size, _ALWAYS_US, dtype=np.int64)
    if received_before is not None:
        before = np.array([to_us(moment) for moment in received_before], dtype=np.int64)
    ascending = np.argsort(at)
    return at[ascending], before[ascending]

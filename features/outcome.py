"""What happened after a cutoff: counts and net amounts in a future window, from everything received."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from features.clock import DAY_US
from features.errors import UsageError
from features.kernel_program import SLOT_SUM, OutcomeProgram
from features.layout import Layout

__all__ = ["REFUND", "Outcome", "outcome_program"]

REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An aggregate over ``[cutoff + start, cutoff + end)``, half-open like every window.

    Parameters
    ----------
    name : str
        Its name.
    event_types : tuple of str
        Which events.
    start_days, end_days : int
        Days of 86,400 s after the cutoff, ``0 <= start < end``.
    measure : {"count", "net_amount"}
        ``count``: orders (absent: rows) whose earliest line, of all received, lies in the window. ``net_amount``: the
        amounts of those orders' lines before the window's end less the size of the refunds that happened in the
        window, in hundredths.

    Raises
    ------
    UsageError
        If the window is empty or lies before the cutoff, or no event type is given.

    Examples
    --------
    >>> Outcome(name="churn", event_types=("purchase",), start_days=0, end_days=28, measure="count").end_days
    28
    """

    name: str
    event_types: tuple[str, ...]
    start_days: int
    end_days: int
    measure: Literal["count", "net_amount"]

    def __post_init__(self) -> None:
        if not 0 <= self.start_days < self.end_days:
            raise UsageError(
                f"the outcome {self.name!r} looks at days {self.start_days} to {self.end_days}",
                expected="0 <= start < end",
            )
        if not self.event_types:
            raise UsageError(f"the outcome {self.name!r} has no event types", expected="at least one")


def outcome_program(outcomes: Sequence[Outcome], layout: Layout) -> OutcomeProgram:
    """Compile outcomes; the streams and sums they need are added to the layout."""
    terms: list[tuple[int, int, int, int, int, int, int]] = []
    for column, outcome in enumerate(outcomes):
        window = (outcome.start_days * DAY_US, outcome.end_days * DAY_US, column)
        money = outcome.measure == "net_amount"
        for event_type in dict.fromkeys(outcome.event_types):
            if not (money and event_type == REFUND):
                stream = layout.stream(event_type)
                slot = layout.slot(stream, "amount", mode=SLOT_SUM) if money else -1
                terms.append((*window, stream, slot, 1, 0))
        if money:
            stream = layout.stream(REFUND)
            terms.append((*window, stream, layout.slot(stream, "amount", mode=SLOT_SUM), -1, 1))
    table = np.array(terms, dtype=np.int64).reshape(-1, 7)
    return OutcomeProgram(*[np.ascontiguousarray(table[:, at]) for at in range(7)])

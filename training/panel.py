"""The panel: one row per eligible customer and past cutoff, with features and a label.

A run's cutoff acts as "now": only cutoffs whose whole label window lies before it have labels, and the last of them is
the test. Cutoffs lie whole weeks apart on the local calendar, so that each falls on the same weekday and local hour as
the run's, through changes of daylight saving time.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from features.clock import DAY_US, to_us, zone
from features.errors import HistoryError
from training.labels import Target, eligible, label
from training.rows import Rows
from training.spill import Spill, ValuesBuffer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from features.feature_table import FeatureTable
    from features.plan import Plan

__all__ = ["MAX_CUTOFFS", "Panel", "cutoff_grid", "days_needed", "labelled", "panels_from_tables"]

MAX_CUTOFFS: Final = 60
"""More weekly cutoffs than this, and they are taken two, three … weeks apart."""
_LEAST_WARM_UP_DAYS: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Labelled rows of one target; one row per eligible customer and cutoff.

    Parameters
    ----------
    target : Target
        What is predicted.
    feature_names : tuple of str, length f
        Columns of ``values``.
    values : ndarray of float32, shape (n, f)
        Features, NaN = null; mapped from a file if they are many, so read them through :meth:`rows`.
    labels : ndarray of float64, shape (n,)
        0 or 1, or money.
    cutoff_us : ndarray of int64, shape (n,)
        Cutoff of each row, epoch microseconds.
    customer : ndarray of int64, shape (n,)
        A number a customer, the same at every cutoff.
    first_event_us : int
        Time of the log's first event: where history begins.
    """

    target: Target
    feature_names: tuple[str, ...]
    values: NDArray[np.float32]
    labels: NDArray[np.float64]
    cutoff_us: NDArray[np.int64]
    customer: NDArray[np.int64]
    first_event_us: int

    @property
    def cutoffs_us(self) -> NDArray[np.int64]:
        """Distinct cutoffs, ascending."""
        return np.unique(self.cutoff_us)

    @property
    def customer_rank(self) -> NDArray[np.int64]:
        """Rank of each row's customer among those of the panel; customers who came later do not change it."""
        return np.asarray(np.unique(self.customer, return_inverse=True)[1], dtype=np.int64)

    @property
    def span_us(self) -> int:
        """Gap + horizon: how long after its cutoff a label is known."""
        return (self.target.gap_days + self.target.horizon_days) * DAY_US

    @property
    def history_us(self) -> int:
        """From the first event to the end of the last label window."""
        return int(self.cutoff_us.max()) + self.span_us - self.first_event_us if self.cutoff_us.size else 0

    def rows(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Rows:
        """Features of some rows, given by a mask or by their numbers in ascending order; read when asked for."""
        numbers = np.flatnonzero(which) if which.dtype == np.bool_ else which
        return Rows(self.values, np.asarray(numbers, dtype=np.int64))

    def __len__(self) -> int:
        """Count the rows."""
        return int(self.labels.size)


def days_needed(target: Target) -> int:
    """Days of history without which a target is refused: a training and a test label window, and a week to look at.

    Examples
    --------
    >>> from training.labels import TargetKind
    >>> days = {"active_within_days": 60, "horizon_days": 28, "gap_days": 2}
    >>> days_needed(Target(name="churn", kind=TargetKind.CHURN, event_types=("purchase",), **days))
    67
    """
    return 2 * (target.gap_days + target.horizon_days) + _LEAST_WARM_UP_DAYS


def cutoff_grid(
    first_event: datetime, cutoff: datetime, target: Target, *, timezone: str, max_cutoffs: int = MAX_CUTOFFS
) -> list[datetime]:
    """Past cutoffs to learn from, backwards from the last one whose label window is over.

    Parameters
    ----------
    first_event : datetime
        Time of the log's first event.
    cutoff : datetime
        The run's cutoff; nothing after it is used.
    target : Target
        Its gap and horizon decide the last cutoff, its ``active_within_days`` how much history the first one should
        have behind it (less when the history is short).
    timezone : str
        IANA name; steps keep the local hour.
    max_cutoffs : int
        Upper bound; steps widen by whole weeks to keep it.

    Returns
    -------
    list of datetime
        Ascending, UTC, at least two.

    Raises
    ------
    HistoryError
        If the history is shorter than :func:`days_needed`.
    """
    span_days = target.gap_days + target.horizon_days
    history_days = (cutoff - first_event) / timedelta(days=1)
    needed = days_needed(target)
    if history_days < needed:
        raise HistoryError(
            f"target {target.name!r}: the log has {max(int(history_days), 0)} days of history before the cutoff",
            expected=f"at least {needed} (twice gap + horizon of {span_days} days, and a week)",
            remedy=f"ingest older events, choose a later --cutoff, or shorten [targets.{target.name}] horizon_days",
        )
    last = _steps_back(cutoff, span_days, timezone)
    while last + timedelta(days=span_days) > cutoff:
        last = _steps_back(last, 7, timezone)
    warm_up = min(float(target.active_within_days), (history_days - 2 * span_days) / 2)
    earliest = first_event + timedelta(days=max(warm_up, 1.0))
    weeks = int((last - earliest) / timedelta(days=7))
    step = 7 * (weeks // max_cutoffs + 1)
    grid = [_steps_back(last, step * count, timezone) for count in range(weeks * 7 // step + 1)]
    return [moment for moment in reversed(grid) if moment >= earliest]


def panels_from_tables(
    tables: Iterable[FeatureTable],
    plan: Plan,
    targets: Sequence[Target],
    cutoffs: Mapping[str, Sequence[datetime]],
    *,
    first_event: datetime,
    spill: Spill | None = None,
) -> dict[str, Panel]:
    """Panels of several targets from one walk over the feature tables.

    Parameters
    ----------
    tables : iterable of FeatureTable
        Batches, built at every cutoff of any target, with ``outcomes`` = the targets' outcomes in their order.
    plan : Plan
        Compiled with the targets' :meth:`~training.labels.Target.bases` as ``extra``.
    targets : sequence of Target
        What is predicted.
    cutoffs : mapping of str to sequence of datetime
        The cutoff grid of each target, by its name.
    first_event : datetime
        Time of the log's first event.
    spill : Spill, optional
        When values go to a file; its ``memory_bytes`` are shared out evenly among the targets. None: never.

    Returns
    -------
    dict of str to Panel
        By target name; rows in the tables' order.

    Raises
    ------
    DiskFullError
        If the values need a file and the disk has no room for it.
    """
    share = spill and replace(spill, memory_bytes=spill.memory_bytes // max(1, len(targets)))
    growing = [_Growing(target, plan, cutoffs[target.name], share) for target in targets]
    with ExitStack() as cleanup:
        for one in growing:
            cleanup.callback(one.values.close)
        customers = 0
        for table in tables:
            for column, one in enumerate(growing):
                one.append(table, column, first_customer=customers)
            customers += int(table.customer_ids.size)
        return {one.target.name: one.finish(to_us(first_event)) for one in growing}


def labelled(
    table: FeatureTable, plan: Plan, target: Target, outcome: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Rows of a feature table that a target applies to, as a mask, and the labels of those rows.

    Parameters
    ----------
    table : FeatureTable
        With the target's outcome.
    plan : Plan
        Compiled with the target's :meth:`~training.labels.Target.bases` as ``extra``.
    target : Target
        What is predicted.
    outcome : int
        Column of its outcome in ``table.outcomes``.

    Returns
    -------
    ndarray of bool, shape (n,)
    ndarray of float64, shape (number of rows in the mask,)
    """
    keep = eligible(target, plan, table.base, table.cutoff_us)
    return keep, label(target, table.outcomes[keep, outcome])


class _Growing:
    """The panel of one target while batches come in."""

    def __init__(self, target: Target, plan: Plan, cutoffs: Sequence[datetime], spill: Spill | None) -> None:
        self.target, self._plan = target, plan
        self._wanted = np.array([to_us(moment) for moment in cutoffs], dtype=np.int64)
        self.values = ValuesBuffer(len(plan.feature_names), spill)
        self._labels: list[NDArray[np.float64]] = [np.zeros(0)]
        self._cutoff_us: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
        self._customer: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]

    def append(self, table: FeatureTable, outcome: int, *, first_customer: int) -> None:
        keep, labels = labelled(table, self._plan, self.target, outcome)
        wanted = np.isin(table.cutoff_us, self._wanted)
        self._labels.append(labels[wanted[keep]])
        keep &= wanted
        self.values.append(table.values[keep])
        self._cutoff_us.append(table.cutoff_us[keep])
        self._customer.append(table.customer[keep] + first_customer)

    def finish(self, first_event_us: int) -> Panel:
        return Panel(
            target=self.target,
            feature_names=self._plan.feature_names,
            values=self.values.finish(),
            labels=np.concatenate(self._labels),
            cutoff_us=np.concatenate(self._cutoff_us),
            customer=np.concatenate(self._customer),
            first_event_us=first_event_us,
        )


def _steps_back(moment: datetime, days: int, timezone: str) -> datetime:
    return (moment.astimezone(zone(timezone)) - timedelta(days=days)).astimezone(UTC)

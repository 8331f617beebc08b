"""Splits by time with an embargo: no label window of one part reaches a cutoff of the next.

The last matured cutoff is the test. Everything whose label window ends before it may be learned from. Inside that, the
calibrator and the number of trees are chosen on *forward folds*: each fold is fitted on the past, leaves out gap +
horizon, and is judged on the cutoffs that follow. With less than 4 x (gap + horizon) of history there is no room for
them, and folds are groups of customers instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from features.errors import HistoryError, OneClassError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.panel import Panel

__all__ = [
    "FOLDS",
    "MIN_CLASS_ROWS",
    "MIN_ROWS",
    "MIN_TEST_CLASS_ROWS",
    "MIN_TEST_ROWS",
    "Fold",
    "Split",
    "fold_rows",
    "time_split",
]

FOLDS: Final = 3
MIN_ROWS: Final = 200
"""Fewer labelled rows than this before the test, and nothing is fitted."""
MIN_CLASS_ROWS: Final = 20
"""Fewer rows than this with, or without, the outcome before the test, and nothing is fitted."""
MIN_TEST_ROWS: Final = 100
"""Fewer test customers than this, and the gate promotes nothing."""
MIN_TEST_CLASS_ROWS: Final = 20
"""Fewer test customers with, or without, the outcome than this, and the gate promotes nothing."""
_FIRST_FOLD_SHARE: Final = 0.4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Rows of a panel as masks.

    Parameters
    ----------
    before : ndarray of bool, shape (n,)
        May be learned from when the test is to stay unseen: cutoff + gap + horizon <= the test's cutoff.
    test : ndarray of bool, shape (n,)
        The last matured cutoff.
    """

    before: NDArray[np.bool_]
    test: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """One fold, as row numbers of the panel.

    Parameters
    ----------
    fit, judge : ndarray of int64
        Rows to fit on and rows to judge on.
    """

    fit: NDArray[np.int64]
    judge: NDArray[np.int64]


def time_split(panel: Panel) -> Split:
    """Test = the last matured cutoff; before = whatever was known by then.

    Raises
    ------
    HistoryError
        If too few labelled rows are left to learn from.
    OneClassError
        If all labels before the test are the same.
    """
    name = panel.target.name
    if not len(panel):
        raise HistoryError(
            f"target {name!r}: nobody was eligible at any past cutoff",
            expected=f"customers active within {panel.target.active_within_days} days",
            remedy=f"look at the event types and days of [targets.{name}]",
        )
    last = int(panel.cutoff_us.max())
    split = Split(before=panel.cutoff_us + panel.span_us <= last, test=panel.cutoff_us == last)
    labels = panel.labels[split.before]
    if labels.size < MIN_ROWS:
        raise HistoryError(
            f"target {name!r}: {labels.size} labelled rows before the test cutoff",
            expected=f"at least {MIN_ROWS}",
            remedy="ingest more customers or older events",
        )
    _refuse_one_class(panel, labels)
    return split


def fold_rows(panel: Panel, rows: NDArray[np.bool_], *, folds: int = FOLDS) -> tuple[Fold, ...]:
    """Folds of the rows: forward in time, or by customer where history is short.

    Parameters
    ----------
    panel : Panel
        Its target's gap + horizon is the embargo.
    rows : ndarray of bool, shape (n,)
        Rows that may be used.
    folds : int
        How many.

    Returns
    -------
    tuple of Fold
        Each with at least one row on either side; both outcomes on the fitting side of binary targets.
    """
    if panel.history_us >= 4 * panel.span_us:
        forward = _forward(panel, rows, folds)
        if forward:
            return forward
    return _grouped(panel, rows, folds)


def _forward(panel: Panel, rows: NDArray[np.bool_], folds: int) -> tuple[Fold, ...]:
    cutoffs = np.unique(panel.cutoff_us[rows])
    first, last = int(cutoffs[0]), int(cutoffs[-1])
    start = first + max(panel.span_us, int((last - first) * _FIRST_FOLD_SHARE))
    made = []
    for block in np.array_split(cutoffs[cutoffs >= start], folds):
        if block.size:
            fit = rows & (panel.cutoff_us + panel.span_us <= block[0])
            judge = rows & (panel.cutoff_us >= block[0]) & (panel.cutoff_us <= block[-1])
            made.append((fit, judge))
    return _usable(panel, made)


def _grouped(panel: Panel, rows: NDArray[np.bool_], folds: int) -> tuple[Fold, ...]:
    group = panel.customer_rank % folds
    return _usable(panel, [(rows & (group != number), rows & (group == number)) for number in range(folds)])


def _usable(panel: Panel, made: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]) -> tuple[Fold, ...]:
    return tuple(
        Fold(fit=np.flatnonzero(fit), judge=np.flatnonzero(judge))
        for fit, judge in made
        if judge.any() and _differ(panel.labels[fit]) and np.count_nonzero(fit) >= MIN_ROWS // 2
    )


def _differ(labels: NDArray[np.float64]) -> bool:
    """Whether there is something to learn; a net amount below 0 counts as 0, as in fitting."""
    return np.unique(np.maximum(labels, 0.0)).size > 1


def _refuse_one_class(panel: Panel, labels: NDArray[np.float64]) -> None:
    name, with_outcome = panel.target.name, int((labels > 0).sum())
    without = labels.size - with_outcome
    if not _differ(labels):
        raise OneClassError(
            f"target {name!r}: {with_outcome} labelled rows with the outcome and {without} without",
            expected="both kinds, or amounts that differ",
            remedy=f"change horizon_days, active_within_days or event_types of [targets.{name}]",
        )
    if panel.target.is_binary and min(with_outcome, without) < MIN_CLASS_ROWS:
        raise HistoryError(
            f"target {name!r}: {with_outcome} labelled rows with the outcome and {without} without",
            expected=f"at least {MIN_CLASS_ROWS} of each",
            remedy=f"ingest more history, or change horizon_days of [targets.{name}]",
        )

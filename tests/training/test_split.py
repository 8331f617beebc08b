from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.clock import DAY_US
from features.errors import HistoryError, OneClassError
from tests.training.panel_builders import simulated, target
from training.labels import TargetKind
from training.split import fold_rows, time_split


def days(panel_cutoffs: np.ndarray, start_us: int) -> list[int]:
    return sorted({int(value) for value in (panel_cutoffs - start_us) // DAY_US})


def test_the_test_is_the_last_cutoff_and_the_embargo_is_gap_plus_horizon() -> None:
    panel = simulated(cutoffs=20, of=target(gap=3, horizon=28))
    split = time_split(panel)
    assert days(panel.cutoff_us[split.test], panel.first_event_us) == [28 + 19 * 7]  # 161
    assert max(days(panel.cutoff_us[split.before], panel.first_event_us)) == 126  # 126 + 31 = 157 <= 161 < 133 + 31
    assert not (split.before & split.test).any()


def test_forward_folds_never_see_a_label_of_their_future() -> None:
    panel = simulated(cutoffs=30)
    rows = time_split(panel).before
    folds = fold_rows(panel, rows)
    assert len(folds) == 3
    for fold in folds:
        assert panel.cutoff_us[fold.fit].max() + 28 * DAY_US <= panel.cutoff_us[fold.judge].min()
        assert rows[fold.fit].all()
        assert rows[fold.judge].all()
    judged = np.concatenate([fold.judge for fold in folds])
    assert len(judged) == len(set(judged.tolist()))
    assert panel.cutoff_us[judged].max() == panel.cutoff_us[rows].max()


def test_short_history_is_folded_by_customer() -> None:
    panel = simulated(cutoffs=6)  # 28 + 5 * 7 + 28 = 91 days, less than 4 x 28
    folds = fold_rows(panel, time_split(panel).before)
    assert len(folds) == 3
    for fold in folds:
        assert not set(panel.customer[fold.fit]) & set(panel.customer[fold.judge])
        assert set(panel.cutoff_us[fold.fit]) == set(panel.cutoff_us[fold.judge])


def test_one_class_says_how_many() -> None:
    panel = simulated()
    with pytest.raises(OneClassError, match="6400 labelled rows with the outcome and 0 without"):
        time_split(replace(panel, labels=np.ones(len(panel))))


def test_a_handful_of_outcomes_is_too_few() -> None:
    panel = simulated()
    labels = np.zeros(len(panel))
    labels[np.flatnonzero(time_split(panel).before)[:19]] = 1.0
    with pytest.raises(HistoryError, match=r"19 labelled rows with the outcome.*at least 20 of each"):
        time_split(replace(panel, labels=labels))


def test_nobody_eligible_and_too_few_rows() -> None:
    panel = simulated()
    none = np.zeros(0, dtype=np.int64)
    empty = replace(panel, values=panel.values[none], labels=panel.labels[none], cutoff_us=none, customer=none)
    with pytest.raises(HistoryError, match="nobody was eligible"):
        time_split(empty)
    with pytest.raises(HistoryError, match="160 labelled rows before the test cutoff; expected at least 200"):
        time_split(simulated(customers=10))


def test_folds_of_customers_do_not_depend_on_customers_outside_of_the_panel() -> None:
    panel = simulated(customers=150, cutoffs=6)
    rows = time_split(panel).before
    renumbered = replace(panel, customer=panel.customer + 1 + panel.customer // 10)  # others in between
    for one, other in zip(fold_rows(panel, rows), fold_rows(renumbered, rows), strict=True):
        assert one.judge.tolist() == other.judge.tolist()


def test_amounts_that_are_never_above_zero_are_refused() -> None:
    panel = simulated(of=target(TargetKind.VALUE))
    with pytest.raises(OneClassError, match="0 labelled rows with the outcome"):
        time_split(replace(panel, labels=-panel.labels))

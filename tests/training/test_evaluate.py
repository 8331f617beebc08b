from __future__ import annotations

import math

import numpy as np
import pytest

from training.evaluate import (
    auc,
    brier,
    calibration_bins,
    ece,
    lift_top_decile,
    log_loss,
    log_losses,
    paired_difference,
    spearman,
    total_bias,
    tweedie_deviances,
)


def numbers(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_auc_counts_pairs_and_half_of_the_ties() -> None:
    random = np.random.default_rng(0)
    labels, scores = random.integers(0, 2, 80).astype(float), random.integers(0, 7, 80).astype(float)
    pairs = [(p > n) + 0.5 * (p == n) for p in scores[labels == 1] for n in scores[labels == 0]]
    assert auc(labels, scores) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)
    assert auc(labels, -scores) == pytest.approx(1 - auc(labels, scores), abs=1e-12)
    assert math.isnan(auc(np.ones(3), numbers(1, 2, 3)))


def test_log_loss_by_hand_and_at_the_edges() -> None:
    assert log_losses(numbers(1, 0), numbers(0.25, 0.2)) == pytest.approx([math.log(4), -math.log(0.8)])
    assert log_loss(numbers(1, 0), numbers(0.0, 1.0)) == pytest.approx(-math.log(1e-15), rel=1e-3)
    assert brier(numbers(1, 0), numbers(0.25, 0.5)) == pytest.approx((0.5625 + 0.25) / 2)


def test_ece_by_hand_keeps_ties_together() -> None:
    labels, same = numbers(1, 0, 0, 0), np.full(4, 0.25)
    assert ece(labels, same) == 0.0
    assert [one.rows for one in calibration_bins(labels, same)] == [4]
    labels = numbers(0, 0, 1, 1)
    assert ece(labels, numbers(0.1, 0.2, 0.6, 0.9), bins=2) == pytest.approx((0.15 + 0.25) / 2)


def test_metrics_do_not_depend_on_the_order_of_rows() -> None:
    random = np.random.default_rng(1)
    labels, scores = random.integers(0, 2, 101).astype(float), random.integers(0, 9, 101) / 10
    order = random.permutation(101)
    for metric in (auc, ece, lift_top_decile):
        assert metric(labels[order], scores[order]) == pytest.approx(metric(labels, scores), abs=1e-12)


def test_lift_by_hand() -> None:
    labels = numbers(*[1, 1, 0, 0] + [0] * 12 + [1, 1, 1, 1])  # 6 of 20: rate 0.3
    assert lift_top_decile(labels, np.arange(20.0, 0.0, -1.0)) == pytest.approx(1 / 0.3)
    tied = numbers(*[9.0] + [5.0] * 4 + [1.0] * 15)  # top two: the first row, and one of four with mean 1/4
    assert lift_top_decile(labels, tied) == pytest.approx((1 + 0.25) / 2 / 0.3)
    assert math.isnan(lift_top_decile(np.zeros(5), np.arange(5.0)))


def test_paired_difference_by_hand() -> None:
    mean, low, high = paired_difference(numbers(1, 2, 3, 6), numbers(1, 1, 1, 1))
    deviation = math.sqrt((4 + 1 + 0 + 9) / 3)
    assert mean == 2.0
    assert high - mean == pytest.approx(1.959964 * deviation / 2, rel=1e-6)
    assert mean - low == pytest.approx(high - mean)


def test_value_metrics_by_hand() -> None:
    assert total_bias(numbers(5, 15), numbers(12, 12)) == pytest.approx(0.2)
    assert math.isnan(total_bias(np.zeros(2), np.ones(2)))
    assert spearman(numbers(1, 2, 3, 4), numbers(1, 3, 2, 4)) == pytest.approx(0.8)
    assert math.isnan(spearman(numbers(1, 2), np.ones(2)))
    # 2 (y^.5/(-.25) + 2 y mu^-.5 + 2 mu^.5) with y = 9, mu = 4: 2 (-12 + 9 + 4) = 2
    assert tweedie_deviances(numbers(9, -3), numbers(4, 1)) == pytest.approx([2.0, 4.0])

from __future__ import annotations

import math

import numpy as np
import pytest

from training.calibrate import platt, scale


def drawn(raw: np.ndarray, slope: float, shift: float, seed: int) -> np.ndarray:
    probability = 1 / (1 + np.exp(-(slope * raw + shift)))
    return (np.random.default_rng(seed).random(raw.size) < probability).astype(float)


def scores(seed: int, rows: int = 40_000) -> np.ndarray:
    return np.random.default_rng(seed).normal(-1.0, 1.5, rows)


def test_slope_and_level_are_found_between_customers() -> None:
    raw = [scores(1), scores(2)]
    found = platt(raw, [drawn(raw[0], 0.7, 0.4, 3), drawn(raw[1], 0.7, 0.4, 4)], across_time=False)
    assert found.slope == pytest.approx(0.7, abs=0.03)
    assert found.intercept == pytest.approx(0.4, abs=0.05)


def test_a_level_the_folds_agree_on_is_half_kept_across_time() -> None:
    raw = [scores(1), scores(2), scores(5)]
    found = platt(raw, [drawn(one, 1.0, 0.6, number) for number, one in enumerate(raw)], across_time=True)
    assert found.slope == pytest.approx(1.0, abs=0.03)
    assert found.intercept == pytest.approx(0.3, abs=0.04)


def test_a_level_that_flips_from_fold_to_fold_is_dropped() -> None:
    raw = [scores(1), scores(2), scores(5)]
    labels = [drawn(one, 1.0, shift, 7) for one, shift in zip(raw, (0.9, -0.8, 0.2), strict=True)]
    assert abs(platt(raw, labels, across_time=True).intercept) < 0.03


def test_nothing_to_learn_from_is_the_identity_and_a_perfect_separation_stays_bounded() -> None:
    assert platt([], [], across_time=True).slope == 1.0
    assert platt([np.array([0.1, 0.2])], [np.zeros(2)], across_time=True).intercept == 0.0
    raw = np.concatenate([np.full(50, -1.0), np.full(50, 1.0)])
    found = platt([raw], [(raw > 0).astype(float)], across_time=False)
    assert found.slope == 2.0


def test_scale_by_hand() -> None:
    expected, amounts = [np.array([1.0, 3.0])] * 2, [np.array([2.0, 6.0])] * 2
    assert scale(expected, amounts, across_time=False) == pytest.approx(math.log(2.0))
    assert scale(expected, amounts, across_time=True) == pytest.approx(math.log(2.0) / 2)
    flipping = [np.array([2.0, 6.0]), np.array([0.5, 1.5])]  # twice, then half
    assert scale(expected, flipping, across_time=True) == pytest.approx(0.0, abs=1e-12)
    assert scale([np.zeros(1)], [np.zeros(1)], across_time=True) == 0.0

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from serving.monitor.statistics import finite, is_constant, normed_wasserstein, null_share, wasserstein

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(lambda xs: np.array(xs))


@given(numbers, numbers)
def test_wasserstein_is_scipys(a: np.ndarray, b: np.ndarray) -> None:
    assert wasserstein(a, b) == pytest.approx(wasserstein_distance(a, b), rel=1e-9, abs=1e-6)


def test_by_hand() -> None:
    # Half of the mass moves by 2: area 1. The reference's deviation is 1.
    assert wasserstein(np.array([0.0, 2.0]), np.array([2.0, 2.0])) == 1.0
    assert normed_wasserstein(np.array([0.0, 2.0]), np.array([2.0, 2.0])) == 1.0
    assert normed_wasserstein(np.array([0.0, 20.0]), np.array([20.0, 20.0])) == 1.0  # no unit


def test_a_constant_reference_is_measured_by_the_current_deviation() -> None:
    assert normed_wasserstein(np.array([0.0, 0.0]), np.array([0.0, 2.0])) == 1.0


def test_two_constants() -> None:
    assert normed_wasserstein(np.full(5, 3.0), np.full(9, 3.0)) == 0.0
    assert normed_wasserstein(np.full(5, 3.0), np.full(9, 4.0)) is None


def test_constant_but_for_rounding() -> None:
    assert is_constant(np.array([0.1 * 3, 0.3]))
    assert not is_constant(np.array([1e-6, 2e-6]))
    assert not is_constant(np.array([]))
    assert is_constant(np.zeros(3))


def test_nulls_and_infinities() -> None:
    values = np.array([1.0, np.nan, -np.inf, 4.0], dtype=np.float32)
    assert finite(values).tolist() == [1.0, 4.0]
    assert null_share(values) == 0.5
    assert np.isnan(null_share(np.array([])))

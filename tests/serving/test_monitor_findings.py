from __future__ import annotations

import numpy as np
import pytest

from serving.monitor.findings import FeatureFinding, judge_feature
from serving.monitor.threshold import Threshold

N = 1_000
RAMP = np.arange(N, dtype=np.float64)
NULLS = np.full(N, np.nan)


def finding(reference: np.ndarray | None, current: np.ndarray | None) -> FeatureFinding:
    return judge_feature("visits", reference, current, threshold=Threshold())


def test_the_same_values_have_not_drifted() -> None:
    found = finding(RAMP, RAMP[::-1])
    assert (found.status, found.statistic, found.limit, found.drifted) == ("compared", 0.0, 0.2, False)


def test_a_shift_is_measured_in_deviations() -> None:
    found = finding(RAMP, RAMP + RAMP.std() / 2)
    assert found.statistic == pytest.approx(0.5)
    assert found.drifted
    assert found.sentence == "moved by 0.50 standard deviations (limit 0.20)"


def test_missing_from_current() -> None:
    found = finding(RAMP, None)
    assert (found.status, found.drifted, found.statistic) == ("missing", True, None)


def test_new_since_the_model() -> None:
    found = finding(None, RAMP)
    assert (found.status, found.drifted) == ("not_comparable", False)


@pytest.mark.parametrize(
    ("reference", "current", "drifted", "sentence"),
    [
        (RAMP, NULLS, True, "no value at all now"),
        (NULLS, RAMP, True, "no value at all in the reference"),
        (NULLS, NULLS, False, "no value at all in the reference and now"),
        (RAMP, np.array([]), True, "no value at all now"),
    ],
)
def test_empty(reference: np.ndarray, current: np.ndarray, drifted: bool, sentence: str) -> None:
    found = finding(reference, current)
    assert (found.status, found.drifted, found.sentence) == ("empty", drifted, sentence)


def test_only_infinite_values() -> None:
    found = finding(RAMP, np.full(N, np.inf))
    assert (found.status, found.drifted, found.sentence) == ("not_comparable", True, "only infinite values now")


def test_not_numbers() -> None:
    found = finding(RAMP, np.array(["a"] * N, dtype=object))
    assert (found.status, found.drifted) == ("not_comparable", False)
    assert found.sentence == "not numbers: float64 in the reference, object now"


def test_constant_now_is_drift_only_if_it_moved_far() -> None:
    stuck = finding(RAMP, np.full(N, 999.0))
    assert (stuck.status, stuck.drifted) == ("constant", True)
    assert stuck.sentence.endswith("always 999 now")
    rare = np.zeros(N)
    rare[:5] = 1.0  # sd 0.0705, so all zeros lies 0.07 deviations away
    calm = finding(rare, np.zeros(N))
    assert (calm.status, calm.drifted) == ("constant", False)
    assert calm.statistic == pytest.approx(0.0709, abs=1e-4)


def test_constant_on_both_sides() -> None:
    same, other = finding(np.ones(N), np.ones(N)), finding(np.ones(N), np.full(N, 2.0))
    assert (same.status, same.drifted, same.statistic) == ("constant", False, 0.0)
    assert (other.status, other.drifted, other.statistic) == ("constant", True, None)
    assert other.sentence == "always 1 in the reference; always 2 now"


def test_a_jump_of_nulls_is_drift_though_the_values_stand() -> None:
    holes = RAMP.copy()
    holes[::5] = np.nan
    found = finding(RAMP, holes)
    assert found.drifted
    assert (found.reference_null_share, found.current_null_share) == (0.0, pytest.approx(0.2))
    assert "null for 0% in the reference, 20% now" in found.sentence
    few = RAMP.copy()
    few[::20] = np.nan
    assert not finding(RAMP, few).drifted


def test_the_limit_widens_where_rows_are_few() -> None:
    # 3 x sqrt(1/200 + 1/200) = 0.3
    assert Threshold().limit(200, 200) == pytest.approx(0.3)
    assert Threshold().limit(10_000, 10_000) == 0.2
    assert Threshold().null_limit(200, 200) == pytest.approx(0.15)
    assert Threshold().null_limit(10_000, 10_000) == 0.1

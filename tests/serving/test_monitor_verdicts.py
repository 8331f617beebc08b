from __future__ import annotations

import json

import numpy as np
import pytest

from serving.monitor.threshold import Threshold
from serving.monitor.verdicts import Verdict, judge_scores

RAMP = np.linspace(0.0, 1.0, 1_001)  # mean 0.5, deviation 0.289


def judge(reference: np.ndarray, current: np.ndarray, **options: float) -> Verdict:
    return judge_scores(reference, current, target="churn", threshold=Threshold(**options))  # type: ignore[arg-type]


def test_the_same_scores() -> None:
    verdict = judge(RAMP, RAMP[::-1])
    assert (verdict.kind, verdict.exit_code, verdict.statistic, verdict.threshold) == ("no_drift", 0, 0.0, 0.2)
    assert (verdict.rows, verdict.reference_rows, verdict.unscored) == (1_001, 1_001, 0)
    assert verdict.sentence == (
        "The churn scores look as they did when the model was tested: 0.500 on average then, 0.500 now."
        " They moved by 0.00 typical spreads; the alarm is at 0.20."
    )


def test_a_shift_raises_the_alarm_and_says_which_way() -> None:
    up, down = judge(RAMP, RAMP + 0.1), judge(RAMP, RAMP - 0.1)
    assert (up.kind, up.exit_code) == ("score_drift", 3)
    assert up.statistic == pytest.approx(0.1 / RAMP.std())
    assert up.sentence.startswith(
        "The churn scores are higher than when the model was tested: 0.500 on average then, 0.600"
    )
    assert down.sentence.startswith("The churn scores are lower")


def test_a_squeeze_round_the_same_mean_is_found() -> None:
    verdict = judge(RAMP, 0.5 + (RAMP - 0.5) / 3)
    assert verdict.kind == "score_drift"
    assert verdict.sentence.startswith("The churn scores are spread differently than")


def test_a_small_shift_is_no_alarm_however_many_rows() -> None:
    many = np.tile(RAMP, 200)
    verdict = judge(many, many + 0.1 * RAMP.std())
    assert (verdict.kind, verdict.rows) == ("no_drift", 200_200)
    assert verdict.statistic == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("reference", "current", "words"),
    [
        (RAMP, RAMP[:199], "199 scored now, and 200 are needed"),
        (RAMP[:50], RAMP, "50 in the reference, and 200 are needed"),
        (RAMP, np.full(500, np.nan), "0 scored now"),
        (RAMP, np.array([]), "0 scored now"),
    ],
)
def test_too_few_rows_is_no_alarm(reference: np.ndarray, current: np.ndarray, words: str) -> None:
    verdict = judge(reference, current)
    assert (verdict.kind, verdict.exit_code, verdict.statistic, verdict.threshold) == ("too_few_rows", 0, None, None)
    assert words in verdict.sentence


def test_rows_without_a_score_are_left_out_and_counted() -> None:
    verdict = judge(RAMP, np.concatenate([RAMP, [np.nan, np.inf]]))
    assert (verdict.rows, verdict.unscored, verdict.statistic) == (1_001, 2, 0.0)


def test_a_model_that_tells_nobody_apart_cannot_drift() -> None:
    verdict = judge(np.full(500, 0.12), np.full(500, 0.121))
    assert verdict.kind == "no_drift"
    assert verdict.sentence.startswith(
        "The model gives every customer the same churn score (0.120 on average then, 0.121 now)"
    )


def test_scores_that_became_all_the_same_have_drifted() -> None:
    assert judge(RAMP, np.full(500, 0.5)).kind == "score_drift"
    assert judge(np.full(500, 0.5), RAMP).kind == "score_drift"


def test_the_verdict_is_json() -> None:
    document = json.loads(json.dumps(judge(RAMP, RAMP + 0.1).to_dict(), allow_nan=False))
    assert (document["kind"], document["exit_code"], document["method"]) == ("score_drift", 3, "normed_wasserstein")


@pytest.mark.parametrize(("rows", "draws"), [(500, 200), (2_000, 100), (20_000, 10)])
def test_false_alarms_and_power_hold_at_every_size(rows: int, draws: int) -> None:
    """The table in the module's docstring, in small: skewed and normal scores, three seeds."""
    false_alarms = found = trials = 0
    for seed in range(3):
        generator = np.random.default_rng(seed)
        for _ in range(draws // 5):
            for draw in (lambda n: generator.beta(0.8, 5, n), lambda n: generator.normal(0, 1, n)):  # noqa: B023  # used at once
                reference, current = draw(2_249), draw(rows)
                trials += 1
                false_alarms += judge(reference, current).kind == "score_drift"
                found += judge(reference, current + 0.3 * reference.std()).kind == "score_drift"
    assert false_alarms / trials <= 0.01
    assert found / trials >= 0.95

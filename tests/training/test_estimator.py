from __future__ import annotations

import math

import numpy as np
import pytest

from features.errors import BundleError
from training.estimator import (
    Calibrator,
    Estimator,
    LastPeriodSpend,
    LightGBMModel,
    LogisticModel,
    LogisticTerm,
    MeanSpend,
    Prior,
    SilenceRule,
    contributions,
    log_odds,
    raw_scores,
    sigmoid,
)
from training.estimator_json import (
    calibrator_from_dict,
    calibrator_to_dict,
    estimator_from_dict,
    estimator_to_dict,
)

NAMES = ["days", "visits", "spend"]
TERM = LogisticTerm(feature="spend", transform="log1p", null_value=0.5, mean=1.0, scale=2.0, coefficient=4.0)
LOGISTIC = LogisticModel(
    terms=(
        TERM,
        LogisticTerm(feature="days", transform="identity", null_value=9.0, mean=5.0, scale=1.0, coefficient=-1.0),
    ),
    intercept=0.25,
)
RULE = SilenceRule(
    features=("days", "visits"), threshold_days=30.0, rate_if_silent=0.8, rate_otherwise=0.2, rate_overall=0.5
)
ALL: list[Estimator] = [
    LOGISTIC,
    RULE,
    Prior(rate=0.2),
    MeanSpend(amount=12.5),
    LastPeriodSpend(feature="spend", factor=0.5, base=1.0),
]


def rows(*values: tuple[float, float, float]) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_logistic_by_hand() -> None:
    spend = math.e - 1.0  # log1p = 1, so the term is 0 up to the float32 of the feature
    found = raw_scores(LOGISTIC, rows((7.0, 0.0, spend), (math.nan, 0.0, math.nan)), NAMES)
    assert found[0] == pytest.approx(0.25 - 2.0, abs=1e-6)
    assert found[1] == 0.25 + (0.5 - 1.0) / 2.0 * 4.0 - (9.0 - 5.0)


def test_log1p_of_a_negative_amount_is_the_mirror_image() -> None:
    model = LogisticModel(
        terms=(LogisticTerm(feature="spend", transform="log1p", null_value=0, mean=0, scale=1, coefficient=1.0),),
        intercept=0.0,
    )
    positive, negative = raw_scores(model, rows((0, 0, 3.0), (0, 0, -3.0)), NAMES)
    assert positive == math.log1p(3.0) == -negative


def test_silence_rule_takes_the_latest_activity_and_null_is_silent() -> None:
    nan = math.nan
    found = sigmoid(raw_scores(RULE, rows((40, 30, 0), (40, nan, 0), (30.001, 31, 0), (nan, nan, 0)), NAMES))
    assert found.round(12).tolist() == [0.2, 0.8, 0.8, 0.8]


def test_value_yardsticks_by_hand() -> None:
    assert raw_scores(ALL[3], rows((1, 1, 1)), NAMES).tolist() == [12.5]
    assert raw_scores(ALL[4], rows((0, 0, 8.0), (0, 0, math.nan)), NAMES).tolist() == [5.0, 1.0]


@pytest.mark.parametrize("estimator", ALL, ids=lambda one: type(one).__name__)
def test_one_row_gives_the_same_bits_as_many(estimator: Estimator) -> None:
    random = np.random.default_rng(3)
    values = (random.gamma(1.0, 30.0, (257, 3))).astype(np.float32)
    values[random.random(values.shape) < 0.2] = np.nan
    calibrator = Calibrator(link="logit", slope=0.93, intercept=-0.11)
    many = calibrator.apply(raw_scores(estimator, values, NAMES))
    one = np.array([calibrator.apply(raw_scores(estimator, values[i : i + 1], NAMES))[0] for i in range(257)])
    assert many.tobytes() == one.tobytes()


@pytest.mark.parametrize("estimator", ALL, ids=lambda one: type(one).__name__)
def test_contributions_sum_to_the_raw_score(estimator: Estimator) -> None:
    values = rows((7, 2, 50), (50, 90, 0))
    parts = contributions(estimator, values, NAMES)
    assert parts.shape == (2, 4)
    assert parts.sum(axis=1) == pytest.approx(raw_scores(estimator, values, NAMES), abs=1e-12)


@pytest.mark.parametrize("estimator", [*ALL, LightGBMModel(model_text="tree", objective="tweedie")])
def test_estimators_survive_json(estimator: Estimator) -> None:
    import json

    assert estimator_from_dict(json.loads(json.dumps(estimator_to_dict(estimator)))) == estimator


def test_calibrators_survive_json_and_their_links_invert() -> None:
    calibrator = Calibrator(link="log", slope=2.0, intercept=math.log(3.0))
    assert calibrator_from_dict(calibrator_to_dict(calibrator)) == calibrator
    assert calibrator.apply(np.array([0.0, math.log(2.0)])) == pytest.approx([3.0, 12.0])
    assert Calibrator(link="logit", slope=2.0, intercept=1.0).apply(np.array([-0.5])).tolist() == [0.5]


def test_log_odds_stay_finite() -> None:
    assert log_odds(0.8) == pytest.approx(math.log(4.0))
    assert log_odds(0.0) == pytest.approx(-20.723, abs=1e-3)
    assert log_odds(1.0) == pytest.approx(20.723, abs=1e-3)


def test_what_cannot_be_read_says_why() -> None:
    with pytest.raises(BundleError, match="did you mean 'prior'"):
        estimator_from_dict({"kind": "priors", "rate": 0.5})
    with pytest.raises(BundleError, match="prior estimator cannot be read"):
        estimator_from_dict({"kind": "prior", "rat": 0.5})
    with pytest.raises(BundleError, match="unknown link 'probit'"):
        calibrator_from_dict({"link": "probit"})
    with pytest.raises(BundleError, match="needs the feature 'spend'"):
        raw_scores(LOGISTIC, rows((1, 1, 1)), ["days", "visits", "spent"])

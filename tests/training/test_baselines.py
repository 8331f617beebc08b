from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from tests.training.panel_builders import panel, simulated, target
from training.baselines import LOGISTIC, MEAN_SPEND, PRIOR, SILENCE_RULE, fit_baselines, rfm_features
from training.estimator import LastPeriodSpend, LogisticModel, MeanSpend, Prior, SilenceRule, raw_scores, sigmoid
from training.evaluate import log_loss
from training.labels import TargetKind


def silent_after(threshold: float, *, rows: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(4)
    days = random.uniform(0, 60, rows)
    return days, (random.random(rows) < np.where(days > threshold, 0.7, 0.1)).astype(float)


def test_the_silence_rule_finds_the_threshold_and_both_rates() -> None:
    days, labels = silent_after(21.0)
    values = days.astype(np.float32).reshape(-1, 1)
    rows = np.arange(days.size)
    made = panel(values, labels, np.zeros_like(rows), rows, names=("days_since_last_purchase",))
    rule, calibrator = fit_baselines(made, np.ones(days.size, dtype=bool))[SILENCE_RULE]
    assert isinstance(rule, SilenceRule)
    assert rule.threshold_days == 21.0
    silent = values[:, 0] > 21.0
    assert rule.rate_if_silent == pytest.approx(labels[silent].mean(), abs=0.002)
    assert rule.rate_otherwise == pytest.approx(labels[~silent].mean(), abs=0.002)
    scores = calibrator.apply(raw_scores(rule, values, made.feature_names))
    assert np.unique(scores.round(9)).size == 2


def test_the_silence_rule_is_the_best_of_all_thresholds() -> None:
    made = simulated(customers=150)
    rule = fit_baselines(made, np.ones(len(made), dtype=bool))[SILENCE_RULE][0]
    days = made.values[:, 0].astype(np.float64)

    def loss_of(threshold: float) -> float:
        silent = days > threshold
        rates = np.where(silent, made.labels[silent].mean(), made.labels[~silent].mean())
        return log_loss(made.labels, rates)

    assert isinstance(rule, SilenceRule)
    assert loss_of(rule.threshold_days) == pytest.approx(min(loss_of(t) for t in range(1, 59)), abs=1e-6)


def test_the_exported_logistic_is_the_fitted_one() -> None:
    from sklearn.linear_model import LogisticRegression

    made = simulated(customers=200)
    rows = np.arange(len(made)) % 2 == 0
    model, calibrator = fit_baselines(made, rows)[LOGISTIC]
    assert isinstance(model, LogisticModel)
    assert [term.feature for term in model.terms] == ["days_since_last_purchase", "purchase_count_91d"]
    ours = calibrator.apply(raw_scores(model, made.values, made.feature_names))
    logs = np.log1p(made.values[:, :2].astype(np.float64))
    scaled = (logs - logs[rows].mean(axis=0)) / logs[rows].std(axis=0)
    theirs = LogisticRegression(max_iter=500).fit(scaled[rows], made.labels[rows])
    assert ours == pytest.approx(theirs.predict_proba(scaled)[:, 1], abs=1e-9)


def test_only_the_rows_given_are_learned_from() -> None:
    made = simulated(customers=100)
    rows = np.zeros(len(made), dtype=bool)
    rows[:500] = True
    prior = fit_baselines(made, rows)[PRIOR][0]
    assert prior == Prior(rate=float(made.labels[:500].mean()))


def test_what_the_log_lacks_is_left_out() -> None:
    rows = np.arange(40)
    made = panel(np.zeros((40, 1), np.float32), (rows % 4 == 0).astype(float), rows * 0, rows, names=("noise",))
    fitted = fit_baselines(made, np.ones(40, dtype=bool))
    assert list(fitted) == [PRIOR]
    assert sigmoid(raw_scores(fitted[PRIOR][0], made.values[:1], ("noise",))).tolist() == pytest.approx([0.25])
    coupons = target(TargetKind.CONVERSION, event_types=("coupon_redeemed",), eligible=("purchase",))
    names = ("days_since_last_coupon_redeemed", "days_since_last_purchase", "tenure_days", "other")
    assert rfm_features(coupons, names) == (
        "days_since_last_purchase",
        "days_since_last_coupon_redeemed",
        "tenure_days",
    )


def test_an_all_null_column_is_survived() -> None:
    made = simulated(customers=60)
    made.values[:, :2] = np.nan
    fitted = fit_baselines(made, np.ones(len(made), dtype=bool))
    scores = sigmoid(raw_scores(fitted[LOGISTIC][0], made.values, made.feature_names))
    assert scores == pytest.approx(made.labels.mean(), abs=1e-9)
    assert np.isfinite(raw_scores(fitted[SILENCE_RULE][0], made.values, made.feature_names)).all()


def test_value_yardsticks_have_the_right_mean() -> None:
    made = simulated(customers=100, of=target(TargetKind.VALUE, name="value"))
    every = np.ones(len(made), dtype=bool)
    fitted = fit_baselines(made, every)
    assert list(fitted) == [MEAN_SPEND, "spend of the last 28 days"]
    assert fitted[MEAN_SPEND][0] == MeanSpend(amount=float(made.labels.mean()))
    last = fitted["spend of the last 28 days"][0]
    assert isinstance(last, LastPeriodSpend)
    assert last.feature == "purchase_amount_sum_28d"
    assert raw_scores(last, made.values, made.feature_names).mean() == pytest.approx(made.labels.mean())


def test_the_logistic_regression_does_not_depend_on_threads() -> None:
    random, rows = np.random.default_rng(0), 90_000
    kinds, of = ("purchase", "coupon"), target(event_types=("purchase", "coupon"))
    names = tuple(f"{kind}_count_{window}" for kind in kinds for window in ("28d", "91d", "lifetime"))
    names += tuple(f"days_since_last_{kind}" for kind in kinds) + tuple(f"{kind}_gap_mean_days" for kind in kinds)
    names += ("purchase_amount_sum_91d", "tenure_days")
    values = random.gamma(2, 5, size=(rows, len(names))).astype(np.float32)
    labels = (random.random(rows) < 1 / (1 + np.exp(2 - values[:, 0] / 5))).astype(np.float64)
    made = panel(values, labels, np.zeros(rows, dtype=np.int64), np.arange(rows), of=of, names=names)
    fitted = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            fitted.append(fit_baselines(made, np.ones(rows, dtype=bool))[LOGISTIC])
    assert fitted[0] == fitted[1]

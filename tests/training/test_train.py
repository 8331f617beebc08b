from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from features.clock import DAY_US
from tests.training.panel_builders import simulated, target
from training.bands import Bands
from training.estimator import LightGBMModel, Prior, SilenceRule
from training.estimator import raw_scores as yardstick_scores
from training.evaluate import auc, log_loss
from training.evaluate_plots import figures
from training.fit import raw_scores
from training.labels import TargetKind
from training.train import LIGHTGBM, Trained, train

VALUE = target(TargetKind.VALUE, name="value")


@pytest.fixture(scope="module")
def churn() -> Trained:
    return train(simulated(), seed=7, threads=2)


def text_without_threads(trained: Trained) -> str:
    assert isinstance(trained.served.estimator, LightGBMModel)
    return re.sub(r"\[num_threads: \d+\]", "", trained.served.estimator.model_text)


def test_a_signal_beyond_the_yardsticks_is_found_and_promoted(churn: Trained) -> None:
    assert (churn.decision.outcome, churn.decision.winner) == ("promote", LIGHTGBM)
    by_name = {one.name: one.metrics for one in churn.contestants}
    assert by_name[LIGHTGBM]["log_loss"] < by_name["logistic RFM"]["log_loss"] - 0.02
    assert by_name["logistic RFM"]["log_loss"] < by_name["prior"]["log_loss"] - 0.02
    assert by_name["prior"]["auc"] == 0.5
    assert by_name["prior"]["lift_top_decile"] == pytest.approx(1.0)
    assert churn.importance[0][0] == "days_since_last_purchase"
    assert sum(share for _, share in churn.importance) == pytest.approx(1.0)


def test_the_numbers_belong_to_the_test_cutoff(churn: Trained) -> None:
    panel = simulated()
    test = panel.cutoff_us == panel.cutoff_us.max()
    assert churn.test_cutoff_us == panel.first_event_us + (28 + 19 * 7) * DAY_US
    assert churn.test_labels.tolist() == panel.labels[test].tolist()
    assert churn.base_rate == panel.labels[test].mean()
    assert churn.rows_fitted == 400 * 16  # a label window before the test: 4 of the 20 cutoffs left out
    assert (churn.rows_served, churn.cutoffs) == (400 * 20, 20)
    scores = churn.reference_scores
    assert churn.winner.metrics["auc"] == auc(churn.test_labels, scores)
    assert churn.winner.metrics["log_loss"] == log_loss(churn.test_labels, scores)
    model = churn.evaluated.estimator
    assert isinstance(model, LightGBMModel)
    again = churn.evaluated.calibrator.apply(raw_scores(model, churn.test_rows.take(), threads=1))
    assert again.tobytes() == scores.tobytes()


def test_the_evaluated_version_never_saw_the_embargo_or_the_test(churn: Trained) -> None:
    panel = simulated()
    future = panel.cutoff_us + panel.span_us > panel.cutoff_us.max()
    labels = np.where(future, 1.0 - panel.labels, panel.labels)
    flipped = train(replace(panel, labels=labels), seed=7, threads=2)
    ours, theirs = churn.contestants[0].version, flipped.contestants[0].version
    assert ours == theirs
    assert flipped.served != churn.served


def test_the_same_seed_gives_the_same_model_with_one_thread_and_two(churn: Trained) -> None:
    again = train(simulated(), seed=7, threads=1)
    assert text_without_threads(again) == text_without_threads(churn)
    assert again.served.calibrator == churn.served.calibrator
    assert again.decision == churn.decision
    assert text_without_threads(train(simulated(), seed=8, threads=1)) != text_without_threads(churn)


def test_without_a_signal_the_prior_wins_and_says_so() -> None:
    panel = simulated(cutoffs=16, signal=0.0)
    found = train(panel, seed=7, threads=2)
    assert found.decision.winner != LIGHTGBM or found.winner.metrics["log_loss"] < (
        1.01 * {one.name: one.metrics["log_loss"] for one in found.contestants}["prior"]
    )
    assert found.reference_scores.std() < 0.03  # nobody is told apart
    assert found.reference_scores.mean() == pytest.approx(panel.labels.mean(), abs=0.03)


def test_a_far_better_champion_stays(churn: Trained) -> None:
    oracle = np.clip(churn.test_labels, 0.05, 0.95)
    found = train(simulated(), seed=7, threads=2, incumbent_scores=oracle)
    assert found.decision.outcome == "refuse"
    assert "worse than the champion" in found.decision.reasons[0]
    equal = train(simulated(), seed=7, threads=2, incumbent_scores=churn.reference_scores)
    assert equal.decision.outcome == "promote"


def test_too_few_test_customers_serve_provisionally() -> None:
    found = train(simulated(customers=60), seed=7, threads=2)
    assert found.decision.outcome == "provisional"
    assert "60 eligible customers, at least 100 are needed" in found.decision.reasons[0]


def test_short_history_still_trains() -> None:
    panel = simulated(customers=300, cutoffs=6)
    found = train(panel, seed=7, threads=2)
    assert found.rows_fitted == 300 * 2
    assert found.winner.metrics["auc"] > 0.6


def test_all_null_features_fall_back_to_the_prior() -> None:
    panel = simulated(customers=150)
    found = train(replace(panel, values=np.full_like(panel.values, np.nan)), seed=7, threads=2)
    assert np.unique(found.reference_scores).size == 1
    assert found.reference_scores[0] == pytest.approx(panel.labels.mean(), abs=0.05)


def test_value_targets_predict_money() -> None:
    found = train(simulated(of=VALUE), seed=7, threads=2)
    assert (found.decision.outcome, found.decision.winner) == ("promote", LIGHTGBM)
    assert list(found.winner.metrics) == ["mae", "rmse", "total_bias", "spearman", "deviance"]
    assert abs(found.winner.metrics["total_bias"]) < 0.1
    by_name = {one.name: one.metrics for one in found.contestants}
    assert by_name[LIGHTGBM]["deviance"] < by_name["mean spend"]["deviance"]
    assert by_name[LIGHTGBM]["mae"] < by_name["mean spend"]["mae"]
    assert set(figures(found)) == {"calibration", "gain", "importance"}


def test_the_figures_show_what_was_measured(churn: Trained) -> None:
    drawn = figures(churn)
    assert list(drawn) == ["ranking", "calibration", "lift", "importance"]
    roc = drawn["ranking"].axes[0]
    texts = [text.get_text() for text in roc.get_legend().get_texts()]  # type: ignore[union-attr]  # it has one
    assert texts[0] == f"LightGBM (AUC {churn.winner.metrics['auc']:.3f})"
    false, true = roc.lines[0].get_data()
    assert np.trapezoid(true, false) == pytest.approx(churn.winner.metrics["auc"], abs=1e-12)
    bars = drawn["importance"].axes[0].patches
    assert len(bars) == sum(share > 0 for _, share in churn.importance)


def test_a_prior_can_be_the_champion() -> None:
    panel = simulated(customers=150)
    found = train(replace(panel, values=np.full_like(panel.values, np.nan)), seed=7, threads=2)
    prior = next(one for one in found.contestants if one.name == "prior")
    assert isinstance(prior.version.estimator, Prior)
    assert found.winner.losses.mean() <= prior.losses.mean() * 1.01


def test_the_bands_of_a_rule_lie_among_the_scores_it_serves() -> None:
    panel = simulated(customers=150)
    days = panel.values[:, 0]
    values = np.full_like(panel.values, np.nan)
    values[:, 0] = days
    labels = (np.random.default_rng(4).random(len(panel)) < np.where(days > 20, 0.9, 0.05)).astype(np.float64)
    found = train(replace(panel, values=values, labels=labels), seed=7, threads=1)
    rule, bands = found.served.estimator, Bands.from_reference(found.reference_scores)
    assert isinstance(rule, SilenceRule)
    assert isinstance(found.evaluated.estimator, SilenceRule)
    assert rule.rate_if_silent < found.evaluated.estimator.rate_if_silent  # refitting moved it
    served = found.served.calibrator.apply(yardstick_scores(rule, found.test_rows.take(), found.feature_names))
    silent = found.test_rows.take()[:, 0] > rule.threshold_days
    assert (served >= bands.high).tolist() == silent.tolist()


def test_what_the_caller_knows_against_it_blocks_a_challenger(churn: Trained) -> None:
    found = train(
        simulated(), seed=7, threads=2, incumbent_scores=churn.reference_scores, blockers=["the champion is later"]
    )
    assert (found.decision.outcome, found.decision.reasons[0]) == ("refuse", "refused: the champion is later")


def test_a_test_window_without_money_serves_provisionally() -> None:
    panel = simulated(customers=150, of=VALUE)
    labels = np.where(panel.cutoff_us == panel.cutoff_us.max(), -1.0, panel.labels)
    found = train(replace(panel, labels=labels), seed=7, threads=2)
    assert found.decision.outcome == "provisional"
    assert "total_bias" not in found.winner.metrics

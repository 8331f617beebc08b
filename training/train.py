"""One run of learning, pure: a panel in, two versions of the winner and everything that was measured out.

The *evaluated* version saw nothing after the test's cutoff: its metrics, its place in the gate and the reference scores
come from it. The *served* version is the same recipe refitted on every matured cutoff. (A yardstick's reference scores
come from its served version: it has too few parameters to flatter itself.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from training import evaluate
from training.baselines import fit_baselines
from training.estimator import Calibrator, Estimator, LightGBMModel, raw_scores
from training.fit import Fitted, fit, importance, recipes
from training.fit import raw_scores as lightgbm_raw_scores
from training.gate import Contender, Decision, bias_limit, decide, ece_limit
from training.rows import Rows
from training.split import MIN_TEST_CLASS_ROWS, MIN_TEST_ROWS, time_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.labels import Target
    from training.panel import Panel

__all__ = ["LIGHTGBM", "Contestant", "Trained", "Version", "train"]

LIGHTGBM: Final = "LightGBM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An estimator and its calibrator.

    Parameters
    ----------
    estimator : Estimator
        Features → raw score.
    calibrator : Calibrator
        Raw score → probability or amount.
    """

    estimator: Estimator
    calibrator: Calibrator


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contestant:
    """LightGBM or a yardstick on the test cutoff.

    Parameters
    ----------
    name : str
        ``LightGBM``, ``prior``, ``silence rule``, ``logistic RFM``, ``mean spend`` …
    version : Version
        Fitted before the test.
    scores : ndarray of float64, shape (n_test,)
        Probabilities (amounts) of the test rows.
    losses : ndarray of float64, shape (n_test,)
        Log loss (Tweedie deviance) of each row.
    metrics : mapping of str to float
        Binary: ``auc``, ``log_loss``, ``brier``, ``ece``, ``lift_top_decile``; value: ``mae``, ``rmse``,
        ``total_bias``, ``spearman``, ``deviance``. One that is not defined (the AUC of one class) is left out.
    """

    name: str
    version: Version
    scores: NDArray[np.float64]
    losses: NDArray[np.float64]
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """What a run learned about one target.

    Parameters
    ----------
    target : Target
    feature_names : tuple of str
    decision : Decision
        The gate's; ``decision.winner`` names a contestant.
    contestants : tuple of Contestant
        LightGBM first, then the yardsticks.
    evaluated, served : Version
        The winner fitted before the test, and refitted on every matured cutoff.
    test_labels : ndarray of float64, shape (n_test,)
    test_rows : Rows
        Features of the reference customers: those eligible at the test cutoff.
    reference_scores : ndarray of float64, shape (n_test,)
        The evaluated LightGBM's scores of them, or the served yardstick's.
    test_cutoff_us : int
    cutoffs : int
        Matured cutoffs in the panel.
    rows_fitted, rows_served : int
        Labelled rows behind either version.
    trees : int
        Of the evaluated LightGBM model.
    importance : tuple of (str, float)
        Share of gain by feature, of the evaluated LightGBM model; the greatest first.
    """

    target: Target
    feature_names: tuple[str, ...]
    decision: Decision
    contestants: tuple[Contestant, ...]
    evaluated: Version
    served: Version
    test_labels: NDArray[np.float64]
    test_rows: Rows
    reference_scores: NDArray[np.float64]
    test_cutoff_us: int
    cutoffs: int
    rows_fitted: int
    rows_served: int
    trees: int
    importance: tuple[tuple[str, float], ...]

    @property
    def winner(self) -> Contestant:
        """The contestant that the gate chose."""
        return next(one for one in self.contestants if one.name == self.decision.winner)

    @property
    def base_rate(self) -> float:
        """Mean label of the test cutoff."""
        return float(self.test_labels.mean())


def train(
    panel: Panel,
    *,
    seed: int,
    threads: int,
    incumbent_scores: NDArray[np.float64] | None = None,
    blockers: Sequence[str] = (),
) -> Trained:
    """Learn a target.

    Parameters
    ----------
    panel : Panel
        All matured cutoffs; the last one is the test.
    seed : int
        Of sampling inside trees and of the gate's simulation.
    threads : int
        Do not change the result.
    incumbent_scores : ndarray of float64, shape (n_test,), optional
        Probabilities (amounts) that the champion's evaluated version gives the rows of the last cutoff, in the
        panel's order.
    blockers : sequence of str
        What else the gate has to refuse for.

    Returns
    -------
    Trained

    Raises
    ------
    HistoryError
        If there are too few rows, or customers with either outcome.
    OneClassError
        If all labels before the test are the same.
    """
    split = time_split(panel)
    model = fit(panel, split.before, recipes(panel, split.before), seed=seed, threads=threads)
    versions = {LIGHTGBM: _version(model)} | {
        name: Version(estimator=estimator, calibrator=calibrator)
        for name, (estimator, calibrator) in fit_baselines(panel, split.before).items()
    }
    labels, test = panel.labels[split.test], panel.rows(split.test)
    contestants = tuple(
        _contestant(panel, name, version, labels, test, threads=threads) for name, version in versions.items()
    )
    first, *yardsticks = [_contender(panel.target, one, labels, seed=seed) for one in contestants]
    champion_losses = None if incumbent_scores is None else _losses(panel.target, labels, incumbent_scores)
    wrong = [*blockers, *_too_little(panel.target, labels)]
    decision = decide(first, yardsticks, champion_losses=champion_losses, blockers=wrong)
    winner = next(one for one in contestants if one.name == decision.winner)
    everything = np.ones(len(panel), dtype=np.bool_)
    served = _refit(panel, everything, winner.name, model, seed=seed, threads=threads)
    return Trained(
        target=panel.target,
        feature_names=panel.feature_names,
        decision=decision,
        contestants=contestants,
        evaluated=winner.version,
        served=served,
        test_labels=labels,
        test_rows=test,
        reference_scores=_reference_scores(panel, winner, served, test),
        test_cutoff_us=int(panel.cutoff_us.max()),
        cutoffs=int(panel.cutoffs_us.size),
        rows_fitted=int(split.before.sum()),
        rows_served=len(panel),
        trees=model.trees,
        importance=importance(model.estimator, panel.feature_names),
    )


def _version(model: Fitted) -> Version:
    return Version(estimator=model.estimator, calibrator=model.calibrator)


def _refit(panel: Panel, rows: NDArray[np.bool_], name: str, model: Fitted, *, seed: int, threads: int) -> Version:
    if name == LIGHTGBM:
        return _version(fit(panel, rows, [model.recipe], seed=seed, threads=threads))
    estimator, calibrator = fit_baselines(panel, rows)[name]
    return Version(estimator=estimator, calibrator=calibrator)


def _reference_scores(panel: Panel, winner: Contestant, served: Version, test: Rows) -> NDArray[np.float64]:
    """A yardstick knows a few scores only, and refitting moves each: the bands must lie where the served ones are."""
    if isinstance(served.estimator, LightGBMModel):
        return winner.scores
    return served.calibrator.apply(_raw_scores(panel, served.estimator, test, threads=1))


def _raw_scores(panel: Panel, estimator: Estimator, rows: Rows, *, threads: int) -> NDArray[np.float64]:
    if isinstance(estimator, LightGBMModel):
        return rows.apply(partial(lightgbm_raw_scores, estimator, threads=threads))
    return rows.apply(lambda block: raw_scores(estimator, block, panel.feature_names))


def _contestant(
    panel: Panel,
    name: str,
    version: Version,
    labels: NDArray[np.float64],
    test: Rows,
    *,
    threads: int,
) -> Contestant:
    scores = version.calibrator.apply(_raw_scores(panel, version.estimator, test, threads=threads))
    losses = _losses(panel.target, labels, scores)
    metrics = _binary(labels, scores) if panel.target.is_binary else _value(labels, scores)
    metrics = {metric: value for metric, value in metrics.items() if np.isfinite(value)}
    return Contestant(name=name, version=version, scores=scores, losses=losses, metrics=metrics)


def _losses(target: Target, labels: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    if target.is_binary:
        return evaluate.log_losses(labels, scores)
    return evaluate.tweedie_deviances(labels, scores)


def _binary(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> dict[str, float]:
    return {
        "auc": evaluate.auc(labels, scores),
        "log_loss": evaluate.log_loss(labels, scores),
        "brier": evaluate.brier(labels, scores),
        "ece": evaluate.ece(labels, scores),
        "lift_top_decile": evaluate.lift_top_decile(labels, scores),
    }


def _value(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> dict[str, float]:
    error = scores - labels
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error * error).mean())),
        "total_bias": evaluate.total_bias(labels, scores),
        "spearman": evaluate.spearman(labels, scores),
        "deviance": float(evaluate.tweedie_deviances(labels, scores).mean()),
    }


def _contender(target: Target, one: Contestant, labels: NDArray[np.float64], *, seed: int) -> Contender:
    if target.is_binary:
        error, limit = one.metrics["ece"], ece_limit(one.scores, seed=seed)
    else:
        error, limit = abs(one.metrics.get("total_bias", np.inf)), bias_limit(labels, one.scores)
    return Contender(name=one.name, losses=one.losses, calibration_error=error, calibration_limit=limit)


def _too_little(target: Target, labels: NDArray[np.float64]) -> list[str]:
    found = []
    if labels.size < MIN_TEST_ROWS:
        found.append(f"the test cutoff has {labels.size} eligible customers, at least {MIN_TEST_ROWS} are needed")
    with_outcome = int((labels > 0).sum())
    rare = min(with_outcome, labels.size - with_outcome) if target.is_binary else with_outcome
    if rare < MIN_TEST_CLASS_ROWS:
        found.append(
            f"the test cutoff has {with_outcome} customers with the outcome and {labels.size - with_outcome} "
            f"without, at least {MIN_TEST_CLASS_ROWS} of each are needed"
        )
    return found

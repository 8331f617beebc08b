"""LightGBM, sized to the data: the only file that knows the package.

Common defaults (31 leaves, 20 rows a leaf) lose to a two-line baseline on small shops, since rows of a panel are not
independent: the same customer stands in it at every cutoff. Hence small trees, leaves of at least 1 % of the rows, few
features a tree, and a number of trees that later cutoffs decide, never the test.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal

import lightgbm
import numpy as np

from training.calibrate import platt, scale
from training.estimator import Calibrator, LightGBMModel
from training.evaluate import TWEEDIE_POWER
from training.rows import Rows
from training.split import Fold, fold_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from training.panel import Panel

__all__ = ["Fitted", "Recipe", "fit", "importance", "raw_scores", "recipes"]

_MAX_TREES: Final = 600
_PATIENCE: Final = 40
_LEAST_LEAF: Final = 50
_LEAST_FEATURES: Final = 8
_FOLD_ROWS: Final = 400_000
_MANY_ROWS: Final = 600_000
_THREADED_ROWS: Final = 200_000
_STREAMED_ROWS: Final = 400_000  # more than a fold may have; LightGBM gets them in blocks instead of in one copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How trees are grown.

    Parameters
    ----------
    num_leaves : int
        Leaves a tree.
    leaf_share : float
        Least share of the fitted rows a leaf holds (and never fewer than 50 rows).
    learning_rate : float
        Shrinkage.
    feature_fraction : float
        Share of the features a tree may use (but at least 8 of them).
    extra_trees : bool
        Whether split points are drawn at random, which smooths small data.
    """

    num_leaves: int
    leaf_share: float = 0.01
    learning_rate: float = 0.05
    feature_fraction: float = 0.15
    extra_trees: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A LightGBM model, its calibrator, and how they came about.

    Parameters
    ----------
    estimator : LightGBMModel
        The trees.
    calibrator : Calibrator
        Raw score → probability or amount.
    recipe : Recipe
        How the trees were grown.
    trees : int
        How many.
    fold_loss : float
        Mean loss on the folds (log loss, or Tweedie's negative log-likelihood), before calibration.
    """

    estimator: LightGBMModel
    calibrator: Calibrator
    recipe: Recipe
    trees: int
    fold_loss: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Trial:
    recipe: Recipe
    trees: int
    loss: float
    raw: list[NDArray[np.float64]]
    labels: list[NDArray[np.float64]]


def recipes(panel: Panel, rows: NDArray[np.bool_]) -> tuple[Recipe, ...]:
    """Recipes worth trying on so many rows of the rarer outcome, the plainest first."""
    labels = panel.labels[rows]
    rare = min(int((labels > 0).sum()), int((labels <= 0).sum())) if panel.target.is_binary else labels.size // 4
    leaves = 7 if rare < 30_000 else 15 if rare < 150_000 else 31
    plain = Recipe(num_leaves=leaves)
    return (
        (plain,)
        if labels.size > _MANY_ROWS
        else (plain, Recipe(num_leaves=leaves, feature_fraction=0.3, extra_trees=True))
    )


def fit(panel: Panel, rows: NDArray[np.bool_], candidates: Sequence[Recipe], *, seed: int, threads: int) -> Fitted:
    """Choose recipe, number of trees and calibrator on folds of the rows, then fit on all of them.

    Parameters
    ----------
    panel : Panel
    rows : ndarray of bool, shape (n,)
        Rows that may be learned from.
    candidates : sequence of Recipe
        At least one; the one of least loss on the folds is taken.
    seed, threads : int
        The trees do not depend on ``threads``.

    Returns
    -------
    Fitted
    """
    folds = _thin(panel, fold_rows(panel, rows))
    trials = [_try(panel, folds, recipe, seed=seed, threads=threads) for recipe in candidates]
    trial = min(trials, key=lambda one: one.loss)
    booster = _train(panel, np.flatnonzero(rows), trial.recipe, trial.trees, seed=seed, threads=threads)
    estimator = LightGBMModel(
        model_text=booster.model_to_string(), objective="binary" if panel.target.is_binary else "tweedie"
    )
    return Fitted(
        estimator=estimator,
        calibrator=_calibrator(panel, folds, trial),
        recipe=trial.recipe,
        trees=trial.trees,
        fold_loss=trial.loss,
    )


def importance(model: LightGBMModel, feature_names: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Total gain of each feature, the greatest first.

    Returns
    -------
    tuple of (str, float)
        Feature name and its share of the gain, in [0, 1].
    """
    booster = lightgbm.Booster(model_str=model.model_text)
    gain = np.asarray(booster.feature_importance(importance_type="gain"), dtype=np.float64)
    share = gain / max(float(gain.sum()), 1e-300)
    pairs = zip(feature_names, share.tolist(), strict=True)
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def raw_scores(model: LightGBMModel, values: NDArray[np.float32], *, threads: int) -> NDArray[np.float64]:
    """Raw scores of rows, equal to the bit to what serving gets from LightGBM's C API."""
    booster = lightgbm.Booster(model_str=model.model_text)
    return np.asarray(booster.predict(values, raw_score=True, num_threads=threads), dtype=np.float64)


def _try(panel: Panel, folds: Sequence[Fold], recipe: Recipe, *, seed: int, threads: int) -> _Trial:
    """Fit every fold with early stopping, pool the curves, and score the folds at the number of trees they agree on."""
    if not folds:
        return _Trial(recipe=recipe, trees=50, loss=float("inf"), raw=[], labels=[])
    binning = Lock()
    with ThreadPoolExecutor(max_workers=max(threads, 1)) as pool:
        pending = [pool.submit(_grow, panel, fold, recipe, seed, binning) for fold in folds]
        grown = [future.result() for future in pending]
    boosters, curves = [booster for booster, _ in grown], [curve for _, curve in grown]
    shortest = min(curve.size for curve in curves)
    pooled = np.sum([curve[:shortest] for curve in curves], axis=0)
    trees = int(np.argmin(pooled)) + 1
    raw = [
        panel.rows(fold.judge).apply(partial(_scores_after, booster, trees))
        for booster, fold in zip(boosters, folds, strict=True)
    ]
    judged = sum(fold.judge.size for fold in folds)
    labels = [panel.labels[fold.judge] for fold in folds]
    return _Trial(recipe=recipe, trees=trees, loss=float(pooled[trees - 1]) / judged, raw=raw, labels=labels)


def _scores_after(booster: lightgbm.Booster, trees: int, values: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(booster.predict(values, raw_score=True, num_iteration=trees, num_threads=1), dtype=np.float64)


def _grow(
    panel: Panel, fold: Fold, recipe: Recipe, seed: int, binning: Lock
) -> tuple[lightgbm.Booster, NDArray[np.float64]]:
    """Fit one fold on one thread (folds run side by side) and follow its loss, summed over the judged rows."""
    curve: dict[str, dict[str, list[float]]] = {}
    params = _params(panel, recipe, fold.fit.size, seed=seed, threads=1)
    with binning:  # a fold's values are in memory only until they are bins: those of one fold at a time
        data = _dataset(panel, fold.fit, params).construct()
        judge = _dataset(panel, fold.judge, params, reference=data).construct()
    callbacks: list[Callable[..., Any]] = [
        lightgbm.record_evaluation(curve),
        lightgbm.early_stopping(_PATIENCE, verbose=False),
    ]
    booster = lightgbm.train(params, data, _MAX_TREES, valid_sets=[judge], callbacks=callbacks)
    (values,) = curve["valid_0"].values()
    return booster, np.asarray(values, dtype=np.float64) * fold.judge.size


def _calibrator(panel: Panel, folds: Sequence[Fold], trial: _Trial) -> Calibrator:
    across_time = all(panel.cutoff_us[f.judge].min() > panel.cutoff_us[f.fit].max() for f in folds)
    if panel.target.is_binary:
        return platt(trial.raw, trial.labels, across_time=across_time)
    expected = [np.exp(raw) for raw in trial.raw]
    return Calibrator(link="log", intercept=scale(expected, trial.labels, across_time=across_time))


def _train(
    panel: Panel, rows: NDArray[np.int64], recipe: Recipe, trees: int, *, seed: int, threads: int
) -> lightgbm.Booster:
    # Below so many rows a second thread gains little, and waits for the first one when the machine is busy.
    params = _params(panel, recipe, rows.size, seed=seed, threads=threads if rows.size > _THREADED_ROWS else 1)
    return lightgbm.train(params, _dataset(panel, rows, params), trees)


def _dataset(
    panel: Panel, rows: NDArray[np.int64], params: dict[str, Any], reference: lightgbm.Dataset | None = None
) -> lightgbm.Dataset:
    labels = panel.labels[rows] if panel.target.is_binary else np.maximum(panel.labels[rows], 0.0)
    plain = all(re.fullmatch(r"\w+", name, re.ASCII) for name in panel.feature_names)
    names: list[str] | Literal["auto"] = list(panel.feature_names) if plain else "auto"
    chosen = panel.rows(rows)
    data = _Blocks(chosen) if len(chosen) > _STREAMED_ROWS else chosen.take()
    return _Dataset(data, labels, reference=reference, feature_name=names, params=dict(params))


class _Dataset(lightgbm.Dataset):
    """LightGBM's dataset, except that the one made from blocks of rows is that of their matrix to the last bit."""

    def get_params(self) -> dict[str, Any]:
        # From blocks, LightGBM samples rows for its bins and leaves features out by these parameters alone; its own
        # list of them lacks the seed and the least rows a leaf, by which it does so from a matrix.
        return dict(self.params or {})


class _Blocks(lightgbm.Sequence):
    """Rows as LightGBM asks for them: first a sample, one row after the other, then all of them, block by block."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.batch_size = rows.block_rows
        self._start, self._block = -1, np.zeros((0, 0))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: int | slice | list[int]) -> NDArray[Any]:
        if isinstance(at, slice):
            return self._rows[at]
        if isinstance(at, list):
            raise TypeError("rows are asked for by number or by slice")
        start = at // self.batch_size * self.batch_size
        if start != self._start:
            self._start, self._block = start, self._rows[start : start + self.batch_size].astype(np.float64)
        return np.asarray(self._block[at - start])


def _params(panel: Panel, recipe: Recipe, rows: int, *, seed: int, threads: int) -> dict[str, Any]:
    params: dict[str, Any] = {
        "objective": "binary" if panel.target.is_binary else "tweedie",
        "num_leaves": recipe.num_leaves,
        "min_data_in_leaf": max(_LEAST_LEAF, int(rows * recipe.leaf_share)),
        "learning_rate": recipe.learning_rate,
        "feature_fraction": min(1.0, max(recipe.feature_fraction, _LEAST_FEATURES / len(panel.feature_names))),
        "extra_trees": recipe.extra_trees,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "max_bin": 127,
        "deterministic": True,
        "force_col_wise": True,  # the same trees as by row, in half the time: a tree uses few of the features
        "seed": seed,
        "num_threads": threads,
        "verbose": -1,
    }
    return params if panel.target.is_binary else params | {"tweedie_variance_power": TWEEDIE_POWER}


def _thin(panel: Panel, folds: tuple[Fold, ...]) -> tuple[Fold, ...]:
    """Keep every k-th customer of very large folds: enough to choose a number of trees and two numbers."""
    largest = max((fold.fit.size + fold.judge.size for fold in folds), default=0)
    every = -(-largest // _FOLD_ROWS)
    if every <= 1:
        return folds
    kept = panel.customer_rank % every == 0
    return tuple(Fold(fit=fold.fit[kept[fold.fit]], judge=fold.judge[kept[fold.judge]]) for fold in folds)

"""Yardsticks: what any shop could do without a model, fitted on the same rows and exported as numbers.

The only file that knows scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from training.estimator import (
    Calibrator,
    Estimator,
    LastPeriodSpend,
    LogisticModel,
    LogisticTerm,
    MeanSpend,
    Prior,
    SilenceRule,
    Transform,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.labels import Target
    from training.panel import Panel

__all__ = ["LOGISTIC", "MEAN_SPEND", "PRIOR", "SILENCE_RULE", "fit_baselines", "rfm_features", "silence_features"]

PRIOR: Final = "prior"
SILENCE_RULE: Final = "silence rule"
LOGISTIC: Final = "logistic RFM"
MEAN_SPEND: Final = "mean spend"
_LAST_PERIOD: Final = "spend of the last {} days"
_MAX_ITERATIONS: Final = 500
_LOGISTIC_ROWS: Final = 200_000


def fit_baselines(panel: Panel, rows: NDArray[np.bool_]) -> dict[str, tuple[Estimator, Calibrator]]:
    """Fit every yardstick that the panel's features allow.

    Parameters
    ----------
    panel : Panel
    rows : ndarray of bool, shape (n,)
        Rows that may be learned from; both outcomes occur.

    Returns
    -------
    dict of str to (Estimator, Calibrator)
        Binary: ``prior`` always, ``silence rule`` and ``logistic RFM`` where there are features for them. Value:
        ``mean spend`` and the spend of the last days that lie nearest the horizon.
    """
    labels = panel.labels[rows]
    if not panel.target.is_binary:
        return _value_baselines(panel, rows)
    logit = Calibrator(link="logit")
    fitted: dict[str, tuple[Estimator, Calibrator]] = {PRIOR: (Prior(rate=float(labels.mean())), logit)}
    silence = silence_features(panel.target, panel.feature_names)
    if silence:
        fitted[SILENCE_RULE] = (_silence_rule(panel, rows, silence), logit)
    names = rfm_features(panel.target, panel.feature_names)
    if names:
        fitted[LOGISTIC] = (_logistic(panel, rows, names), logit)
    return fitted


def silence_features(target: Target, feature_names: tuple[str, ...]) -> tuple[str, ...]:
    """Days-since-last features of what counts as activity, as far as the panel has them."""
    wanted = [f"days_since_last_{event_type}" for event_type in target.activity_types]
    return tuple(name for name in wanted if name in feature_names)


def rfm_features(target: Target, feature_names: tuple[str, ...]) -> tuple[str, ...]:
    """Recency, frequency and money of the activity and of the outcome, as far as the panel has them."""
    kinds = dict.fromkeys((*target.activity_types, *target.event_types))
    patterns = ("days_since_last_{}", "{}_count_28d", "{}_count_91d", "{}_count_lifetime", "{}_gap_mean_days")
    wanted = [pattern.format(kind) for kind in kinds for pattern in patterns]
    wanted += [f"{kind}_amount_sum_91d" for kind in kinds] + ["tenure_days"]
    return tuple(name for name in wanted if name in feature_names)


def _silence_rule(panel: Panel, rows: NDArray[np.bool_], names: tuple[str, ...]) -> SilenceRule:
    """Whole number of days that splits the rows with the least log loss."""
    columns = [panel.feature_names.index(name) for name in names]
    days = np.fmin.reduce(panel.rows(rows).columns(columns).astype(np.float64), axis=1)
    labels = panel.labels[rows]
    total, positives = labels.size, float(labels.sum())
    known = ~np.isnan(days)
    bins = max(int(np.ceil(days[known].max())) if known.any() else 1, 1)
    where = np.ceil(days[known]).astype(np.int64).clip(0, bins)
    within = np.cumsum(np.bincount(where, minlength=bins + 1)).astype(np.float64)
    found = np.cumsum(np.bincount(where, weights=labels[known], minlength=bins + 1)).astype(np.float64)
    rate_within, rate_silent = _rate(found, within), _rate(positives - found, total - within)
    loss = _cost(found, within, rate_within) + _cost(positives - found, total - within, rate_silent)
    best = int(np.argmin(loss))
    return SilenceRule(
        features=names,
        threshold_days=float(best),
        rate_if_silent=float(rate_silent[best]),
        rate_otherwise=float(rate_within[best]),
        rate_overall=positives / total,
    )


def _rate(found: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((found + 0.5) / (rows + 1.0), dtype=np.float64)


def _cost(found: NDArray[np.float64], rows: NDArray[np.float64], rate: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-(found * np.log(rate) + (rows - found) * np.log1p(-rate)), dtype=np.float64)


def _logistic(panel: Panel, rows: NDArray[np.bool_], names: tuple[str, ...]) -> LogisticModel:
    picked = np.flatnonzero(rows)
    every = -(-picked.size // _LOGISTIC_ROWS)
    picked = picked[panel.customer_rank[picked] % every == 0] if every > 1 else picked
    read = panel.rows(picked).columns([panel.feature_names.index(name) for name in names])
    columns, terms = [], []
    for name, column in zip(names, read.T.astype(np.float64), strict=True):
        transform: Transform = "log1p"
        value = np.copysign(np.log1p(np.abs(column)), column)
        known = value[~np.isnan(value)]
        if known.size == 0 or float(known.std()) < 1e-9:
            continue
        null_value = float(known.max() if name.startswith(("days_since", "tenure")) or "gap" in name else 0.0)
        value = np.where(np.isnan(value), null_value, value)
        mean, scale = float(value.mean()), float(value.std())
        columns.append((value - mean) / scale)
        terms.append((name, transform, null_value, mean, scale))
    if not columns:
        rate = float(panel.labels[picked].mean())
        return LogisticModel(terms=(), intercept=float(np.log(rate / (1.0 - rate))))
    with threadpool_limits(limits=1, user_api="blas"):  # sums of more threads differ in their last bits
        model = LogisticRegression(max_iter=_MAX_ITERATIONS).fit(np.column_stack(columns), panel.labels[picked])
    return LogisticModel(
        terms=tuple(
            LogisticTerm(
                feature=name, transform=transform, null_value=null, mean=mean, scale=scale, coefficient=float(weight)
            )
            for (name, transform, null, mean, scale), weight in zip(terms, model.coef_[0], strict=True)
        ),
        intercept=float(model.intercept_[0]),
    )


def _value_baselines(panel: Panel, rows: NDArray[np.bool_]) -> dict[str, tuple[Estimator, Calibrator]]:
    identity = Calibrator(link="identity")
    amounts = np.maximum(panel.labels[rows], 0.0)
    fitted: dict[str, tuple[Estimator, Calibrator]] = {MEAN_SPEND: (MeanSpend(amount=float(amounts.mean())), identity)}
    windows = [
        (abs(int(name.split("_")[-1][:-1]) - panel.target.horizon_days), name)
        for name in panel.feature_names
        if name.startswith("purchase_amount_sum_") and name.endswith("d") and name.split("_")[-1][:-1].isdigit()
    ]
    if windows:
        name = min(windows)[1]
        days = int(name.split("_")[-1][:-1])
        column = panel.rows(rows).columns([panel.feature_names.index(name)])[:, 0]
        spent = np.nan_to_num(column.astype(np.float64))
        # A customer without spend in the window is not certain to spend nothing: a tenth of the mean is kept.
        base = 0.1 * float(amounts.mean())
        factor = max(float(amounts.mean()) - base, 0.0) / max(float(spent.mean()), 1e-9)
        fitted[_LAST_PERIOD.format(days)] = (LastPeriodSpend(feature=name, factor=factor, base=base), identity)
    return fitted

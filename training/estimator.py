"""What can be a champion, as numbers only: no pickle, no library objects, just names, floats, one text model.

Every estimator is evaluated from the float32 feature matrix by feature name, in two steps:

1. a *raw score*: log-odds for a binary target, the logarithm of the expected amount for LightGBM's Tweedie
   objective, the expected amount itself for the value yardsticks;
2. a :class:`Calibrator` of two numbers that turns raw scores into probabilities (or amounts).

Both steps give the same bits for one row and for many: sums run term by term in correctly rounded operations,
``exp`` and ``log1p`` are called row by row, never through a vector unit whose tail may round differently.
LightGBM's raw scores come from its C API (:mod:`training.predictor`); everything else is evaluated here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from features.errors import BundleError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "Calibrator",
    "Estimator",
    "LastPeriodSpend",
    "LightGBMModel",
    "LogisticModel",
    "LogisticTerm",
    "MeanSpend",
    "Prior",
    "SilenceRule",
    "contributions",
    "log_odds",
    "raw_scores",
    "sigmoid",
]

Objective: TypeAlias = Literal["binary", "tweedie"]
Transform: TypeAlias = Literal["identity", "log1p"]
Link: TypeAlias = Literal["logit", "log", "identity"]
_SMALLEST_PROBABILITY: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class LightGBMModel:
    """A boosted-tree model as LightGBM's own text format.

    Parameters
    ----------
    model_text : str
        ``Booster.model_to_string()``; its features are the plan's, in the plan's order.
    objective : {"binary", "tweedie"}
        Raw scores are log-odds (``binary``) or log amounts (``tweedie``).
    """

    model_text: str
    objective: Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticTerm:
    """One term ``coefficient * (transform(x) - mean) / scale`` of a :class:`LogisticModel`.

    Parameters
    ----------
    feature : str
        Name of the feature column.
    transform : {"identity", "log1p"}
        ``log1p`` is ``sign(x) * log(1 + |x|)``.
    null_value : float
        Stands in for a null feature, after the transform.
    mean, scale : float
        Centre and spread after the transform; ``scale`` > 0.
    coefficient : float
        Weight of the standardised value, in log-odds.
    """

    feature: str
    transform: Transform
    null_value: float
    mean: float
    scale: float
    coefficient: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticModel:
    """A logistic regression; raw score = log-odds."""

    terms: tuple[LogisticTerm, ...]
    intercept: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRule:
    """The rule "silent for more than N days" with the outcome's rate on either side.

    Parameters
    ----------
    features : tuple of str
        Days-since-last features; the smallest non-null one counts, and none at all counts as silent.
    threshold_days : float
        Silent means strictly more days than this.
    rate_if_silent, rate_otherwise, rate_overall : float
        Outcome rates in (0, 1): of the silent, of the others, of everyone.
    """

    features: tuple[str, ...]
    threshold_days: float
    rate_if_silent: float
    rate_otherwise: float
    rate_overall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The same probability for everyone."""

    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanSpend:
    """The same expected amount for everyone, in the project's currency."""

    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPeriodSpend:
    """What the customer spent lately, scaled to the horizon: ``base + factor * feature`` (null = 0)."""

    feature: str
    factor: float
    base: float = 0.0


Estimator: TypeAlias = LightGBMModel | LogisticModel | SilenceRule | Prior | MeanSpend | LastPeriodSpend


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrator:
    """Raw score → probability or amount: ``link⁻¹(slope * raw + intercept)``.

    Parameters
    ----------
    link : {"logit", "log", "identity"}
        ``logit``: a probability; ``log`` and ``identity``: an amount.
    slope, intercept : float
        1 and 0 leave the model's own answer as it is.

    Examples
    --------
    >>> Calibrator(link="logit").apply(np.array([0.0])).tolist()
    [0.5]
    >>> Calibrator(link="identity", slope=1.5).apply(np.array([10.0])).tolist()
    [15.0]
    """

    link: Link = "logit"
    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities (or amounts) of raw scores, row by row: float64[n]."""
        linear = raw * self.slope + self.intercept
        match self.link:
            case "logit":
                return sigmoid(linear)
            case "log":
                return np.array([math.exp(min(value, 700.0)) for value in linear.tolist()], dtype=np.float64)
            case "identity":
                return linear


def sigmoid(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """``1 / (1 + exp(-x))`` row by row, so that one row and many give the same bits.

    Examples
    --------
    >>> sigmoid(np.array([-800.0, 0.0, 800.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    exp = math.exp
    return np.array([1.0 / (1.0 + exp(-x)) if x > -700.0 else 0.0 for x in log_odds.tolist()], dtype=np.float64)


def log_odds(probability: float) -> float:
    """Log-odds of a probability, kept finite at 0 and 1.

    Examples
    --------
    >>> log_odds(0.5)
    0.0
    """
    inside = min(max(probability, _SMALLEST_PROBABILITY), 1.0 - _SMALLEST_PROBABILITY)
    return math.log(inside / (1.0 - inside))


def raw_scores(estimator: Estimator, values: NDArray[np.float32], feature_names: Sequence[str]) -> NDArray[np.float64]:
    """Raw scores of every estimator but LightGBM.

    Parameters
    ----------
    estimator : Estimator
        Not a :class:`LightGBMModel`.
    values : ndarray of float32, shape (n, f)
        Features, NaN = null.
    feature_names : sequence of str, length f
        Names of the columns.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    BundleError
        If the estimator needs a feature that is not there, or is a LightGBM model.

    Examples
    --------
    >>> rates = {"rate_if_silent": 0.5, "rate_otherwise": 0.1, "rate_overall": 0.2}
    >>> rule = SilenceRule(features=("days",), threshold_days=30, **rates)
    >>> raw_scores(rule, np.array([[31.0], [np.nan]], dtype=np.float32), ["days"]).tolist()
    [0.0, 0.0]
    """
    total = contributions(estimator, values, feature_names)
    raw = total[:, -1].copy()
    for position in range(total.shape[1] - 1):
        raw += total[:, position]
    return raw


def contributions(
    estimator: Estimator, values: NDArray[np.float32], feature_names: Sequence[str]
) -> NDArray[np.float64]:
    """How each feature moves the raw score away from the base value, for every estimator but LightGBM.

    Parameters
    ----------
    estimator, values, feature_names
        As in :func:`raw_scores`.

    Returns
    -------
    ndarray of float64, shape (n, f + 1)
        One column a feature, the last one the base value; rows sum to the raw score.

    Raises
    ------
    BundleError
        As :func:`raw_scores`.
    """
    rows, width = values.shape
    out = np.zeros((rows, width + 1), dtype=np.float64)
    match estimator:
        case LightGBMModel():
            raise BundleError("a LightGBM model is evaluated through its C API", expected="a numeric estimator")
        case LogisticModel(terms=terms, intercept=intercept):
            out[:, -1] = intercept
            for term in terms:
                position = _position(term.feature, feature_names)
                out[:, position] += _term(term, values[:, position])
        case SilenceRule():
            positions = [_position(name, feature_names) for name in estimator.features]
            days = np.fmin.reduce(values[:, positions].astype(np.float64), axis=1)
            silent = ~(days <= estimator.threshold_days)
            base = log_odds(estimator.rate_overall)
            moved = np.where(silent, log_odds(estimator.rate_if_silent), log_odds(estimator.rate_otherwise)) - base
            out[:, -1] = base
            out[:, positions[0]] = moved
        case Prior(rate=rate):
            out[:, -1] = log_odds(rate)
        case MeanSpend(amount=amount):
            out[:, -1] = amount
        case LastPeriodSpend(feature=feature, factor=factor, base=base):
            position = _position(feature, feature_names)
            out[:, position] = np.nan_to_num(values[:, position].astype(np.float64), nan=0.0) * factor
            out[:, -1] = base
    return out


def _position(name: str, feature_names: Sequence[str]) -> int:
    try:
        return list(feature_names).index(name)
    except ValueError:
        raise BundleError(
            f"the model needs the feature {name!r}, which is not there",
            expected=did_you_mean(name, feature_names),
        ) from None


def _term(term: LogisticTerm, column: NDArray[np.float32]) -> NDArray[np.float64]:
    value = column.astype(np.float64)
    if term.transform == "log1p":
        log1p, copysign = math.log1p, math.copysign
        value = np.array([copysign(log1p(abs(x)), x) for x in value.tolist()], dtype=np.float64)
    value = np.where(np.isnan(value), term.null_value, value)
    return (value - term.mean) / term.scale * term.coefficient

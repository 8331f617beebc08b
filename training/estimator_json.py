"""Estimators and calibrators to and from plain JSON values: what a bundle stores."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from features.errors import BundleError, did_you_mean
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
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["calibrator_from_dict", "calibrator_to_dict", "estimator_from_dict", "estimator_to_dict"]

_KINDS: Final[dict[str, type[Any]]] = {
    "lightgbm": LightGBMModel,
    "logistic": LogisticModel,
    "silence_rule": SilenceRule,
    "prior": Prior,
    "mean_spend": MeanSpend,
    "last_period_spend": LastPeriodSpend,
}


def estimator_to_dict(estimator: Estimator) -> dict[str, Any]:
    """Plain JSON values of an estimator, with its ``kind``; LightGBM's text stands under ``model_text``.

    Examples
    --------
    >>> estimator_to_dict(Prior(rate=0.25))
    {'kind': 'prior', 'rate': 0.25}
    """
    kind = next(name for name, cls in _KINDS.items() if isinstance(estimator, cls))
    return {"kind": kind, **asdict(estimator)}


def estimator_from_dict(record: Mapping[str, Any]) -> Estimator:
    """Read what :func:`estimator_to_dict` wrote.

    Raises
    ------
    BundleError
        If the kind is unknown or a number is missing or superfluous.

    Examples
    --------
    >>> estimator_from_dict({"kind": "prior", "rate": 0.25})
    Prior(rate=0.25)
    """
    fields = dict(record)
    kind = str(fields.pop("kind", ""))
    if kind not in _KINDS:
        raise BundleError(f"unknown estimator {kind!r}", expected=did_you_mean(kind, _KINDS))
    try:
        if kind == "logistic":
            fields["terms"] = tuple(LogisticTerm(**term) for term in fields["terms"])
        if kind == "silence_rule":
            fields["features"] = tuple(fields["features"])
        estimator: Estimator = _KINDS[kind](**fields)
    except (KeyError, TypeError) as error:
        raise BundleError(f"the {kind} estimator cannot be read: {error}") from error
    return estimator


def calibrator_to_dict(calibrator: Calibrator) -> dict[str, Any]:
    """Plain JSON values of a calibrator."""
    return asdict(calibrator)


def calibrator_from_dict(record: Mapping[str, Any]) -> Calibrator:
    """Read what :func:`calibrator_to_dict` wrote.

    Raises
    ------
    BundleError
        If a key is unknown, or the link is.

    Examples
    --------
    >>> calibrator_from_dict(calibrator_to_dict(Calibrator(slope=0.9)))
    Calibrator(link='logit', slope=0.9, intercept=0.0)
    """
    try:
        calibrator = Calibrator(**record)
    except TypeError as error:
        raise BundleError(f"the calibrator cannot be read: {error}") from error
    if calibrator.link not in ("logit", "log", "identity"):
        raise BundleError(f"unknown link {calibrator.link!r}", expected="logit, log or identity")
    return calibrator

"""Targets: who is scored, what the outcome is, and what a label means.

Light on purpose (NumPy and :mod:`features` only): the API decides eligibility with the functions of training.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from features.clock import DAY_US
from features.definition import NULL_INT, TAIL_DAYS, Aggregation, Base
from features.errors import BundleError
from features.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from features.plan import Plan

__all__ = ["Target", "TargetKind", "eligible", "label", "target_from_dict", "value_at_risk", "why_not"]

_HUNDREDTHS: Final = 100.0
_AMOUNTS_EVER: Final = Base(aggregation=Aggregation.PRESENT, event_type="purchase", field="amount")


class TargetKind(StrEnum):
    """What is predicted."""

    CHURN = "churn"
    CONVERSION = "conversion"
    VALUE = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing to predict, for those customers to whom it applies.

    Parameters
    ----------
    name : str
        The target's name in the configuration.
    kind : TargetKind
        ``churn``: no such event in the label window; ``conversion``: at least one; ``value``: the purchase
        amounts less refunds.
    event_types : tuple of str
        What counts as the outcome.
    eligible_event_types : tuple of str
        What counts as being active; empty means ``event_types`` (``value``: purchases).
    active_within_days : int
        Eligible: an activity in ``[cutoff - active_within_days, cutoff)`` …
    inactive_for_days : int or None
        … and none in ``[cutoff - inactive_for_days, cutoff)``; so that an active-within target and an
        inactive-for target of the same length never share a customer.
    gap_days, horizon_days : int
        The label window is ``[cutoff + gap, cutoff + gap + horizon)``.
    """

    name: str
    kind: TargetKind
    event_types: tuple[str, ...]
    eligible_event_types: tuple[str, ...] = ()
    active_within_days: int
    inactive_for_days: int | None = None
    gap_days: int = 0
    horizon_days: int

    @property
    def activity_types(self) -> tuple[str, ...]:
        """Event types that make a customer eligible."""
        if self.eligible_event_types:
            return self.eligible_event_types
        return ("purchase",) if self.kind is TargetKind.VALUE else self.event_types

    @property
    def is_binary(self) -> bool:
        """Whether the label is 0 or 1 rather than money."""
        return self.kind is not TargetKind.VALUE

    def bases(self) -> tuple[Base, ...]:
        """List the base aggregates that eligibility and value at risk read: ``compile_plan(extra=…)``."""
        last = tuple(_last(event_type) for event_type in self.activity_types)
        return (*last, _spend(_spend_window(self)), _AMOUNTS_EVER)

    def outcome(self) -> Outcome:
        """Name what to aggregate over the label window."""
        value = self.kind is TargetKind.VALUE
        return Outcome(
            name=self.name,
            event_types=("purchase",) if value else self.event_types,
            start_days=self.gap_days,
            end_days=self.gap_days + self.horizon_days,
            measure="net_amount" if value else "count",
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "kind": self.kind.value,
            "event_types": list(self.event_types),
            "eligible_event_types": list(self.eligible_event_types),
            "active_within_days": self.active_within_days,
            "inactive_for_days": self.inactive_for_days,
            "gap_days": self.gap_days,
            "horizon_days": self.horizon_days,
        }


def target_from_dict(record: Mapping[str, Any]) -> Target:
    """Read what :meth:`Target.to_dict` wrote.

    Raises
    ------
    BundleError
        If a key is missing or unknown, or the kind is.

    Examples
    --------
    >>> days = {"active_within_days": 60, "horizon_days": 28}
    >>> churn = Target(name="churn", kind=TargetKind.CHURN, event_types=("purchase",), **days)
    >>> target_from_dict(churn.to_dict()) == churn
    True
    """
    fields = dict(record)
    try:
        fields["kind"] = TargetKind(fields["kind"])
        fields["event_types"] = tuple(fields["event_types"])
        fields["eligible_event_types"] = tuple(fields.get("eligible_event_types", ()))
        return Target(**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"the target definition cannot be read: {error}") from error


def eligible(target: Target, plan: Plan, base: NDArray[np.int64], cutoffs_us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Who is scored for a target.

    Parameters
    ----------
    target : Target
    plan : Plan
        Compiled with ``extra=target.bases()``.
    base : ndarray of int64, shape (n, b)
        Base aggregates, one row per customer and cutoff.
    cutoffs_us : ndarray of int64, shape (n,)
        Cutoff of each row, epoch microseconds.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    last = _last_activity(target, plan, base)
    active = last >= cutoffs_us - target.active_within_days * DAY_US
    if target.inactive_for_days is None:
        return np.asarray(active)
    return np.asarray(active & (last < cutoffs_us - target.inactive_for_days * DAY_US))


def why_not(target: Target, plan: Plan, base_row: NDArray[np.int64], cutoff_us: int) -> str:
    """Say in a sentence why a customer is not scored for a target; empty if they are.

    Parameters
    ----------
    target, plan
        As in :func:`eligible`.
    base_row : ndarray of int64, shape (b,)
        The customer's base aggregates.
    cutoff_us : int
        Epoch microseconds.

    Returns
    -------
    str
        Such as ``"last purchase 143 days ago; churn is scored within 60"``.
    """
    row = base_row.reshape(1, -1)
    if eligible(target, plan, row, np.array([cutoff_us], dtype=np.int64))[0]:
        return ""
    what = " or ".join(event_type.replace("_", " ") for event_type in target.activity_types)
    last = int(_last_activity(target, plan, row)[0])
    if last == NULL_INT:
        return f"no {what} yet; {target.name} is scored within {target.active_within_days} days of one"
    silence_us = cutoff_us - last
    if silence_us > target.active_within_days * DAY_US:
        ago = _days(silence_us, target.active_within_days)
        return f"last {what} {ago} ago; {target.name} is scored within {target.active_within_days}"
    inactive = target.inactive_for_days or 0
    ago = _days(silence_us, None)
    return f"last {what} {ago} ago; {target.name} is scored after {inactive} without one"


def label(target: Target, outcomes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Labels of the outcomes of a label window.

    Parameters
    ----------
    target : Target
    outcomes : ndarray of int64, shape (n,)
        Counts of :meth:`Target.outcome`; for ``value`` the net amount in hundredths.

    Returns
    -------
    ndarray of float64, shape (n,)
        0 or 1; for ``value`` money in the project's currency.

    Examples
    --------
    >>> window = {"active_within_days": 60, "horizon_days": 28, "event_types": ("purchase",)}
    >>> label(Target(name="churn", kind=TargetKind.CHURN, **window), np.array([0, 3])).tolist()
    [1.0, 0.0]
    >>> label(Target(name="value", kind=TargetKind.VALUE, **window), np.array([0, 1250])).tolist()
    [0.0, 12.5]
    """
    match target.kind:
        case TargetKind.CHURN:
            return np.asarray(outcomes == 0, dtype=np.float64)
        case TargetKind.CONVERSION:
            return np.asarray(outcomes > 0, dtype=np.float64)
        case TargetKind.VALUE:
            return np.asarray(outcomes / _HUNDREDTHS, dtype=np.float64)


def value_at_risk(
    target: Target, plan: Plan, base: NDArray[np.int64], probability: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Money at stake: P(churn) times the customer's own mean spend a horizon over the active window.

    Parameters
    ----------
    target : Target
        A churn target.
    plan, base
        As in :func:`eligible`.
    probability : ndarray of float64, shape (n,)
        Calibrated P(churn); NaN stays NaN.

    Returns
    -------
    ndarray of float64, shape (n,)
        In the project's currency; NaN for customers none of whose purchases has an amount. The window is at most
        as long as the tail (400 days).
    """
    window_days = _spend_window(target)
    spend = base[:, plan.base_index(_spend(window_days))]
    money = np.where(base[:, plan.base_index(_AMOUNTS_EVER)] > 0, spend / _HUNDREDTHS, np.nan)
    return np.asarray(probability * (money * (target.horizon_days / window_days)))


def _last(event_type: str) -> Base:
    return Base(aggregation=Aggregation.LAST, event_type=event_type)


def _spend(window_days: int) -> Base:
    return Base(aggregation=Aggregation.SUM, event_type="purchase", field="amount", window_days=window_days)


def _spend_window(target: Target) -> int:
    return min(target.active_within_days, TAIL_DAYS)


def _last_activity(target: Target, plan: Plan, base: NDArray[np.int64]) -> NDArray[np.int64]:
    columns = [plan.base_index(_last(event_type)) for event_type in target.activity_types]
    return np.asarray(base[:, columns].max(axis=1))


def _days(silence_us: int, limit_days: int | None) -> str:
    days = silence_us // DAY_US
    return f"{'more than ' if days == limit_days else ''}{days} day{'' if days == 1 else 's'}"

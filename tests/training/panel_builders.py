"""Builders of targets and small panels whose truth is known."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from features.clock import DAY_US, to_us
from training.labels import Target, TargetKind
from training.panel import Panel

START = datetime(2024, 1, 1, tzinfo=UTC)
NAMES = ("days_since_last_purchase", "purchase_count_91d", "purchase_amount_sum_28d", "noise")


def target(
    kind: TargetKind = TargetKind.CHURN,
    *,
    name: str = "churn",
    event_types: tuple[str, ...] = ("purchase",),
    eligible: tuple[str, ...] = (),
    active: int = 60,
    inactive: int | None = None,
    gap: int = 0,
    horizon: int = 28,
) -> Target:
    return Target(
        name=name,
        kind=kind,
        event_types=event_types,
        eligible_event_types=eligible,
        active_within_days=active,
        inactive_for_days=inactive,
        gap_days=gap,
        horizon_days=horizon,
    )


def panel(
    values: NDArray[np.float32],
    labels: NDArray[np.float64],
    cutoff_days: NDArray[np.int64],
    customer: NDArray[np.int64],
    *,
    of: Target | None = None,
    names: tuple[str, ...] = NAMES,
) -> Panel:
    """Cutoffs are given in days after :data:`START`, which is also the first event."""
    return Panel(
        target=of or target(),
        feature_names=names,
        values=values,
        labels=labels,
        cutoff_us=to_us(START) + cutoff_days * DAY_US,
        customer=customer,
        first_event_us=to_us(START),
    )


def simulated(
    *,
    customers: int = 400,
    cutoffs: int = 20,
    of: Target | None = None,
    signal: float = 1.0,
    seed: int = 1,
) -> Panel:
    """Weekly cutoffs from day 28 on; with signal, P(outcome) rises with the days since the last purchase, in waves."""
    what = of or target()
    random = np.random.default_rng(seed)
    rows = customers * cutoffs
    days = random.uniform(0, 60, rows)
    count = random.poisson(8, rows).astype(np.float64)
    spend = random.gamma(2.0, 20.0, rows)
    odds = -1.5 + signal * (0.09 * (days - 30) - 0.15 * (count - 8) + 1.2 * np.sign(np.sin(days / 6)))
    labels = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    if not what.is_binary:
        labels = np.where(random.random(rows) < 0.3, 0.0, random.gamma(2.0, 0.5, rows) * (5 + signal * spend))
    values = np.column_stack([days, count, spend, random.normal(size=rows)]).astype(np.float32)
    values[random.random(rows) < 0.02, 2] = np.nan
    when = 28 + 7 * np.tile(np.arange(cutoffs), customers)
    return panel(values, labels, when, np.repeat(np.arange(customers), cutoffs), of=what)

"""True chances against what then happened: in every preset, for every target, over several seeds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from pipelines.simulate import PRESETS, make_plan
from pipelines.simulate.calendar import make_calendar
from pipelines.simulate.targets import targets_of
from pipelines.simulate.true_rates import TrueRates
from pipelines.simulate.true_targets import true_targets
from pipelines.simulate.world import Customers, Fault, Funnel
from tests.pipelines.simulate.shops import SEEDS, chunks, world
from training.labels import Target, TargetKind

CUTOFFS = (150, 200, 250, 300, 337)  # windows do not overlap
VISITS = Target(
    name="no visit", kind=TargetKind.CHURN, event_types=("session",), active_within_days=30, gap_days=5, horizon_days=14
)
LATER = Target(
    name="later", kind=TargetKind.VALUE, event_types=("purchase",), active_within_days=30, gap_days=5, horizon_days=14
)


@pytest.mark.parametrize("preset", PRESETS)
def test_what_happens_is_what_is_expected(preset: str) -> None:
    """In all and in each tenth of the chances, the sum of the outcomes lies within 4 deviations of its expectation.

    About 300 intervals are looked at over all presets; of as many true ones, one in 50 runs has one outside.
    """
    truth, outcome = defaultdict(list), defaultdict(list)
    for seed in SEEDS:
        plan = make_plan(preset, customers=4000, days=365, seed=seed)
        targets = targets_of(plan.world) + (() if plan.world.bg_nbd else (VISITS, LATER))
        for _, _, rates in chunks(plan, 1):
            for target in targets:
                for cutoff in CUTOFFS:
                    one = true_targets(rates, target, cutoff)
                    truth[target].append(one.value)
                    outcome[target].append(one.outcome)
    for target, values in truth.items():
        p, y = np.concatenate(values), np.concatenate(outcome[target])
        assert p.size > 1_000, target.name
        variance = (y - p) ** 2 if target.kind is TargetKind.VALUE else p * (1 - p)
        if target.is_binary:
            assert p.min() >= 0
            assert p.max() <= 1
            assert p.std() > 0.015, f"{target.name}: the truth tells customers apart"
        assert abs((y - p).sum()) < 4 * np.sqrt(variance.sum()), target.name
        for rows in np.array_split(np.argsort(p), 10):
            assert abs((y - p)[rows].sum()) < 4 * np.sqrt(variance[rows].sum()) + 0.5, target.name


def test_the_truth_beats_every_constant_and_is_beaten_by_none() -> None:
    """Log loss of the truth against that of the truth moved a little either way: it is the least."""
    p, y = [], []
    for seed in SEEDS:
        plan = make_plan("marketplace", customers=900, days=365, seed=seed)
        for _, _, rates in chunks(plan):
            one = true_targets(rates, targets_of(plan.world)[0], 300)
            p.append(one.value)
            y.append(one.outcome)
    chance, outcome = np.clip(np.concatenate(p), 1e-6, 1 - 1e-6), np.concatenate(y)

    def loss(scale: float, shift: float) -> float:
        logit = scale * np.log(chance / (1 - chance)) + shift
        return float(np.mean(np.logaddexp(0, -logit) * outcome + np.logaddexp(0, logit) * (1 - outcome)))

    best = loss(1.0, 0.0)
    assert best < loss(0.0, np.log(outcome.mean() / (1 - outcome.mean()))) * 0.9
    assert all(best < loss(*moved) for moved in ((1.4, 0.0), (0.7, 0.0), (1.0, 0.3), (1.0, -0.3)))


def test_the_truth_knows_of_faults() -> None:
    """A month in which two devices hardly sell: the truth holds, and without the fault it would not."""
    faults = tuple(
        Fault(step="purchase", page="payment", device=device, start_share=0.5, days=28, drop=0.9)
        for device in ("web", "android")
    )
    sums = np.zeros(3)
    for seed in SEEDS:
        plan = make_plan(world("marketplace", funnel=Funnel(faults=faults)), customers=800, days=300, seed=seed)
        sound = make_calendar(make_plan("grocery", customers=1, days=300)).faults
        for calendar, latent, rates in chunks(plan, 1):
            one = true_targets(rates, targets_of(plan.world)[0], 150)
            blind = TrueRates(plan=plan, calendar=replace(calendar, faults=sound), latent=latent)
            other = true_targets(blind, targets_of(plan.world)[0], 150)
            sums += [
                (one.outcome - one.value).sum(),
                (one.value * (1 - one.value)).sum(),
                (one.outcome - other.value).sum(),
            ]
    assert abs(sums[0]) < 4 * np.sqrt(sums[1])
    assert abs(sums[2]) > 6 * np.sqrt(sums[1])


def test_refunds_still_due_are_expected() -> None:
    """In a shop where a third of the orders goes back, refunds of orders before the cutoff fall into the horizon."""
    sums = np.zeros(2)
    target = replace(LATER, gap_days=0, horizon_days=10)
    for seed in SEEDS:
        often = Customers(refund_rate=0.35, order_sigma=0.3)
        plan = make_plan(world("marketplace", customers=often), customers=800, days=300, seed=seed)
        for _, _, rates in chunks(plan, 1):
            for cutoff in (150, 170, 200, 220, 250):
                one = true_targets(rates, target, cutoff)
                sums += [(one.outcome - one.value).sum(), ((one.outcome - one.value) ** 2).sum()]
    assert abs(sums[0]) < 4 * np.sqrt(sums[1])

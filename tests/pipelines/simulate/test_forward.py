"""The recursion against a customer who is simply simulated, day by day, with a campaign ahead."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.simulate.forward import look_ahead

FIRST, DAYS, GAP = 100, 12, 2
RUNS = 40_000
MOVES = np.array([[0.1, 0.2, 0.03, 0.05]])
WEIGHT = np.array([1.0, 0.3, 0.0])
SHARES, FACTORS, ARM_USE = np.array([0.3, 0.45]), np.array([[1.0, 2.5]]), np.array([[0.0, 0.4]])
MOST = 0.5


def setting(start: int) -> tuple[np.ndarray, np.ndarray]:
    campaign_of = np.full(200, -1)
    campaign_of[start : start + 5] = 0
    return campaign_of, np.array([start])


def simulated(state: int, start: int, arm: int, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """Share of runs without an event in the window, and mean orders a day: plain draws, no shared code."""
    orders = np.zeros(DAYS)
    now = np.full(RUNS, state)
    drawn = rng.choice([-1, 0, 1], RUNS, p=[0.25, 0.3, 0.45]) if start >= FIRST else np.full(RUNS, arm)
    happened = np.zeros(RUNS, dtype=bool)
    for day in range(DAYS):
        u = rng.random(RUNS)
        active, dormant = now == 0, now == 1
        now = np.where(active & (u < 0.1), 1, np.where(active & (u < 0.13), 2, now))
        now = np.where(dormant & (u < 0.2), 0, np.where(dormant & (u < 0.25), 2, now))
        on = start <= FIRST + day < start + 5
        factor = np.where(on & (drawn == 1), 2.5, 1.0)
        visits = rng.poisson(0.4 * WEIGHT[now])
        bought = rng.binomial(visits, np.minimum(MOST, 0.25 * factor)) + rng.poisson(0.05 * WEIGHT[now])
        orders[day] = bought.mean()
        use = np.where(on & (drawn == 1), 1 - 0.5 * 0.6, 0.5)
        if day >= GAP:
            happened |= rng.binomial(bought, use) > 0
    none = int((~happened).sum())
    return none / RUNS, orders


@pytest.mark.parametrize(
    ("state", "start", "arm"), [(0, 190, -1), (1, 104, -1), (0, 98, 1), (1, 98, 0), (2, 104, -1), (0, 100, -1)]
)
def test_equals_a_plain_simulation(state: int, start: int, arm: int) -> None:
    campaign_of, campaign_start = setting(start)
    none, expected = look_ahead(
        np.array([state]),
        MOVES,
        WEIGHT,
        np.full((1, DAYS), 0.4),
        np.full((1, DAYS), 0.25),
        np.full((1, DAYS), 0.05),
        np.full((1, DAYS), 0.5),
        campaign_of,
        campaign_start,
        np.array([[arm]]),
        SHARES,
        FACTORS,
        ARM_USE,
        FIRST,
        GAP,
        MOST,
    )
    share, orders = simulated(state, start, arm, np.random.default_rng(state + start))
    assert none[0] == pytest.approx(share, abs=4 * np.sqrt(max(share * (1 - share), 1e-4) / RUNS))
    assert expected[0].sum() == pytest.approx(orders.sum(), abs=0.03)
    assert expected[0] == pytest.approx(orders, abs=4 * np.sqrt(0.25 / RUNS) + 0.002)

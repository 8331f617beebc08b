"""The pure BG/NBD world: its parameters come back by maximum likelihood, and its truth is the log's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from pipelines.simulate.bg_nbd import expected_orders, no_order, p_alive
from pipelines.simulate.world import BgNbd
from tests.pipelines.simulate.shops import sql, write

TRUE = np.array([0.6, 20.0, 0.9, 3.0])


def statistics(folder: Path, cutoff: str) -> dict[str, tuple[float, float, float]]:
    """x, t_x and T in days, from the events before a cutoff."""
    rows = sql(
        folder,
        f"""SELECT customer_id, count(*) - 1, epoch(max(event_time) - min(event_time)) / 86400,
            epoch(TIMESTAMPTZ '{cutoff}' - min(event_time)) / 86400
        FROM {{events}} WHERE event_time < TIMESTAMPTZ '{cutoff}' GROUP BY 1""",
    )
    return {str(row[0]): (float(row[1]), float(row[2]), float(row[3])) for row in rows}


def negative_log_likelihood(theta: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> float:
    """Fader, Hardie & Lee (2005), eq. 6, written anew."""
    r, alpha, a, b = np.exp(theta)
    base = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
    dead = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
    return -float(np.sum(base + np.where(x > 0, np.logaddexp(alive, dead), alive)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_parameters_come_back(tmp_path: Path, seed: int) -> None:
    """Distance of the four logarithms from the truth in the metric of the likelihood's own curvature: chi-square, 4."""
    write(tmp_path / "shop", "bg-nbd", customers=16_000, days=365, seed=seed, truth_every=0)
    x, t_x, age = np.array(list(statistics(tmp_path / "shop", "2024-01-01").values())).T
    assert x.size == 16_000
    found = minimize(negative_log_likelihood, np.log(TRUE) * 0.5, args=(x, t_x, age), method="BFGS")
    spread = curvature(found.x, x, t_x, age)
    off = found.x - np.log(TRUE)
    assert off @ np.linalg.solve(spread, off) < 20.5  # exceeded by one in 2,500
    assert np.sqrt(np.diag(spread)).max() < 0.2


def curvature(theta: np.ndarray, *data: np.ndarray) -> np.ndarray:
    """Inverse of the Hessian, by central differences: the covariance of the estimates."""
    step, size = 1e-3, theta.size
    hessian = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            for s in (1, -1):
                for t in (1, -1):
                    moved = theta.copy()
                    moved[i] += s * step
                    moved[j] += t * step
                    hessian[i, j] += s * t * negative_log_likelihood(moved, *data) / (4 * step**2)
    return np.linalg.inv(hessian)


def test_the_truth_is_what_the_log_implies(tmp_path: Path) -> None:
    """Values of the files against the published formula, over x, t_x and T read off the events."""
    write(tmp_path / "shop", "bg-nbd", customers=1500, days=300, seed=5, truth_every=100)
    r, alpha, a, b = TRUE
    known = statistics(tmp_path / "shop", "2023-07-20")
    rows = sql(
        tmp_path / "shop",
        "SELECT customer_id, target, value FROM '{truth}/targets.parquet' WHERE cutoff = TIMESTAMPTZ '2023-07-20'",
    )
    assert {row[1] for row in rows} == {"churn", "winback", "value", "p_alive"}
    for customer, target, value in rows:
        x, t_x, age = known[customer]
        odds = a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x) if x else 0.0
        alive = 1 / (1 + odds)
        if target == "p_alive":
            assert value == pytest.approx(alive, rel=1e-9)
        if target == "churn":
            assert value == pytest.approx(1 - alive * (1 - ((alpha + age) / (alpha + age + 28)) ** (r + x)), rel=1e-9)


def test_against_customers_simulated_one_by_one() -> None:
    """P(alive), no order and orders expected, among simulated customers whose x, t_x and T come out alike."""
    rng = np.random.default_rng(4)
    world, age, horizon, n = BgNbd(r=1.0, alpha=10.0, a=1.0, b=2.0), 30.0, 20.0, 400_000
    rate, leave = rng.gamma(world.r, 1 / world.alpha, n), rng.beta(world.a, world.b, n)
    x, t_x, later, now, alive = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
    gone_by = np.zeros(n, dtype=bool)
    for _ in range(60):
        now = np.where(alive, now + rng.exponential(1, n) / rate, np.inf)
        before, after = now < age, (now >= age) & (now < age + horizon)
        x += before
        t_x = np.where(before, now, t_x)
        later += after
        left = alive & (now < np.inf) & (rng.random(n) < leave)
        gone_by |= left & before
        alive &= ~left & (now < age + horizon)
    for group in ((x == 0), (x == 1) & (t_x > 5) & (t_x < 10), (x == 3) & (t_x > 15) & (t_x < 25)):
        size, given = group.sum(), (x[group], t_x[group], np.full(group.sum(), age))
        tolerance = 4 * np.sqrt(0.25 / size)
        assert size > 2_000
        assert (later[group] == 0).mean() == pytest.approx(no_order(world, *given, 0, horizon).mean(), abs=tolerance)
        assert (~gone_by[group]).mean() == pytest.approx(p_alive(world, *given).mean(), abs=tolerance)
        spread = 4 * later[group].std() / np.sqrt(size)
        assert later[group].mean() == pytest.approx(expected_orders(world, *given, horizon).mean(), abs=spread)

"""A planted fault of the funnel is in the log on its page, its device and its days, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.simulate.world import Fault, Funnel
from tests.pipelines.simulate.shops import sql, world, write, z

DROP = 0.7
STEPS = {"cart": ("session", "cart"), "checkout": ("cart", "checkout"), "purchase": ("checkout", "purchase")}


@pytest.fixture(scope="module", params=[("purchase", "android", 1), ("checkout", "web", 2), ("cart", "ios", 3)])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    step, device, seed = request.param
    fault = Fault(step=step, page="payment", device=device, start_share=0.5, days=20, drop=DROP)
    funnel = Funnel(faults=(fault,), views=0.0, searches=0.0, clicks=0.0, contents=0.0)
    one = world("marketplace", funnel=funnel, campaigns=None, live=None, social=None, messages=None, levels=None)
    folder = tmp_path_factory.mktemp("shops") / step
    write(folder, one, customers=4000, days=100, seed=seed, truth_every=0)
    return folder, step, device


def test_only_there_and_then(shop: tuple[Path, str, str]) -> None:
    folder, step, device = shop
    above, below = STEPS[step]
    at = sql(folder, """SELECT device, "from", "to", "drop" FROM '{truth}/faults.parquet'""")[0]
    assert (at[0], str(at[1]), str(at[2]), at[3]) == (device, "2023-02-20", "2023-03-12", DROP)
    rows = sql(
        folder,
        f"""SELECT device, event_time >= TIMESTAMPTZ '2023-02-20' AND event_time < TIMESTAMPTZ '2023-03-12' AS during,
            count(DISTINCT session_id) FILTER (event_type = '{above}'),
            count(DISTINCT session_id) FILTER (event_type = '{below}') FROM {{events}}
        WHERE event_type IN ('{above}', '{below}') GROUP BY ALL""",
    )
    rates = {(name, during): (passed / tried, tried) for name, during, tried, passed in rows}
    for name in ("web", "ios", "android", "mini-program"):
        (before, n), (then, m) = rates[name, False], rates[name, True]
        expected = before * (1 - DROP) if name == device else before
        variance = expected * (1 - expected) * (1 / m + 1 / n)
        # customers differ, so that sessions of one customer go together: twice the binomial variance
        assert abs(z(then, expected, 2 * variance)) < 4, name
    (before, n), (then, m) = rates[device, False], rates[device, True]
    assert (before - then) / np.sqrt(before * (1 - before) * (1 / m + 1 / n)) > 8

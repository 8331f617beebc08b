"""The campaign laboratory: what it promises, in its truth and in its log."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.pipelines.simulate.shops import sql, write


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "campaign"
    write(folder, "campaign", customers=12_000, days=180, seed=4, truth_every=0)
    return folder


def test_the_truth_is_as_promised(campaign: Path) -> None:
    base, mean, spread, worth, effect_error, base_spread = sql(
        campaign,
        """SELECT avg(chance_untreated), avg(effect), stddev(effect), avg(worth_treating::INT),
            max(abs(effect - effect_given_features)), stddev(chance_untreated)
        FROM '{truth}/effects.parquet' WHERE campaign_id = 'campaign-000'""",
    )[0]
    assert base == pytest.approx(0.10, abs=0.001)
    assert base_spread == pytest.approx(0.03, abs=0.001)
    assert mean == pytest.approx(0.015, abs=0.0005)
    assert spread == pytest.approx(0.015, abs=0.0005)
    assert worth == pytest.approx(0.30, abs=0.02)
    assert effect_error < 1e-9, "nothing but the features tells effects apart"


def test_the_effect_is_a_function_of_three_attributes(campaign: Path) -> None:
    rows = sql(
        campaign,
        """SELECT income_index, household_index, digital_index, loyalty_index, effect_given_features
        FROM '{truth}/effects.parquet' JOIN '{folder}/customers.parquet' USING (customer_id)
        WHERE campaign_id = 'campaign-001'""",
    )
    table = np.array(rows, dtype=float)
    slopes = np.linalg.lstsq(np.column_stack([np.ones(len(table)), table[:, :4]]), table[:, 4], rcond=None)[0]
    assert slopes == pytest.approx([0.015, 0.015 * 0.64, 0.015 * 0.6, 0.015 * 0.48, 0.0], abs=1e-6)


def test_the_log_shows_it(campaign: Path) -> None:
    """Response by arm over the campaigns, among all and among those the oracle would treat."""
    rows = sql(
        campaign,
        """WITH arm AS (SELECT customer_id, campaign_id, kind, event_time AS moment FROM {events}
            WHERE event_type = 'campaign_exposed'),
        seen AS (SELECT a.*, count(e.event_id) > 0 AS bought FROM arm a LEFT JOIN {events} e
            ON e.customer_id = a.customer_id AND e.event_type = 'purchase' AND e.event_time >= a.moment
            AND e.event_time < date_trunc('day', a.moment) + INTERVAL 14 DAY
            GROUP BY ALL)
        SELECT kind, worth_treating, count(*), avg(bought::INT), avg(effect) FROM seen
        JOIN '{truth}/effects.parquet' USING (customer_id, campaign_id)
        WHERE moment < TIMESTAMPTZ '2023-06-15' GROUP BY ALL""",
    )
    table = {(kind, worth): (n, rate, effect) for kind, worth, n, rate, effect in rows}
    assert table.keys() == {(kind, worth) for kind in ("holdout", "treat") for worth in (True, False)}
    for worth in (True, False):
        (n0, held, _), (n1, treated, effect) = table["holdout", worth], table["treat", worth]
        deviation = np.sqrt(held * (1 - held) / n0 + treated * (1 - treated) / n1)
        assert abs(treated - held - effect) < 4 * deviation
    total = sum(n for (kind, _), (n, _, _) in table.items() if kind == "holdout")
    held = sum(n * rate for (kind, _), (n, rate, _) in table.items() if kind == "holdout") / total
    assert held == pytest.approx(0.10, abs=4 * np.sqrt(0.09 / total))

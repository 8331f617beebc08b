"""Rates, states, hosts, levels, invitations, arms and seasons, estimated again from the files of a log."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from features.events import EVENT_TYPES
from pipelines.simulate import make_plan
from pipelines.simulate.spells import ACTIVE, DORMANT, GONE
from pipelines.simulate.world import Customers
from tests.pipelines.simulate.shops import SEEDS, chunks, sql, world, write, z


def test_all_event_types_occur(marketplace: Path) -> None:
    found = {row[0] for row in sql(marketplace, "SELECT DISTINCT event_type FROM {events}")}
    assert found == set(EVENT_TYPES)


def test_visits_of_each_customer_follow_their_rate_and_state(marketplace: Path) -> None:
    """Sessions against rate · weight · season, summed over the days of each state: Poisson, so z is a unit normal."""
    rows = sql(
        marketplace,
        """
        WITH days AS (SELECT s.customer_id, s.state, sum(d.visits_factor) AS season
            FROM '{truth}/states.parquet' s JOIN '{truth}/seasons.parquet' d
                ON d.day >= CAST(s."from" AS DATE) AND d.day < CAST(s."to" AS DATE) GROUP BY ALL),
        mean AS (SELECT customer_id, sum(c.visits_a_day * season * CASE state WHEN 'active' THEN 1
            WHEN 'dormant' THEN 0.08 ELSE 0 END) AS expected FROM days d JOIN '{truth}/customers.parquet' c USING
            (customer_id) GROUP BY 1),
        seen AS (SELECT customer_id, count(*) AS n FROM {events} WHERE event_type = 'session' GROUP BY 1)
        SELECT expected, coalesce(n, 0) FROM mean LEFT JOIN seen USING (customer_id) WHERE expected > 0
        """,
    )
    expected, seen = np.array(rows, dtype=float).T
    assert abs(z(seen.sum(), expected.sum(), expected.sum())) < 4
    spread = ((seen - expected) ** 2 / expected)[expected > 5]
    assert spread.mean() == pytest.approx(1.0, abs=4 * np.sqrt(2.2 / spread.size))


def test_seasons_are_in_the_log(marketplace: Path) -> None:
    """Days follow the factor of the truth; weekdays and hours have their shape."""
    rows = sql(
        marketplace,
        """SELECT dayofweek(d.day), d.visits_factor, count(*) FROM {events} e JOIN '{truth}/seasons.parquet' d
        ON d.day = CAST(e.event_time AS DATE) WHERE event_type = 'session' GROUP BY d.day, d.visits_factor""",
    )
    table = np.array(rows, dtype=float)
    assert np.corrcoef(table[:, 1], table[:, 2])[0, 1] > 0.8
    saturday, tuesday = (table[table[:, 0] == day, 2].mean() for day in (6, 2))
    assert saturday / tuesday == pytest.approx(1.2 / 0.9, abs=0.06)
    hours = dict(
        sql(marketplace, "SELECT hour(event_time), count(*) FROM {events} WHERE event_type = 'session' GROUP BY 1")
    )
    assert hours[21] > 10 * hours[3]
    assert 23 not in hours


@pytest.mark.parametrize("seed", SEEDS)
def test_states_move_with_their_chances(seed: int) -> None:
    """Moves counted by day against the sum of the customers' own chances; a binomial deviation each."""
    plan = make_plan("marketplace", customers=800, days=365, seed=seed)
    for _, latent, _ in chunks(plan, 1):
        spells, people = latent.spells, latent.people
        follows = np.flatnonzero(spells.customer[1:] == spells.customer[:-1])
        for place, (before, after) in enumerate(
            ((ACTIVE, DORMANT), (DORMANT, ACTIVE), (ACTIVE, GONE), (DORMANT, GONE))
        ):
            stays = spells.state == before
            chance = people.moves[spells.customer[stays], place]
            days = (spells.end - spells.first)[stays] - (spells.end[stays] == plan.days)
            moved = int(((spells.state[follows] == before) & (spells.state[follows + 1] == after)).sum())
            assert abs(z(moved, (chance * days).sum(), (chance * (1 - chance) * days).sum())) < 4


def test_hosts_sell_as_their_truth_says(marketplace: Path) -> None:
    rows = sql(
        marketplace,
        """SELECT h.watch_to_buy, count(*) FILTER (event_type = 'live_watch'),
            count(DISTINCT order_id) FILTER (event_type = 'purchase')
        FROM {events} JOIN '{truth}/hosts.parquet' h USING (host_id) GROUP BY ALL""",
    )
    chance, watched, bought = np.array(rows, dtype=float).T
    assert chance.max() > 2 * chance.min()
    deviations = (bought - watched * chance) / np.sqrt(watched * chance * (1 - chance))
    assert np.abs(deviations).max() < 4


def test_levels_raise_conversion_as_their_truth_says() -> None:
    """Orders a visit by level, relative to what the same visits would bring without levels."""
    seen, expected = np.zeros(4), np.zeros(4)
    for seed in SEEDS:
        plan = make_plan(world("marketplace", campaigns=None), customers=800, days=365, seed=seed)
        for calendar, latent, _ in chunks(plan, 1):
            visits = latent.visits
            level = latent.levels[visits.customer, visits.day // 28]
            plain = latent.people.conversion[visits.customer] * calendar.faults[2, visits.device, visits.day]
            orders = np.bincount(latent.orders.visit[latent.orders.visit >= 0], minlength=visits.day.size)
            for number in range(4):
                seen[number] += orders[level == number].sum()
                expected[number] += plain[level == number].sum()
    multipliers = np.array(plan.world.levels.multipliers)
    assert np.abs((seen / expected) / multipliers - 1).max() < 4 / np.sqrt(seen.min())
    assert seen[3] / expected[3] > 1.1


def test_levels_are_those_that_the_orders_earned(marketplace: Path) -> None:
    """Level on each review day from the money of the log: 84 days that ended 28 days before."""
    amounts = sql(
        marketplace,
        """SELECT customer_id, date_diff('day', DATE '2023-01-01', CAST(event_time AS DATE)), amount FROM {events}
        WHERE event_type = 'purchase'""",
    )
    changes = sql(
        marketplace,
        """SELECT customer_id, date_diff('day', DATE '2023-01-01', CAST(event_time AS DATE)), value FROM {events}
        WHERE event_type = 'level_changed' ORDER BY event_time""",
    )
    spent: dict[str, np.ndarray] = {}
    for customer, day, amount in amounts:
        spent.setdefault(customer, np.zeros(400))[day] += amount
    for review in (140, 224, 336):
        level = {customer: value for customer, day, value in changes if day <= review}
        for customer, money in spent.items():
            total = money[max(0, review - 112) : review - 28].sum()
            if min(abs(total - 80), abs(total - 250), abs(total - 600)) > 0.01:
                assert level.get(customer, 0) == (total >= 80) * 1 + (total >= 250) * 1 + (total >= 600) * 1
    assert len(changes) > 1_000


def test_invited_customers_visit_more(marketplace: Path) -> None:
    rows = sql(
        marketplace,
        """SELECT generation > 0, avg(visits_a_day), count(*), stddev(visits_a_day)
        FROM '{truth}/customers.parquet' GROUP BY 1""",
    )
    (_, others, _, _), (_, invited, count, spread) = sorted(rows)
    assert invited / others == pytest.approx(1.25, abs=4 * spread / np.sqrt(count) / others)
    brought = sql(
        marketplace,
        """SELECT count(*), count(c.customer_id), count(*) FILTER (s.event_time > e.event_time) FROM {events} e
        JOIN '{truth}/customers.parquet' c ON c.customer_id = e.related_customer_id AND c.invited_by = e.customer_id
        JOIN {events} s ON s.customer_id = e.related_customer_id AND s.event_type = 'signup'
        WHERE e.event_type = 'invite'""",
    )[0]
    assert brought[0] == brought[1] == brought[2] == count


def test_arms_do_what_their_effect_says() -> None:
    """Orders in the window of treated less those of held-out customers, against the mean of the true effects."""
    seen, variance, expected = 0.0, 0.0, 0.0
    spread = Customers(visits_a_day=0.3, conversion=0.2)
    for seed in SEEDS:
        plan = make_plan(world("marketplace", customers=spread), customers=800, days=200, seed=seed)
        for calendar, latent, rates in chunks(plan, 1):
            for number, first in enumerate(calendar.campaign_start[calendar.campaign_start < 180]):
                bought = np.zeros(latent.people.size, dtype=bool)
                inside = (latent.orders.day >= first) & (latent.orders.day < first + 14)
                bought[latent.orders.customer[inside]] = True
                arm = latent.arms[:, number]
                held, treated = np.flatnonzero(arm == 0), np.flatnonzero(arm == 2)
                for who, used in ((held, 0), (treated, 2)):
                    chance = 1 - rates.chances("purchase", who, int(first), 0, 14, arm=used)[0]
                    assert abs(z(bought[who].sum(), chance.sum(), (chance * (1 - chance)).sum())) < 4.5
                untreated = 1 - rates.chances("purchase", treated, int(first), 0, 14, arm=0)[0]
                expected += (1 - rates.chances("purchase", treated, int(first), 0, 14, arm=2)[0] - untreated).mean()
                rate = bought[held].mean(), bought[treated].mean()
                seen += rate[1] - rate[0]
                variance += rate[0] * (1 - rate[0]) / held.size + rate[1] * (1 - rate[1]) / treated.size
    assert abs(seen - expected) < 4 * np.sqrt(variance)
    assert expected > 0


def test_amounts_add_up(tmp_path: Path) -> None:
    """A refund is of the whole order, whose lines sum to it; order values have the median they were given."""
    write(tmp_path / "shop", "grocery", customers=300, days=120, seed=2)
    total = (
        "SELECT order_id, round(sum(amount), 2) AS paid, count(*) AS lines FROM {events} "
        "WHERE event_type = 'purchase' GROUP BY 1"
    )
    rows = sql(tmp_path / "shop", f"SELECT median(paid), avg(lines), min(paid) FROM ({total})")[0]
    assert rows[0] == pytest.approx(38, rel=0.06)
    assert rows[1] == pytest.approx(7, abs=0.2)
    wrong = sql(
        tmp_path / "shop",
        "SELECT count(*), count(*) FILTER (abs(r.amount - t.paid) > 0.001) FROM {events} r "
        f"JOIN ({total}) t USING (order_id) WHERE r.event_type = 'refund'",
    )[0]
    assert wrong[0] > 0
    assert wrong[1] == 0

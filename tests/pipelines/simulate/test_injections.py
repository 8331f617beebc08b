"""What is injected is in the log from its date on, at its strength, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipelines.simulate import make_plan
from pipelines.simulate.calendar import make_calendar
from pipelines.simulate.generate import draw_chunk
from pipelines.simulate.injections import KINDS, parse_injection
from pipelines.simulate.targets import targets_of
from pipelines.simulate.true_rates import TrueRates
from pipelines.simulate.true_targets import true_targets
from tests.pipelines.simulate.shops import chunks, sql, world, write, z

AT = "2023-03-01"
SHOP = {"customers": 500, "days": 100, "seed": 6, "truth_every": 0}


def counts(folder: Path, what: str) -> dict[str, tuple[int, int]]:
    rows = sql(
        folder,
        f"""SELECT event_type, count({what}) FILTER (event_time < TIMESTAMPTZ '{AT}'),
            count({what}) FILTER (event_time >= TIMESTAMPTZ '{AT}') FROM {{events}} GROUP BY 1""",
    )
    return {name: (before, after) for name, before, after in rows}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "plain"
    write(folder, "marketplace", **SHOP)
    return folder


def broken(folder: Path, *inject: str) -> Path:
    write(folder / "shop", "marketplace", inject=inject, **SHOP)
    return folder / "shop"


def test_stops(plain: Path, tmp_path: Path) -> None:
    then, now = counts(plain, "*"), counts(broken(tmp_path, f"stops.cart@{AT}:0.6"), "*")
    assert now["cart"][0] == then["cart"][0]
    assert abs(z(now["cart"][1], then["cart"][1] * 0.4, then["cart"][1] * 0.24)) < 4
    assert {name: pair for name, pair in now.items() if name != "cart"} == {
        k: v for k, v in then.items() if k != "cart"
    }


def test_doubles(plain: Path, tmp_path: Path) -> None:
    shop = broken(tmp_path, f"doubles.purchase@{AT}:1")
    then, now = counts(plain, "*"), counts(shop, "*")
    assert now["purchase"] == (then["purchase"][0], 2 * then["purchase"][1])
    assert {**now, "purchase": 0} == {**then, "purchase": 0}
    total, distinct = sql(shop, "SELECT count(*), count(DISTINCT event_id) FROM {events}")[0]
    assert total == distinct


def test_loses(plain: Path, tmp_path: Path) -> None:
    shop = broken(tmp_path, f"loses.purchase.amount@{AT}:1", f"loses.view.item_id@{AT}:1")
    assert counts(shop, "*") == counts(plain, "*")
    then, now = counts(plain, "amount"), counts(shop, "amount")
    assert now["purchase"] == (then["purchase"][0], 0)
    assert counts(shop, "item_id")["view"] == (counts(plain, "item_id")["view"][0], 0)
    assert counts(shop, "item_id")["cart"] == counts(plain, "item_id")["cart"]


def test_flips(plain: Path, tmp_path: Path) -> None:
    then, now = counts(plain, "*"), counts(broken(tmp_path, f"flips.view.search@{AT}:1"), "*")
    assert now["view"] == (then["view"][0], then["search"][1])
    assert now["search"] == (then["search"][0], then["view"][1])


def test_nothing_changes_nothing(plain: Path, tmp_path: Path) -> None:
    shop = broken(tmp_path, f"nothing@{AT}:1")
    for file in sorted(plain.rglob("*.parquet")):
        assert (shop / file.relative_to(plain)).read_bytes() == file.read_bytes()


def test_season_is_there_every_year_and_in_the_visits_only(tmp_path: Path) -> None:
    """Visits around the date, this year and last, against the same shop without: the peak, then as before."""
    size = {"customers": 1500, "days": 600, "seed": 6, "truth_every": 0, "inject": ["season@2024-03-01:1"]}
    nobody_invites = world("marketplace", social=None)
    write(tmp_path / "peak", nobody_invites, **size)
    write(tmp_path / "flat", nobody_invites, **{**size, "inject": []})
    query = "SELECT day, visits_factor FROM '{truth}/seasons.parquet'"
    peak, flat = (dict(sql(tmp_path / name, query)) for name in ("peak", "flat"))
    ratio = {str(day): peak[day] / flat[day] for day in peak}
    assert ratio["2023-03-01"] == pytest.approx(2, abs=0.02)
    assert ratio["2024-03-01"] == pytest.approx(2, abs=0.02)
    assert ratio["2023-06-01"] == pytest.approx(1, abs=1e-6)
    near = "event_type = 'session' AND abs(date_diff('day', DATE '2024-03-01', CAST(event_time AS DATE))) <= 6"
    expected = np.mean(
        [ratio[f"2024-{day}"] for day in ("02-24", "02-26", "02-28", "03-01", "03-03", "03-05", "03-07")]
    )
    seen = [sql(tmp_path / name, f"SELECT count(*) FROM {{events}} WHERE {near}")[0][0] for name in ("peak", "flat")]
    assert seen[0] / seen[1] == pytest.approx(expected, abs=4 * np.sqrt(2.9 * expected / seen[1]))


def test_covariate_changes_who_joins_and_not_how_they_behave() -> None:
    after, before, spread = [], [], []
    for seed in (1, 2, 3):
        plan = make_plan("marketplace", customers=900, days=300, seed=seed, inject=["covariate@2023-06-01:1"])
        for _, latent, rates in chunks(plan, 1):
            people = latent.people
            late = people.join_day >= plan.day(plan.injections[0].at)
            early = (people.join_day >= 0) & ~late & (people.generation == 0)
            after.append(people.x[late & (people.generation == 0), 0].mean())
            before.append(people.x[early, 0].mean())
            spread.append(late.sum() / 149 / (early.sum() / 151))
            one = true_targets(rates, targets_of(plan.world)[0], 260)
            variance = (one.value * (1 - one.value)).sum()
            assert abs(z(one.outcome.sum(), one.value.sum(), variance)) < 4, "the truth still holds"
    assert np.mean(after) < np.mean(before) - 0.3
    assert np.mean(spread) > 2


@pytest.mark.parametrize("preset", ["marketplace", "social", "live-stream", "grocery", "gifts", "campaign"])
def test_concept_of_strength_one_costs_five_percent(preset: str) -> None:
    """The truth of the shop without the shift, judged after it: 5 % more log loss than the truth of the shifted one."""
    lost, best, moved, of = 0.0, 0.0, 0.0, 0.0
    for seed in range(1, 5):
        size = {"customers": 4000, "days": 300, "seed": seed}
        before = make_plan(preset, **size)
        after = make_plan(preset, inject=["concept@2023-08-01:1"], **size)
        target, cutoff = targets_of(before.world)[0], 212
        calendars = make_calendar(before), make_calendar(after)
        for chunk in range(min(2, before.chunks)):
            latent = draw_chunk(before, calendars[0], chunk)  # nothing differs before the shift
            p, q = (
                true_targets(TrueRates(plan=plan, calendar=calendar, latent=latent), target, cutoff).value
                for plan, calendar in zip((before, after), calendars, strict=True)
            )
            p = np.clip(p, 1e-6, 1 - 1e-6)
            lost -= (q * np.log(p) + (1 - q) * np.log(1 - p)).sum()
            q = np.clip(q, 1e-9, 1 - 1e-9)
            best -= (q * np.log(q) + (1 - q) * np.log(1 - q)).sum()
            moved, of = moved + (q - p).sum(), of + q.size
    assert lost / best - 1 == pytest.approx(0.05, abs=0.012)
    assert abs(moved / of) < 0.03, "the mean hardly moves"


def test_the_shifted_world_is_calibrated_too() -> None:
    difference, variance = 0.0, 0.0
    for seed in range(1, 5):
        plan = make_plan("marketplace", customers=900, days=365, seed=seed, inject=["concept@2023-08-01:3"])
        for _, _, rates in chunks(plan, 1):
            for cutoff in (200, 230, 300):
                one = true_targets(rates, targets_of(plan.world)[0], cutoff)
                difference += (one.outcome - one.value).sum()
                variance += (one.value * (1 - one.value)).sum()
    assert abs(z(difference, 0, variance)) < 4


def test_every_kind_is_read_and_written_back() -> None:
    for kind in KINDS:
        injection, problems = parse_injection(f"{kind}@{AT}:0.5")
        assert not problems
        assert injection is not None
        assert parse_injection(str(injection))[0] == injection


def test_the_world_tells_what_was_injected(tmp_path: Path) -> None:
    shop = broken(tmp_path, f"stops@{AT}:1")
    assert f"stops.view@{AT}:1" in (shop / "truth" / "world.json").read_text(encoding="utf-8")
    assert pq.read_table(next((shop / "events").iterdir())).num_rows > 0

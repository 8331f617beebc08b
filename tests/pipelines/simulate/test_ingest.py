"""A simulated folder is a project: it is ingested, checked, and what is put aside is exactly the dirt."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.project import Project
from pipelines.simulate import PRESETS, by_day, make_plan, simulate, truth_at
from pipelines.simulate.project_file import project_text
from pipelines.simulate.targets import targets_of
from pipelines.workspace import open_workspace
from tests.pipelines.simulate.shops import sql, write

END = datetime(2023, 7, 10, tzinfo=UTC)


def project(folder: Path) -> Project:
    return Project(folder / "ebbtide.toml", clock=lambda: END + timedelta(days=7))


def test_exactly_the_dirt_is_put_aside(dirty_shop: Path) -> None:
    counts = json.loads((dirty_shop / "truth" / "world.json").read_text(encoding="utf-8"))["counts"]
    shop = project(dirty_shop)
    report = shop.ingest()
    assert report.blocks[0].quarantined == {reason: count for reason, count in counts["dirty"].items() if count}
    assert sum(counts["dirty"].values()) > 300
    assert set(counts["dirty"].values()) - {0} == set(counts["dirty"].values())
    assert report.blocks[0].duplicates == counts["duplicates"] > 1_000
    assert report.rows == counts["rows"] - counts["duplicates"] - sum(counts["dirty"].values())
    assert [row for row in shop.check("2023-07-10").rows if not row.ok] == []
    late = sql(
        dirty_shop,
        "SELECT avg((received_at - event_time > INTERVAL 1 HOUR)::INT) FROM {events} WHERE event_time > '2000-01-01'",
    )
    assert late[0][0] == pytest.approx(0.1 + 0.02 * 0.9, abs=0.01)
    features = shop.build("2023-07-10")
    assert len(features) > 600
    assert len(features.columns) > 400


def test_eligible_are_those_of_the_truth(tmp_path: Path) -> None:
    """The customers of the labelled panel, and their labels, are those of the truth at the same cutoff."""
    write(tmp_path / "shop", "marketplace", customers=200, days=190, seed=3)
    shop = project(tmp_path / "shop")
    shop.ingest()
    for target in ("churn", "winback", "conversion", "value"):
        shop.write_panel(tmp_path / f"{target}.parquet", target=target, cutoffs=["2023-07-10"])
        panel = pq.read_table(tmp_path / f"{target}.parquet", columns=["customer_id", "cutoff", "label"]).to_pylist()
        cutoffs = sorted({row["cutoff"] for row in panel})
        assert len(cutoffs) > 10
        for cutoff in cutoffs[::3] if target in ("conversion", "value") else cutoffs:
            truth = truth_at(tmp_path / "shop", cutoff.astimezone(UTC)).to_pylist()
            known = {row["customer_id"]: row["outcome"] for row in truth if row["target"] == target}
            labels = {row["customer_id"]: row["label"] for row in panel if row["cutoff"] == cutoff}
            assert labels == pytest.approx(known, abs=1e-6)


def test_one_day_at_a_time(tmp_path: Path) -> None:
    """A log that comes in by days of receipt becomes the same event log."""
    plan = make_plan("bg-nbd", customers=60, days=9, seed=1, late=0.3)
    simulate(plan, tmp_path / "a", threads=1)
    simulate(plan, tmp_path / "b", threads=1)
    whole, daily = project(tmp_path / "a"), project(tmp_path / "b")
    total = whole.ingest().rows
    rows = [daily.ingest(table).rows for _, table in by_day(tmp_path / "b")]
    assert rows == sorted(rows)
    assert rows[-1] == total


@pytest.mark.parametrize("preset", PRESETS)
def test_the_toml_is_valid_and_says_the_targets(tmp_path: Path, preset: str) -> None:
    plan = make_plan(preset, customers=9, days=60)
    (tmp_path / "ebbtide.toml").write_text(project_text(plan), encoding="utf-8")
    workspace = open_workspace(tmp_path / "ebbtide.toml")
    read = {target.name: target for target in workspace.targets()}
    for target in targets_of(plan.world):
        assert read[target.name] == target


@pytest.mark.slow
def test_the_loop_runs_on_a_simulated_shop(tmp_path: Path) -> None:
    """Ingest and retrain: a champion for churn whose probabilities lie near the truth."""
    write(tmp_path / "shop", "marketplace", customers=1200, days=365, seed=2)
    shop = Project(tmp_path / "shop" / "ebbtide.toml", clock=lambda: datetime(2024, 1, 1, 12, tzinfo=UTC))
    shop.ingest()
    report = shop.retrain("2024-01-01", targets=["churn"])
    assert not report.failed
    scores = shop.score("2024-01-01", targets=["churn"]).set_index("customer_id")["probability"]
    truth = {
        row["customer_id"]: row["value"]
        for row in truth_at(tmp_path / "shop", "2024-01-01").to_pylist()
        if row["target"] == "churn"
    }
    both = scores.to_frame("score").assign(truth=[truth[one] for one in scores.index])
    assert both.corr().iloc[0, 1] > 0.5

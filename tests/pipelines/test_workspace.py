from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from features.errors import CutoffError, EmptyLogError, UsageError
from pipelines.ingest import ingest
from pipelines.workspace import Workspace
from tests.pipelines.builders import day, shop
from training.labels import TargetKind


def loaded(folder: Path, *, now: float = 10, timezone: str = "UTC", **config: str) -> Workspace:
    workspace = shop(folder, [("a", 0, 5.0), ("b", 9.5, 7.0)], now=day(now), timezone=timezone, **config)
    ingest(workspace)
    return workspace


def test_the_default_is_the_last_local_midnight(tmp_path: Path) -> None:
    workspace = loaded(tmp_path, now=10.3, timezone="America/New_York")
    assert workspace.cutoff(None, workspace.snapshot()) == day(10 + 5 / 24)


def test_a_log_that_ends_long_ago_is_refused_with_the_cutoff_to_use(tmp_path: Path) -> None:
    workspace = loaded(tmp_path, now=40)
    with pytest.raises(CutoffError, match="--cutoff 2024-01-11") as caught:
        workspace.cutoff(None, workspace.snapshot())
    assert caught.value.exit_code == 2
    assert workspace.cutoff("2024-01-11", workspace.snapshot()) == day(10)


def test_three_days_late_is_still_near_enough(tmp_path: Path) -> None:
    workspace = loaded(tmp_path, now=12.6)
    assert workspace.cutoff(None, workspace.snapshot()) == day(12)
    late = replace(workspace, clock=lambda: day(13.0))
    with pytest.raises(CutoffError):
        late.cutoff(None, late.snapshot())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-12", "is in the future"),
        ("2024-01-01", "is not after the first event"),
        ("12.01.2024", "cannot be read"),
        ("2024-02-31", "cannot be read"),
    ],
)
def test_cutoffs_that_cannot_be(tmp_path: Path, text: str, expected: str) -> None:
    workspace = loaded(tmp_path)
    with pytest.raises(CutoffError, match=expected) as caught:
        workspace.cutoff(text, workspace.snapshot())
    assert caught.value.exit_code == 2


def test_dates_without_times_allow_only_midnights(tmp_path: Path) -> None:
    workspace = loaded(tmp_path, now=11, event_time="ts::date")
    snapshot = workspace.snapshot()
    assert workspace.cutoff("2024-01-06", snapshot) == day(5)
    with pytest.raises(CutoffError, match="use --cutoff 2024-01-06"):
        workspace.cutoff("2024-01-06T12:00:00", snapshot)


def test_an_explicit_late_cutoff_is_taken_with_a_warning(tmp_path: Path) -> None:
    said: list[str] = []
    workspace = replace(loaded(tmp_path, now=40), say=said.append)
    assert workspace.cutoff("2024-02-01", workspace.snapshot()) == day(31)
    assert "21 days before the cutoff" in said[-1]


def test_the_first_cutoff_after_a_moment_skips_a_changed_clock(tmp_path: Path) -> None:
    workspace = loaded(tmp_path, timezone="Europe/Berlin")
    before_midnight = day(90) - timedelta(hours=1, minutes=1)  # 2024-03-30 23:59 local, the day before 23 hours
    assert workspace.first_cutoff_after(before_midnight) == day(90) - timedelta(hours=1)
    assert workspace.first_cutoff_after(day(90) - timedelta(hours=1)) == day(91) - timedelta(hours=2)


def test_an_empty_log_says_what_to_run(tmp_path: Path) -> None:
    workspace = shop(tmp_path, [], now=day(1))
    with pytest.raises(EmptyLogError, match="ebbtide ingest"):
        workspace.snapshot()


def test_targets_by_name(tmp_path: Path) -> None:
    workspace = shop(tmp_path, [], now=day(1))
    (target,) = workspace.targets()
    assert target.kind is TargetKind.CHURN
    assert (target.active_within_days, target.gap_days, target.horizon_days) == (28, 0, 14)
    with pytest.raises(UsageError, match="did you mean 'churn'"):
        workspace.targets(("chrn",))


def test_paths_are_relative_to_the_file_and_to_home(tmp_path: Path) -> None:
    workspace = shop(tmp_path / "x", [], now=day(1))
    assert workspace.home == tmp_path / "x"
    assert workspace.tracking_uri == f"sqlite:///{tmp_path}/x/mlruns/mlflow.db"
    assert workspace.store_folder == tmp_path / "x" / "state"

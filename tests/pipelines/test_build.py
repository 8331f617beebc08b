"""Which features a project has: the season only where two years of history can teach it."""

from __future__ import annotations

from pathlib import Path

from features.definition import Family
from pipelines.build import list_features, season_days
from pipelines.ingest import ingest
from pipelines.workspace import Workspace
from tests.pipelines.builders import day, shop

TARGETS = """
[targets.winback]
kind = "conversion"
inactive_for_days = 28
active_within_days = 300
gap_days = 3
horizon_days = 29
[targets.value]
kind = "value"
active_within_days = 28
horizon_days = 15
"""


def spanning(folder: Path, days: float, extra: str = TARGETS) -> Workspace:
    workspace = shop(folder, [("a", 0, 5.0), ("b", days, 7.0)], now=day(800), extra=extra)
    ingest(workspace)
    return workspace


def test_two_years_have_the_day_of_the_cutoff_and_of_the_middle_of_each_label_window(tmp_path: Path) -> None:
    workspace = spanning(tmp_path, 730)
    assert season_days(workspace, workspace.snapshot()) == (0, 7, 17)  # churn and value: 14 and 15 // 2; 3 + 29 // 2
    season = [one.name for one in list_features(workspace).features if one.family is Family.SEASON]
    assert season == ["day_of_year", "day_of_year_ahead_7d", "day_of_year_ahead_17d"]


def test_less_than_two_years_have_no_season(tmp_path: Path) -> None:
    workspace = spanning(tmp_path, 729.99)
    assert season_days(workspace, workspace.snapshot()) == ()
    assert not [one for one in list_features(workspace).features if one.family is Family.SEASON]

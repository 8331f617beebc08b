"""What a person, a pipe and the documentation get to see of the features."""

from __future__ import annotations

import pytest

from features.catalogue import catalogue
from features.catalogue.vocabulary import ATTRIBUTES, CONVENTIONS, POSTERIOR, SEASON_DAYS, VOCABULARY
from pipelines.build import FeatureList
from pipelines.documents import features_page
from pipelines.show import show_features

WHOLE = catalogue(VOCABULARY, season_days=SEASON_DAYS, posterior=POSTERIOR, attributes=ATTRIBUTES)
LISTED = FeatureList(features=WHOLE, fingerprint="0123456789abcdef")


def test_a_pipe_gets_one_line_a_feature_with_its_whole_name(capsys: pytest.CaptureFixture[str]) -> None:
    show_features(LISTED)
    header, *lines, last = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [feature.name for feature in WHOLE]
    for line, feature in zip(lines, WHOLE, strict=True):
        assert line.endswith(feature.description), "nothing broken, no blanks behind"
    assert header.split()[:4] == ["feature", "family", "unit", "window"]
    assert last == f"{len(WHOLE)} features, fingerprint 0123456789ab"


def test_json_has_windows_also_of_features_that_have_none() -> None:
    listed = {one["name"]: one for one in LISTED.to_dict()["features"]}
    assert len(listed) == len(WHOLE)
    shown = {name: (listed[name]["window"], listed[name]["window_days"]) for name in listed}
    assert shown["day_of_year_ahead_14d"] == ("", [])
    assert shown["attribute_age"] == ("", [])
    assert shown["p_alive"] == ("lifetime", [])
    assert shown["checkin_streak_days"] == ("400 days", [])
    assert shown["purchase_distinct_item_last_50"] == ("last 50 rows", [])
    assert shown["purchase_count_28d_per_91d"] == ("28 days, 91 days", [28, 91])
    assert shown["coupon_received_running_out_7d"] == ("next 7 days", [7])


def test_the_page_has_a_row_of_five_cells_for_each_feature() -> None:
    page = features_page()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [feature.name for feature in WHOLE]
    assert all(row.count("|") == 6 for row in rows)
    assert page.count("\n## ") == 17
    assert all(convention in page for convention in CONVENTIONS)
    assert "| `tenure_days` | days | lifetime | no events | Days since the first event. |" in rows

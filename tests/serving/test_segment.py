"""The lifecycle segment, worked out by hand: churn is scored within 60 days, 28 days ahead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serving.builders import CHURN, WINBACK, make_home, purchase, serving


@pytest.mark.parametrize(
    ("days_ago", "segment"),
    [
        ([1], "new"),
        ([60, 1], "new"),  # the first exactly 60 days ago is still within
        ([61, 1], "active"),
        ([300, 28], "active"),
        ([300, 29], "dormant"),
        ([29], "dormant"),
        ([300, 60], "dormant"),
        ([300, 61], "churned"),
        ([900], "churned"),
    ],
)
def test_the_days_of_the_churn_target_make_the_segment(tmp_path: Path, days_ago: list[float], segment: str) -> None:
    with serving(make_home(tmp_path, CHURN, WINBACK)) as client:
        client.store("a", *(purchase(days) for days in days_ago))
        assert client.get("/v1/customers/a").json["lifecycle_segment"] == segment


def test_before_the_first_activity_and_without_a_churn_champion_there_is_none(tmp_path: Path) -> None:
    with serving(make_home(tmp_path / "churn", CHURN)) as client:
        client.store("a", {**purchase(1), "event_type": "view"})
        assert client.get("/v1/customers/a").json["lifecycle_segment"] is None
    with serving(make_home(tmp_path / "winback", WINBACK)) as client:
        client.store("a", purchase(1))
        assert client.get("/v1/customers/a").json["lifecycle_segment"] is None

"""The monitor with the real Evidently, run once for all checks on it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from features.errors import UsageError
from serving.monitor.compare import MonitorResult, compare
from serving.monitor.sample import Sample

ROWS = 900


def sample(seed: int, *, shift: float = 0.0, **features: np.ndarray) -> Sample:
    generator = np.random.default_rng(seed)
    own = {
        "calm": generator.gamma(2, 1, ROWS),
        "moved": generator.normal(shift, 1, ROWS),
        "with_nulls": np.where(generator.random(ROWS) < 0.3, np.nan, generator.random(ROWS)),
    }
    return Sample(scores=generator.beta(1, 4, ROWS) + 0.2 * shift, features=own | features)


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> MonitorResult:
    """Every trap at once, with the real Evidently."""
    ramp, nulls, rare = np.arange(float(ROWS)), np.full(ROWS, np.nan), np.full(ROWS, np.nan)
    rare[0] = 1.0
    reference = sample(
        1, gone=ramp, emptied=ramp, never=nulls, infinite=ramp, stuck=ramp, still=np.ones(ROWS), rare=rare, score=ramp
    )
    current = sample(
        2,
        shift=1.0,
        emptied=nulls,
        never=nulls,
        infinite=np.full(ROWS, np.inf),
        stuck=np.full(ROWS, 5.0),
        still=np.ones(ROWS),
        rare=rare,
        score=ramp,
        fresh=ramp,
        words=np.array(["x"] * ROWS, dtype=object),
    )
    return compare(reference, current, target="churn", out_dir=tmp_path_factory.mktemp("report"), report_rows=500)


def test_the_verdict_judges_the_scores(drifted: MonitorResult) -> None:
    assert (drifted.verdict.kind, drifted.verdict.exit_code) == ("score_drift", 3)
    assert drifted.verdict.rows == ROWS  # not the sample drawn for the report


def test_each_trap_is_its_own_finding(drifted: MonitorResult) -> None:
    assert {f.name: (f.status, f.drifted) for f in drifted.verdict.features} == {
        "gone": ("missing", True),
        "emptied": ("empty", True),
        "never": ("empty", False),
        "infinite": ("not_comparable", True),
        "stuck": ("constant", True),
        "still": ("constant", False),
        "rare": ("constant", False),
        "moved": ("compared", True),
        "calm": ("compared", False),
        "with_nulls": ("compared", False),
        "score": ("compared", False),
        "fresh": ("not_comparable", False),
        "words": ("not_comparable", False),
    }
    first = [f.name for f in drifted.verdict.features[:5]]
    assert (sorted(first[:3]), sorted(first[3:])) == (["emptied", "gone", "infinite"], ["moved", "stuck"])


def test_evidently_shows_the_comparable_columns_with_our_limits(drifted: MonitorResult) -> None:
    assert drifted.evidently_json is not None
    metrics = json.loads(drifted.evidently_json.read_text(encoding="utf-8"))["metrics"]
    columns = {
        m["config"]["column"]: (m["value"], m["config"]["threshold"]) for m in metrics if "column" in m["config"]
    }
    assert set(columns) == {"score of churn", "moved", "calm", "with_nulls", "score", "stuck"}
    assert columns["score of churn"][1] == 0.2
    assert columns["moved"][0] > 0.7 > 0.2 > columns["calm"][0]
    assert columns["score of churn"][0] == pytest.approx(drifted.verdict.statistic, abs=0.1)  # a sample of 500


def test_the_pages_need_no_network(drifted: MonitorResult) -> None:
    assert drifted.evidently_html is not None
    html = drifted.evidently_html.read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=.?https?:", html)
    assert not re.search(r"url\(.?https?:", html)
    assert "score of churn" in html
    page = drifted.page.read_text(encoding="utf-8")
    assert 'href="evidently.html"' in page
    assert "sample of 500 customers" in page


def test_the_verdict_file_is_the_verdict(drifted: MonitorResult) -> None:
    document = json.loads(drifted.verdict_json.read_text(encoding="utf-8"))
    assert (document["kind"], document["exit_code"], len(document["features"])) == ("score_drift", 3, 13)
    assert os.environ["DO_NOT_TRACK"] == "true"


def test_the_statistic_is_evidentlys(tmp_path: Path) -> None:
    result = compare(sample(3), sample(4), target="churn", out_dir=tmp_path)
    assert result.evidently_json is not None
    metrics = json.loads(result.evidently_json.read_text(encoding="utf-8"))["metrics"]
    theirs = {m["config"]["column"]: m["value"] for m in metrics if "column" in m["config"]}
    assert theirs["score"] == pytest.approx(result.verdict.statistic, rel=1e-9)
    assert {f.name: pytest.approx(f.statistic, rel=1e-6) for f in result.verdict.features} == {
        name: value for name, value in theirs.items() if name != "score"
    }
    assert (result.verdict.kind, result.verdict.exit_code) == ("no_drift", 0)


def test_too_few_rows_writes_the_summary_and_removes_the_old_report(tmp_path: Path) -> None:
    (tmp_path / "evidently.html").write_text("of an earlier comparison")
    few = Sample(scores=np.linspace(0, 1, 50), features={})
    result = compare(sample(1), few, target="churn", out_dir=tmp_path)
    assert (result.verdict.kind, result.evidently_html) == ("too_few_rows", None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "verdict.json"]


def test_nothing_for_evidently_to_compare(tmp_path: Path) -> None:
    same = Sample(scores=np.full(300, 0.12), features={"gone": np.arange(300.0)})
    result = compare(same, Sample(scores=np.full(300, 0.12), features={}), target="churn", out_dir=tmp_path)
    assert (result.verdict.kind, result.evidently_html) == ("no_drift", None)
    assert [f.status for f in result.verdict.features] == ["missing"]


def test_sorted_reference_scores_of_another_length_than_the_features() -> None:
    drawn = Sample(scores=np.arange(5.0), features={"a": np.arange(8.0)}).draw(
        ["a"], score_name="s", rows=6, generator=np.random.default_rng(0)
    )
    assert drawn["s"].tolist()[:5] == [0, 1, 2, 3, 4]
    assert np.isnan(drawn["s"][5])
    assert len(set(drawn["a"].tolist())) == 6


def test_mismatched_columns_and_a_folder_that_is_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"feature columns of \[2, 3\] rows"):
        Sample(scores=np.zeros(2), features={"a": np.zeros(2), "b": np.zeros(3)})
    with pytest.raises(UsageError, match=r"shape \(2, 3\); expected 1 columns"):
        Sample.of(np.zeros(2), np.zeros((2, 3)), ["a"])
    (tmp_path / "taken").write_text("")
    few = Sample(scores=np.zeros(3), features={})
    with pytest.raises(UsageError, match="the report cannot be written"):
        compare(few, few, target="churn", out_dir=tmp_path / "taken")


def test_importing_the_monitor_loads_nothing_heavy() -> None:
    code = (
        "import sys, serving.monitor.compare, pipelines.export.decide;"
        "print([m for m in ('evidently', 'pandas', 'sklearn', 'scipy', 'pyarrow', 'mlflow') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"

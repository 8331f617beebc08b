"""What the feature benchmark compares is the same thing: its log is a log, its peers compute the engine's values."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from benchmarks import feature_agreement
from benchmarks.feature_agreement import TOLERANCE, compare
from benchmarks.feature_goals import goals
from benchmarks.feature_log import EVENTS_A_CUSTOMER, LogSpec, event_log
from benchmarks.feature_plans import panel_plan
from features.event_log import Snapshot

ROWS = 5_000


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return event_log(LogSpec(rows=ROWS), tmp_path_factory.mktemp("logs"))


def test_log_is_clustered_and_counted(log: Snapshot) -> None:
    rows = duckdb.sql(
        f"SELECT bucket, customer_id, event_time, md5(customer_id)[1:2] FROM ({log.scan_sql(0, 255)})"
    ).fetchnumpy()
    keys = list(zip(rows["bucket"], rows["customer_id"], rows["event_time"], strict=True))
    assert keys == sorted(keys)
    assert [f"{bucket:02x}" for bucket in rows["bucket"]] == list(rows["md5(customer_id)[1:2]"])
    assert log.rows == len(keys) == sum(log.bucket_rows)
    assert log.customers == len(set(rows["customer_id"])) == ROWS // EVENTS_A_CUSTOMER
    assert 0.6 * ROWS < log.rows < 1.6 * ROWS  # a hundred customers of very different size
    assert np.bincount(rows["bucket"], minlength=256).tolist() == list(log.bucket_rows)


def test_log_is_kept_and_seeded(tmp_path: Path, log: Snapshot) -> None:
    spec = LogSpec(rows=ROWS)
    event_log(spec, tmp_path)
    written = tmp_path / spec.name / "manifest.json"
    stamp, text = written.stat().st_mtime_ns, written.read_text(encoding="utf-8")
    assert event_log(spec, tmp_path).bucket_rows == log.bucket_rows
    assert written.stat().st_mtime_ns == stamp
    event_log(LogSpec(rows=ROWS, seed=8), tmp_path)
    assert (tmp_path / LogSpec(rows=ROWS, seed=8).name / "manifest.json").read_text(encoding="utf-8") != text


def test_three_blocks_hold_the_same_events(tmp_path: Path, log: Snapshot) -> None:
    three = event_log(LogSpec(rows=ROWS, blocks=3), tmp_path)
    query = "SELECT customer_id, epoch_us(event_time), event_type, order_id, amount FROM ({}) ORDER BY ALL"
    assert len(three.stored.files) == 3
    assert duckdb.sql(query.format(three.scan_sql(0, 255))).fetchall() == (
        duckdb.sql(query.format(log.scan_sql(0, 255))).fetchall()
    )


def test_full_disk_is_said(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"^40,000,000,000,000 rows take about 800000\.0 GB; .* free$"):
        event_log(LogSpec(rows=40_000_000_000_000), tmp_path)
    assert not list(tmp_path.iterdir())


def test_peers_give_the_engines_values(log: Snapshot) -> None:
    with duckdb.connect(":memory:") as con:
        con.execute("SET TimeZone = 'UTC'")
        found = compare(con, log, panel_plan())
    assert found["values"] > 50 * len(panel_plan().features)
    assert all(found[name] <= TOLERANCE for name in ("sql", "sql_tuned", "pandas"))


def test_a_peer_that_differs_is_named(log: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    true_sql = feature_agreement.features_sql

    def a_day_off(*args: object, **kwargs: object) -> str:
        return true_sql(*args, **kwargs).replace("b1)", "b1 + 86400000000)", 1)  # type: ignore[arg-type]

    monkeypatch.setattr(feature_agreement, "features_sql", a_day_off)
    with duckdb.connect(":memory:") as con, pytest.raises(ValueError, match="sql differs in days_since_first_purchase"):
        compare(con, log, panel_plan())


def test_goals_are_judged() -> None:
    found = {
        "comparison": {"panel_per_floor": 8.1, "sql_per_panel": 40.0},
        "vector": {"vector": 10.0, "booster_predict": 10.1},
        "growth": [
            {"rows": 5_000_000, "per_linear": 1.0},
            {"rows": 100_000_000, "per_linear": 1.21, "panel": {"peak_bytes": 6e9}},
        ],
    }
    assert [met for _, _, met in goals(found)] == ["no", "yes", "no", "yes", "yes"]
    found["growth"] = [{"rows": 100_000_000, "skipped": "no room"}]
    assert [met for _, _, met in goals(found)] == ["no", "yes", "not measured", "not measured", "yes"]

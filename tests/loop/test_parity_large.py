"""The parity replay on whole logs: every household of The Complete Journey, and a million generated events; minutes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.demo import _prepare
from pipelines.ingest import ingest
from pipelines.parity import parity
from pipelines.workspace import open_workspace

EVENTS, CUSTOMERS, DAYS = 1_000_000, 20_000, 1_000
DAY_US = 86_400_000_000
TOML = """
[project]
name = "generated"
timezone = "Europe/Berlin"
[[events]]
name = "events"
path = "events.parquet"
event_id = "id"
event_type = "type"
customer_id = "customer"
event_time = "at"
received_at = "got"
order_id = "basket"
amount = "amount"
duration_seconds = "seconds"
[targets.churn]
kind = "churn"
active_within_days = 60
horizon_days = 28
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_household_of_the_complete_journey(tmp_path: Path) -> None:
    _prepare(tmp_path)
    workspace = open_workspace(tmp_path / "ebbtide.toml")
    ingest(workspace)
    report = parity(workspace, count=None, cutoff_count=5)
    assert report.tally.first == []
    assert (report.tally.different, report.tally.pairs, report.tally.bulk) == (0, 5 * 2_469, 2_469)
    assert report.tally.empty < 500


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_million_generated_events(tmp_path: Path) -> None:
    """Three years: most arrive at once, some weeks or a year late, so that states are compacted and go stale."""
    generated(tmp_path)
    workspace = open_workspace(tmp_path / "ebbtide.toml", clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    ingest(workspace)
    (tmp_path / "mended.parquet").replace(tmp_path / "events.parquet")
    ingest(workspace)
    snapshot = workspace.snapshot()
    assert snapshot.rows == EVENTS
    assert snapshot.corrections > 1_000
    report = parity(workspace, count=1_500, cutoff_count=6)
    tally = report.tally
    assert tally.first == []
    assert (tally.different, tally.pairs, tally.bulk) == (0, 6 * 1_500, 1_500)
    assert min(tally.rebuilt, tally.corrected_later, report.sample.strata["late"]) > 20


def generated(folder: Path) -> None:
    generator = np.random.default_rng(11)
    start = (datetime(2022, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days * DAY_US
    customer = np.minimum(generator.pareto(0.8, EVENTS) * 40, CUSTOMERS - 1).astype(np.int64)
    at = start + generator.integers(0, DAYS * DAY_US, EVENTS)
    at -= np.where(generator.random(EVENTS) < 0.5, at % DAY_US, 0)  # ties, also at the windows' edges
    late_days = generator.choice([0, 0, 0, 1, 20, 500], EVENTS, p=[0.5, 0.2, 0.2, 0.06, 0.03, 0.01])
    got = at + (late_days * DAY_US * generator.random(EVENTS)).astype(np.int64)
    kind = generator.choice(np.array(["purchase", "view", "refund", "session", "share"]), EVENTS)
    columns = {
        "id": pa.array(np.arange(EVENTS)).cast(pa.string()),
        "type": pa.array(kind),
        "customer": pa.array(customer).cast(pa.string()),
        "at": pa.array(at).cast(pa.timestamp("us", tz="UTC")),
        "got": pa.array(got).cast(pa.timestamp("us", tz="UTC")),
        "basket": pa.array(at // (3 * DAY_US), mask=generator.random(EVENTS) < 0.3).cast(pa.string()),
        "amount": pa.array(np.round(generator.normal(30, 40, EVENTS), 2), mask=kind == "view"),
        "seconds": pa.array(generator.gamma(2, 30, EVENTS), mask=kind != "session"),
    }
    table = pa.table(columns)
    pq.write_table(table, folder / "events.parquet")
    mended = table.take(np.arange(0, EVENTS, 400))
    later = np.asarray(mended["got"].cast(pa.int64())) + 30 * DAY_US
    mended = mended.set_column(4, "got", pa.array(later).cast(pa.timestamp("us", tz="UTC")))
    pq.write_table(mended.set_column(6, "amount", pa.array(np.full(mended.num_rows, 7.25))), folder / "mended.parquet")
    (folder / "ebbtide.toml").write_text(TOML, encoding="utf-8")

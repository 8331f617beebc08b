"""Many cutoffs in one file: the same numbers as one by one, the same rows as training, and never half of it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import duckdb_engine
from features.errors import HistoryError, StateError, UsageError
from pipelines import build_panel, panels
from pipelines.build import log_plan
from pipelines.build_panel import write_panel
from pipelines.cli import main
from pipelines.ingest import ingest
from pipelines.panels import build_panels
from pipelines.project import Project
from pipelines.show import show_build
from pipelines.workspace import Workspace, open_workspace
from tests.pipelines.builders import day, random_orders, shop
from training.labels import target_from_dict

VALUE = """
[targets.value]
kind = "value"
active_within_days = 28
horizon_days = 14
"""
CUTOFFS = ("2024-03-01", "2024-02-10", "2024-03-11")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Orders that arrive an hour after they were made; one day's arrive two days late."""
    block = 'received_at = "ts + CASE WHEN day(ts) = 9 THEN INTERVAL 2 DAY ELSE INTERVAL 1 HOUR END"'
    made = shop(tmp_path_factory.mktemp("shop"), random_orders(120, 100), now=day(100), block=block, extra=VALUE)
    ingest(made)
    return made


def rows_of(path: Path) -> dict[tuple[str, object], tuple[object, ...]]:
    table = pq.read_table(path)
    return {(row["customer_id"], row["cutoff"]): tuple(row.values())[2:] for row in table.to_pylist()}


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "_BATCH_EVENTS", 400)


@pytest.mark.usefixtures("small_batches")
def test_several_cutoffs_are_what_each_of_them_is_alone(workspace: Workspace, tmp_path: Path) -> None:
    report = write_panel(workspace, cutoffs=CUTOFFS, out=tmp_path / "all.parquet")
    found = rows_of(tmp_path / "all.parquet")
    alone = {}
    for cutoff in CUTOFFS:
        write_panel(workspace, cutoffs=(cutoff,), out=tmp_path / "one.parquet")
        alone |= rows_of(tmp_path / "one.parquet")
    assert found == alone
    assert report.rows == len(found) > 200
    assert report.customers == len({customer for customer, _ in found})
    assert [f"{cutoff:%Y-%m-%d}" for cutoff in report.cutoffs] == sorted(CUTOFFS)
    file = pq.ParquetFile(tmp_path / "all.parquet")
    assert file.metadata.num_row_groups > 1
    assert file.schema_arrow.names == ["customer_id", "cutoff", *report.plan.feature_names]
    assert file.schema_arrow.field("cutoff").type == pa.timestamp("us", tz="UTC")
    assert file.schema_arrow.metadata[b"fingerprint"].decode() == report.plan.fingerprint


def test_rows_hold_what_was_known_soon_after_their_cutoff(workspace: Workspace, tmp_path: Path) -> None:
    write_panel(workspace, cutoffs=CUTOFFS, out=tmp_path / "then.parquet")
    then = rows_of(tmp_path / "then.parquet")
    snapshot, plan = workspace.snapshot(), log_plan(workspace, workspace.snapshot())
    known, all_known = {}, {}
    for moment in (day(40), day(60), day(70)):
        for settle, into in ((workspace.settle, known), (timedelta(days=30), all_known)):
            tables = duckdb_engine.build(snapshot, plan, [moment], received_before=[moment + settle])
            table = duckdb_engine.concat(list(tables))
            for customer, values in zip(table.customer_ids[table.customer], table.values, strict=True):
                into[customer, moment] = tuple(None if np.isnan(value) else float(value) for value in values)
    assert then == known
    assert then != all_known  # the ninth's orders arrived after the tenth


@pytest.mark.parametrize("name", ["churn", "value"])
@pytest.mark.usefixtures("small_batches")
def test_a_target_s_file_is_the_panel_that_training_learns_from(
    workspace: Workspace, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_panel, "_GROUP_ROWS", 50)
    report = write_panel(workspace, cutoffs=("2024-04-09",), target=name, out=tmp_path / "panel.parquet")
    snapshot = workspace.snapshot()
    built, plan = build_panels(workspace, snapshot, day(99), (name,), {})
    panel = built[name]
    table = pq.read_table(tmp_path / "panel.parquet")
    values = np.column_stack([table[feature].to_numpy() for feature in plan.feature_names])
    assert values.astype(np.float32).tobytes() == panel.values.tobytes()
    assert table["label"].to_numpy().tolist() == panel.labels.tolist()
    assert table["cutoff"].to_numpy().astype(np.int64).tolist() == panel.cutoff_us.tolist()
    assert table["cutoff"].type == pa.timestamp("us", tz="UTC")
    assert len(set(table["customer_id"].to_pylist())) == report.customers == len(np.unique(panel.customer))
    assert (report.rows, report.label_mean) == (len(panel), pytest.approx(panel.labels.mean()))
    about = table.schema.metadata
    assert target_from_dict(json.loads(about[b"target"])) == panel.target
    assert about[b"fingerprint"].decode() == plan.fingerprint


def test_an_undefined_value_is_null_in_the_file(workspace: Workspace, tmp_path: Path) -> None:
    write_panel(workspace, cutoffs=CUTOFFS, out=tmp_path / "all.parquet")
    table = pq.read_table(tmp_path / "all.parquet")
    assert table["purchase_gap_mean_days"].null_count > 0  # of those with a single purchase
    assert not any(np.isnan(table[name].drop_null().to_numpy()).any() for name in table.column_names[2:])


def test_a_walk_that_breaks_off_leaves_the_file_as_it_was(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "panel.parquet"
    write_panel(workspace, cutoffs=CUTOFFS, out=path)
    before, real = path.read_bytes(), build_panel.feature_tables

    def broken(*args: object, **options: object) -> object:
        yield next(iter(real(*args, **options | {"batch_rows": 400})))  # type: ignore[arg-type]
        raise StateError("the event log cannot be read")

    monkeypatch.setattr(build_panel, "feature_tables", broken)
    with pytest.raises(StateError):
        write_panel(workspace, cutoffs=CUTOFFS[:2], out=path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_built_is_said(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a cutoff was given twice"):
        write_panel(workspace, cutoffs=("2024-03-01", "2024-03-01"), out=tmp_path / "a.parquet")
    with pytest.raises(UsageError, match=r"2 cutoffs and a target.*at most one cutoff"):
        write_panel(workspace, cutoffs=CUTOFFS[:2], target="churn", out=tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="did you mean 'churn'"):
        write_panel(workspace, target="churm", out=tmp_path / "a.parquet")
    with pytest.raises(HistoryError, match="days of history"):
        write_panel(workspace, cutoffs=("2024-01-20",), target="churn", out=tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


def test_nobody_eligible_is_a_file_without_rows(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.root / "ebbtide.toml"
    (tmp_path / "ebbtide.toml").write_text(
        path.read_text(encoding="utf-8")
        .replace("[targets.value]", '[targets.win]\nevent_types = ["refund"]')
        .replace('kind = "value"', 'kind = "conversion"')
        .replace('timezone = "UTC"', f'timezone = "UTC"\nhome = "{workspace.home}"'),
        encoding="utf-8",
    )
    other = open_workspace(tmp_path / "ebbtide.toml", clock=workspace.clock)
    report = write_panel(other, target="win", out=tmp_path / "panel.parquet")
    assert (report.rows, report.customers, report.label_mean) == (0, 0, None)
    assert pq.read_table(tmp_path / "panel.parquet").num_rows == 0
    show_build(report)
    assert "0 rows of 0 customers" in capsys.readouterr().out


def test_the_command_writes_one_two_or_a_target(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> str:
        config = str(workspace.root / "ebbtide.toml")
        monkeypatch.setattr("sys.argv", ["ebbtide", "build", *arguments, "--config", config])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == 0
        return capsys.readouterr().out

    assert "customers with" in run("--cutoff", CUTOFFS[0])
    assert "3 cutoffs, 2024-02-10 00:00 UTC to 2024-03-11 00:00 UTC" in run(
        *(word for cutoff in CUTOFFS for word in ("--cutoff", cutoff))
    )
    assert "labels of churn, mean 0." in run("--target", "churn", "--cutoff", "2024-04-09")
    report = json.loads(run("--target", "churn", "--cutoff", "2024-04-09", "--json"))
    assert report["target"] == "churn"
    names = sorted(path.name for path in (workspace.home / "features").iterdir())
    assert names == [
        "features-2024-02-10-to-2024-03-11-3-cutoffs.parquet",
        "features-2024-03-01.parquet",
        "panel-churn-2024-04-09.parquet",
    ]


def test_the_python_api_takes_moments_and_texts(workspace: Workspace, tmp_path: Path) -> None:
    project = Project(workspace.root / "ebbtide.toml", clock=workspace.clock)
    report = project.write_panel(tmp_path / "all.parquet", cutoffs=[day(60), "2024-02-10"])
    assert report.cutoffs == (day(40), day(60))
    labelled = project.write_panel(tmp_path / "panel.parquet", cutoffs=[day(99)], target="churn")
    assert "label" in pq.read_schema(labelled.out).names

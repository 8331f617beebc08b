"""Training at one cutoff and the next: who is compared with whom, who serves afterwards, and what is left as it was."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.errors import BundleError, OneClassError
from features.event_log import Snapshot
from pipelines.build import log_plan
from pipelines.cli import main
from pipelines.export.command import export
from pipelines.incumbent import Incumbent, incumbent
from pipelines.ingest import ingest
from pipelines.models import list_models, promote, rollback
from pipelines.monitor import monitor
from pipelines.panels import build_panels
from pipelines.retrain import TargetOutcome, retrain
from pipelines.score import score
from pipelines.workspace import Workspace, open_workspace
from tests.pipelines.builders import day, random_orders, shop
from training.bundle import read_champion, read_pointer
from training.panel import Panel
from training.train import Trained, train

ORDERS = random_orders(450, 220)
FIRST, SECOND, EARLIER = 182, 203, 161
RETURNS = """
[[events]]
name = "returns"
path = "orders.parquet"
event_type = "'refund'"
customer_id = "customer"
event_time = "ts"
amount = "amount"
where = "amount > 40"
"""


def cut(number: float) -> str:
    return f"{day(number):%Y-%m-%d}"


def noon() -> datetime:
    return day(221.5)


def train_at(workspace: Workspace, number: float) -> TargetOutcome:
    (outcome,) = retrain(workspace, cutoff=cut(number)).outcomes
    return outcome


def serving(workspace: Workspace) -> str:
    pointer = read_pointer(workspace.home, "churn")
    assert pointer is not None
    return pointer.version


def edited(workspace: Workspace, old: str, new: str) -> Workspace:
    path = workspace.root / "ebbtide.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return open_workspace(path, clock=noon)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop whose log goes on after the cutoff it was trained at, with newcomers; not to be changed."""
    newcomers = [(f"a{number}", 190 + number % 25, 10.0) for number in range(100)]
    workspace = shop(tmp_path_factory.mktemp("trained"), [*ORDERS, *newcomers], now=noon())
    ingest(workspace)
    assert train_at(workspace, FIRST).outcome == "promoted"
    return workspace


@pytest.fixture
def copy(trained: Workspace, tmp_path: Path) -> Workspace:
    """The trained shop somewhere else: a moved home, free to be changed."""
    shutil.copytree(trained.root, tmp_path / "shop")
    return open_workspace(tmp_path / "shop" / "ebbtide.toml", clock=noon)


def test_nothing_after_the_cutoff_changes_the_model(trained: Workspace, tmp_path: Path) -> None:
    before = shop(tmp_path, [order for order in ORDERS if order[1] < FIRST], now=noon())
    ingest(before)
    train_at(before, FIRST)
    ours, theirs = read_champion(trained.home, "churn"), read_champion(before.home, "churn")
    assert ours is not None
    assert theirs is not None
    assert ours.checksum == theirs.checksum


def test_the_same_run_again_changes_nothing(copy: Workspace) -> None:
    found = train_at(copy, FIRST)
    assert (found.outcome, found.version) == ("unchanged", "1")
    assert "champion version 1 is compared by its version fitted before its own test" in found.reasons
    assert len(list_models(copy).versions) == 1


def test_a_panel_in_a_file_makes_the_very_same_model(copy: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped: list[bool] = []

    def watched(panel: Panel, **options: Any) -> Trained:
        mapped.append(isinstance(panel.values, np.memmap))
        return train(panel, **options)

    monkeypatch.setattr("pipelines.retrain.train", watched)
    names = sorted(everything(copy.home))
    small = edited(copy, "[targets.churn]", "[retrain]\npanel_memory_mb = 0\n[targets.churn]")
    found = train_at(small, FIRST)
    assert mapped == [True]
    assert (found.outcome, found.version) == ("unchanged", "1")
    assert sorted(everything(copy.home)) == names


def test_a_later_run_meets_the_champion_as_it_serves_and_can_be_rolled_back(
    copy: Workspace, trained: Workspace
) -> None:
    elsewhere = sorted(everything(trained.home))
    found = train_at(copy, SECOND)
    assert "champion version 1 is compared as it serves" in found.reasons[-1]
    assert "the champion: loss" in found.reasons[0]
    assert (found.outcome, found.version, serving(copy)) == ("promoted", "2", "2")
    assert sorted(everything(trained.home)) == elsewhere  # where the home was copied from, MLflow writes nothing
    assert rollback(copy, "churn").version == serving(copy) == "1"
    (scored,) = score(copy, cutoff=cut(SECOND)).targets
    assert scored.model.version == "1"
    promote(copy, "churn", "2")
    assert serving(copy) == "2"


def test_a_champion_that_has_learned_from_the_test_stays_as_it_is(copy: Workspace) -> None:
    before = everything(copy.home / "champions") | everything(copy.home / "bundles" / "churn" / "1")
    report = retrain(copy, cutoff=cut(EARLIER))
    (found,) = report.outcomes
    assert (report.exit_code, found.outcome, found.version) == (3, "refused", "2")
    tested, now = cut(FIRST - 14), cut(EARLIER - 14)
    assert found.reasons[0] == (
        f"refused: champion version 1 was tested at {tested}, so it has learned from this run's test at {now}"
    )
    assert everything(copy.home / "champions") | everything(copy.home / "bundles" / "churn" / "1") == before
    champion, challenger = sorted(list_models(copy).versions, key=lambda one: one.version)
    assert (champion.aliases, champion.status) == (("champion",), "promoted")
    assert (challenger.aliases, challenger.status) == (("challenger",), "refused")
    (again,) = retrain(copy, cutoff=cut(EARLIER)).outcomes
    assert (again.outcome, again.version) == ("refused", "2")
    assert again.reasons[0] == "refused: version 2 is this very model and was refused before"
    assert len(list_models(copy).versions) == 2


def test_an_edited_target_starts_anew_and_says_so(copy: Workspace) -> None:
    lines: list[str] = []
    workspace = edited(copy, "horizon_days = 14", "horizon_days = 21")
    warned = open_workspace(workspace.root / "ebbtide.toml", clock=noon, say=lines.append)
    score(warned, cutoff=cut(FIRST))
    assert any("[targets.churn] was edited after its champion was trained" in line for line in lines)
    found = train_at(workspace, FIRST)
    assert found.outcome == "promoted"
    assert "with no champion to compare it with" in found.reasons[0]
    assert "predicts what [targets.churn] said before it was edited: not compared" in found.reasons[-1]


def test_a_champion_with_other_features_is_scored_on_its_own(copy: Workspace) -> None:
    old = read_champion(copy.home, "churn")
    workspace = edited(copy, "[targets.churn]", f"{RETURNS}\n[targets.churn]")
    ingest(workspace)
    found, snapshot = met(workspace), workspace.snapshot()
    assert old is not None
    assert found.scores is not None
    assert log_plan(workspace, snapshot).fingerprint != old.fingerprint
    assert np.sort(found.scores).tobytes() == old.reference.tobytes()  # what it gave the same customers when tested


def test_a_model_brings_the_projects_own_features_whatever_the_file_says_now(copy: Workspace) -> None:
    own, header = copy.root / "own.toml", '[features]\nfile = "own.toml"\n'
    base = '{ aggregation = "count", event_type = "purchase", window_days = 21 }'
    own.write_text(f'[[feature]]\nfamily = "frequency"\nreadout = "value"\nbases = [{base}]', encoding="utf-8")
    before = score(copy, cutoff=cut(SECOND))
    with_file = edited(copy, "[targets.churn]", f"{header}[targets.churn]")
    assert score(with_file, cutoff=cut(SECOND)).frame().equals(before.frame()), "the champion has never heard of it"
    trained_with = train_at(with_file, FIRST)
    promote(with_file, "churn", str(trained_with.version))
    after = score(with_file, cutoff=cut(SECOND))
    assert set(after.targets[0].plan.feature_names) - set(before.targets[0].plan.feature_names) == {
        "purchase_count_21d"
    }
    own.write_text(own.read_text(encoding="utf-8").replace("purchase", "purchse"), encoding="utf-8")
    for now in (open_workspace(copy.root / "ebbtide.toml", clock=noon), edited(with_file, header, "")):
        assert score(now, cutoff=cut(SECOND)).frame().equals(after.frame())


def met(workspace: Workspace) -> Incumbent:
    snapshot: Snapshot = workspace.snapshot()
    panels, plan = build_panels(workspace, snapshot, workspace.cutoff(cut(FIRST), snapshot), (), {})
    return incumbent(workspace, snapshot, panels["churn"], plan)


@pytest.mark.parametrize("name", ["bundle.json", "evaluated.json", "reference.parquet", "reference_scores.f64"])
def test_a_damaged_champion_scores_nobody_and_stops_no_training(copy: Workspace, name: str) -> None:
    file = copy.home / "bundles" / "churn" / "1" / name
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    for command in (score, export, monitor):
        with pytest.raises(BundleError) as caught:
            command(copy, cutoff=cut(SECOND))
        assert caught.value.exit_code == 1
        assert "`ebbtide retrain`" in str(caught.value)
    found = met(copy)
    assert found.scores is None
    assert found.sentence.startswith("the champion cannot score and is not compared: ")


def test_a_missing_champion_folder_is_mended_by_training(copy: Workspace) -> None:
    shutil.rmtree(copy.home / "bundles" / "churn" / "1")
    found = train_at(copy, FIRST)
    assert (found.outcome, found.version, serving(copy)) == ("promoted", "2", "2")
    assert len(score(copy, cutoff=cut(SECOND)).targets[0].customer_ids) > 100


def test_a_target_without_its_events_is_named(trained: Workspace, tmp_path: Path) -> None:
    shutil.copytree(trained.home / "log", tmp_path / "log")
    shutil.copy(trained.root / "ebbtide.toml", tmp_path)
    workspace = open_workspace(tmp_path / "ebbtide.toml", clock=noon)
    workspace = edited(
        workspace, 'kind = "churn"', 'kind = "conversion"\nevent_types = ["view"]\neligible_event_types = ["purchase"]'
    )
    with pytest.raises(
        OneClassError, match=r"the log has no event of type 'view'; expected one of its types: purchase"
    ):
        retrain(workspace, cutoff=cut(FIRST))


def test_scores_of_one_target_do_not_replace_those_of_all(copy: Workspace) -> None:
    everyone = score(copy, cutoff=cut(FIRST)).out
    assert everyone.name == f"scores-{cut(FIRST)}.parquet"
    assert score(copy, cutoff=cut(FIRST), names=("churn",)).out.name == f"scores-{cut(FIRST)}-churn.parquet"


def test_the_report_is_one_json_document(copy: Workspace) -> None:
    report = retrain(copy, cutoff=cut(FIRST))
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["targets"][0]["outcome"] == "unchanged"


def test_commands_that_change_the_champion_print_one_json_document(
    copy: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(copy.root / "ebbtide.toml")
    monkeypatch.setattr("sys.argv", ["ebbtide", "models", "promote", "churn", "1", "--json", "--config", config])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert json.loads(capsys.readouterr().out) == {"target": "churn", "champion": "1"}
    monkeypatch.setattr("sys.argv", ["ebbtide", "retrain", "--cutoff", cut(EARLIER), "--json", "--config", config])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 3
    assert json.loads(capsys.readouterr().out)["targets"][0]["outcome"] == "refused"

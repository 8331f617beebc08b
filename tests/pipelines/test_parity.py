"""``ebbtide features parity`` on small shops, and what ``retrain`` does with its answer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.duckdb_engine import build
from features.errors import ParityError, UsageError
from features.feature_table import FeatureTable
from pipelines.cli import main
from pipelines.engine import feature_tables
from pipelines.ingest import ingest
from pipelines.models import list_models
from pipelines.parity import parity
from pipelines.retrain import retrain
from pipelines.workspace import Workspace, open_workspace
from tests.pipelines.builders import day, random_orders, shop

DAYS = 200
CUTOFF = f"{day(182):%Y-%m-%d}"
LATE = 'received_at = "ts + CAST(late AS INTEGER) * INTERVAL 1 HOUR"\nevent_id = "basket"'


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(project: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in the project as a shell would."""

    def command(*arguments: str) -> Ran:
        monkeypatch.setattr("sys.argv", ["ebbtide", *arguments, "--config", str(project.root / "ebbtide.toml")])
        with pytest.raises(SystemExit) as caught:
            main()
        text = capsys.readouterr()
        return Ran(int(caught.value.code or 0), text.out, text.err)

    return command


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop whose orders arrive up to 40 hours late, some of them corrected days afterwards; not to be changed."""
    folder = tmp_path_factory.mktemp("shop")
    workspace = shop(folder, [*random_orders(420, DAYS), ("once", 100.5, 3.0)], now=day(DAYS + 1.5), block=LATE)
    path = folder / "orders.parquet"
    table = pq.read_table(path)
    late = np.random.default_rng(5).choice([0, 0, 2, 40], table.num_rows)
    pq.write_table(table.append_column("late", pa.array(late)), path)
    ingest(workspace)
    picked = np.arange(0, table.num_rows, 50)
    mended = table.take(picked).append_column("late", pa.array(late[picked] + 90))
    amounts = pa.array(np.asarray(table["amount"])[picked] + 1.0)
    pq.write_table(mended.set_column(3, "amount", amounts), path)
    ingest(workspace)
    assert workspace.snapshot().corrections == picked.size
    return workspace


@pytest.fixture
def project(made: Workspace, tmp_path: Path) -> Workspace:
    """The shop somewhere else, free to be changed."""
    shutil.copytree(made.root, tmp_path / "shop")
    return open_workspace(tmp_path / "shop" / "ebbtide.toml", clock=made.clock)


def one_bit_off(engine: Callable[..., Iterator[FeatureTable]]) -> Callable[..., Iterator[FeatureTable]]:
    """Make of an engine one with the last bit of one value flipped in each row."""

    def flipped(*arguments: Any, **options: Any) -> Iterator[FeatureTable]:
        for table in engine(*arguments, **options):
            values = table.values.copy()
            values.view(np.uint32)[:, 0] ^= 1
            yield replace(table, values=values)

    return flipped


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_customer_is_equal_with_late_and_corrected_events(made: Workspace) -> None:
    report = parity(made, count=None, cutoff_count=5)
    tally = report.tally
    assert tally.first == []
    assert report.ok
    assert len(report.cutoffs) == 5
    assert tally.pairs == 5 * made.snapshot().customers
    assert tally.bulk == made.snapshot().customers
    assert tally.corrected_later > 0
    assert 0 < tally.empty < tally.pairs / 2


def test_the_command_says_what_it_compared(run: Run) -> None:
    done = run("features", "parity", "--customers", "40", "--cutoffs", "3")
    assert done.code == 0
    assert "40 customers (8 busiest, 8 late, 8 corrected, " in done.out
    assert "120 pairs replayed" in done.out
    assert "40 states made in bulk" in done.out
    assert done.out.endswith("every bit is equal\n")


def test_the_same_seed_compares_the_same(run: Run) -> None:
    asked = ("features", "parity", "--customers", "20", "--cutoff", CUTOFF, "--json", "--seed", "1")
    first, again = (json.loads(run(*asked).out) for _ in range(2))
    assert first == again
    assert (first["cutoffs"], first["pairs"], first["different"], first["ok"]) == ([CUTOFF], 20, 0, True)


def test_one_wrong_bit_is_exit_1_with_both_values(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.parity.build", one_bit_off(build))
    done = run("features", "parity", "--customers", "10", "--cutoff", CUTOFF, "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert report["ok"] is False
    rows = report["pairs"] - report["empty"] + report["bulk"]
    assert rows > 10
    paths = {found["path"] for found in report["differences"]}
    assert "replay" in paths
    assert 0 < report["different"] <= rows  # null stays null when its last bit flips
    found = report["differences"][0]
    assert int(found["batch"][-9:-1], 16) ^ int(found["state"][-9:-1], 16) == 1
    done = run("features", "parity", "--customers", "60", "--cutoff", CUTOFF)
    assert done.code == 1
    assert done.out.count("customer '") == 20
    assert " more\n" in done.out
    assert done.out.endswith("numbers differ: this is a bug, please report it\n")


def test_wrong_states_of_the_bulk_path_are_found(made: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(table: Any, *arguments: Any, **options: Any) -> Any:
        for customer, state in states(table, *arguments, **options):
            yield customer, state.update([event_of(state)]).state

    from features.duckdb_engine import states
    from features.state import EventRow

    def event_of(state: Any) -> EventRow:
        return EventRow(event_id="!", event_type="purchase", event_time_us=state.newest_us, received_us=state.newest_us)

    monkeypatch.setattr("pipelines.parity.states", shifted)
    report = parity(made, count=5, cutoffs=[CUTOFF])
    assert {found.path for found in report.tally.first} == {"bulk"}


def test_the_features_are_listed_as_before(run: Run) -> None:
    listed = run("features")
    assert listed.code == 0
    assert "purchase_count_28d" in listed.out
    known = json.loads(run("features", "--json").out)
    assert f"{len(known['features'])} features, fingerprint {known['fingerprint'][:12]}" in listed.out


@pytest.mark.parametrize("customers", ["0", "-3", "some"])
def test_impossible_samples_are_wrong_usage(run: Run, customers: str) -> None:
    done = run("features", "parity", "--customers", customers)
    assert done.code == 2
    assert "expected a number of at least 1, or all" in done.err


def test_options_before_the_command_are_refused_not_ignored(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["ebbtide", "features", "--config", "x.toml", "parity"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "put them after it" in capsys.readouterr().err


def test_every_aggregate_is_compared_not_only_what_becomes_of_it(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-out rounds to float32, and may hide that an exact integer behind it is off."""

    def one_more(*arguments: Any, **options: Any) -> Iterator[FeatureTable]:
        for table in build(*arguments, **options):
            assert table.base.shape[1] > 20  # the target alone asks for 3
            yield replace(table, base=table.base + 1)

    monkeypatch.setattr("pipelines.parity.build", one_more)
    found = parity(project, count=3, cutoff_count=1).tally
    assert {difference.column.split(" ")[0] for difference in found.first} == {"base"}


def test_a_log_without_targets_can_be_replayed(project: Workspace) -> None:
    path = project.root / "ebbtide.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("[targets.churn]")], encoding="utf-8")
    assert parity(open_workspace(path, clock=project.clock), count=5).ok
    with pytest.raises(UsageError, match="no target"):
        parity(open_workspace(path, clock=project.clock), count=5, names=("churn",))


def test_retrain_replays_and_leaves_the_figures_with_the_run(project: Workspace) -> None:
    report = retrain(project, cutoff=CUTOFF)
    assert report.parity.startswith("parity: 200 replayed pairs of customer and cutoff, ")
    (version,) = list_models(project).versions
    documents = [path.read_text() for path in project.home.rglob("gate.txt")]
    assert [text.splitlines()[-1] for text in documents] == [report.parity]
    assert version.status in {"promoted", "provisional"}
    assert json.loads(json.dumps(report.to_dict()))["parity"] == report.parity


def test_retrain_refuses_on_one_wrong_bit_and_changes_nothing(run: Run, project: Workspace) -> None:
    retrain(project, cutoff=CUTOFF)
    later = f"{day(196):%Y-%m-%d}"
    before = {name: everything(project.home / name) for name in ("champions", "bundles", "mlruns")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.panels.feature_tables", one_bit_off(feature_tables))
        done = run("retrain", "--cutoff", later)
    assert done.code == 1
    assert "differ, the first: customer " in done.err
    assert "nothing was trained or registered, and the champion serves on" in done.err
    assert "ebbtide features parity --cutoff " in done.err
    assert "--customers 200 --seed 7 --target churn" in done.err
    assert {name: everything(project.home / name) for name in before} == before
    assert len(list_models(project).versions) == 1
    assert run("retrain", "--cutoff", later).code in {0, 3}


def test_without_a_champion_a_wrong_bit_lets_nothing_serve(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.panels.feature_tables", one_bit_off(feature_tables))
    with pytest.raises(ParityError):
        retrain(project, cutoff=CUTOFF)
    assert not (project.home / "champions").exists()
    assert not (project.home / "mlruns").exists()


def test_parity_can_be_switched_off_with_a_warning(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.root / "ebbtide.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\n[retrain]\nparity_pairs = 0\n", encoding="utf-8")
    said: list[str] = []
    monkeypatch.setattr("pipelines.panels.feature_tables", one_bit_off(feature_tables))
    report = retrain(open_workspace(path, clock=project.clock, say=said.append), cutoff=CUTOFF)
    assert report.parity == "parity: nothing was replayed"
    assert any(line.startswith("warning: [retrain] parity_pairs is 0") for line in said)

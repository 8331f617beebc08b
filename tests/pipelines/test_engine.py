"""One project with each engine: the same files, the same panels."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from features.errors import ConfigError, EngineError
from pipelines.build import write_features
from pipelines.ingest import ingest
from pipelines.panels import build_panels
from pipelines.retrain import retrain
from pipelines.score import score
from pipelines.workspace import Workspace, open_workspace
from tests.pipelines.builders import day, random_orders, shop, write_config
from tests.spark_needed import local_spark, require_spark

CUTOFF = f"{day(182):%Y-%m-%d}"
CUSTOMERS = """
[customers]
path = "customers.csv"
customer_id = "id"
valid_from = "since"
attributes = { age = "CAST(age AS INTEGER)", tier = "tier" }
"""
SPARK = '\n[engine]\nname = "spark"\nmaster = "local[2]"\n'


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop with a champion, and customers who turn gold one after the other; not to be changed."""
    folder = tmp_path_factory.mktemp("trained")
    workspace = shop(folder, random_orders(300, 220), now=day(221.5), extra=CUSTOMERS)
    rows = [f"c{number:04d},{day(number).isoformat()},{number % 70},gold" for number in range(200)]
    (folder / "customers.csv").write_text("\n".join(("id,since,age,tier", *rows)), encoding="utf-8")
    ingest(workspace)
    (outcome,) = retrain(workspace, cutoff=CUTOFF).outcomes
    assert outcome.outcome == "promoted"
    return workspace


@pytest.fixture
def with_spark(trained: Workspace, tmp_path: Path) -> Workspace:
    """The same shop, copied, on the other engine."""
    folder = tmp_path / "on spark"
    shutil.copytree(trained.root, folder)
    config = folder / "ebbtide.toml"
    config.write_text(config.read_text(encoding="utf-8") + SPARK, encoding="utf-8")
    return open_workspace(config, clock=trained.clock)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with local_spark(tmp_path_factory.mktemp("spark")):
        yield


@pytest.mark.usefixtures("session")
def test_build_and_score_write_the_same_bytes(trained: Workspace, with_spark: Workspace, tmp_path: Path) -> None:
    for command in (write_features, score):
        one, other = tmp_path / "duckdb.parquet", tmp_path / "spark.parquet"
        command(trained, cutoff=CUTOFF, out=one)
        command(with_spark, cutoff=CUTOFF, out=other)
        assert one.stat().st_size > 1_000
        assert one.read_bytes() == other.read_bytes()
    assert not list(with_spark.home.glob("ebbtide-spark-*"))


@pytest.mark.usefixtures("session")
def test_panels_are_the_same_rows_in_the_same_order(trained: Workspace, with_spark: Workspace) -> None:
    panels = []
    for workspace in (trained, with_spark):
        found, _ = build_panels(workspace, workspace.snapshot(), day(182), (), {})
        panels.append(found["churn"])
    one, other = panels
    assert len(one.values) > 1_000
    for name in ("customer", "cutoff_us", "labels"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    assert one.values.tobytes() == other.values.tobytes()
    tier = one.values[:, one.feature_names.index("attribute_tier_is_gold")]
    assert 0 < np.isnan(tier).sum() < tier.size


def test_spark_is_what_runs(with_spark: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(EngineError, match=r"pip install 'ebbtide\[spark\]'"):
        write_features(with_spark, cutoff=CUTOFF)


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ('master = "localhost:7077"', "master"),
        ('name = "sparc"', "'duckdb' or 'spark'"),
        ('properties = { "driver.memory" = "4g" }', "driver.memory"),
    ],
)
def test_impossible_engines_are_refused(tmp_path: Path, engine: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        open_workspace(write_config(tmp_path, extra=f"[engine]\n{engine}\n"))


def test_spark_properties_are_read(tmp_path: Path) -> None:
    text = '[engine]\nname = "spark"\nmaster = "spark://head:7077"\nproperties = { "spark.driver.memory" = "4g" }\n'
    engine = open_workspace(write_config(tmp_path, extra=text)).settings.engine
    assert (engine.master, engine.properties) == ("spark://head:7077", {"spark.driver.memory": "4g"})


def test_the_command_starts_and_stops_its_own_spark(trained: Workspace, with_spark: Workspace, tmp_path: Path) -> None:
    require_spark()
    one, other = tmp_path / "duckdb.parquet", tmp_path / "spark.parquet"
    write_features(trained, cutoff=CUTOFF, out=one)
    run = "from pipelines.cli import main; main()"
    command = [sys.executable, "-c", run, "build", "--config", str(with_spark.root / "ebbtide.toml")]
    done = subprocess.run(
        [*command, "--cutoff", CUTOFF, "--out", str(other), "--json"], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["customers"] > 100
    assert one.read_bytes() == other.read_bytes()
    assert "WARN " not in done.stderr
    assert "Exception" not in done.stderr
    assert not list(with_spark.home.glob("ebbtide-spark-*"))

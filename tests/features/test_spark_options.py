"""What a session is told, for a local master and for a cluster's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from features.spark_options import session_environment, session_options


def test_a_local_session_stays_on_this_machine_and_in_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    options = session_options("local[2]", folder)
    assert (options["spark.driver.host"], options["spark.driver.bindAddress"]) == ("127.0.0.1", "127.0.0.1")
    assert options["spark.local.dir"] == str(folder)
    assert options["spark.ui.enabled"] == "false"
    assert "rootLogger.level = error" in (folder / "log4j2.properties").read_text(encoding="utf-8")
    assert '"-Dlog4j2.configurationFile=file:///' in options["spark.driver.extraJavaOptions"]
    assert (Path(options["spark.executorEnv.PYTHONPATH"]) / "features").is_dir()


def test_a_clusters_addresses_folders_and_python_are_its_own(tmp_path: Path) -> None:
    options = session_options("spark://head:7077", tmp_path)
    assert options["spark.ui.enabled"] == "false"
    kept = {"spark.driver.host", "spark.driver.bindAddress", "spark.local.dir", "spark.executorEnv.PYTHONPATH"}
    assert kept & set(options) == set()
    assert list(tmp_path.iterdir()) == []


def test_the_environment_is_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", "/theirs")
    monkeypatch.delenv("SPARK_LOCAL_IP", raising=False)
    before = dict(os.environ)
    with session_environment("local[*]"):
        assert (os.environ["PYSPARK_PYTHON"], os.environ["SPARK_LOCAL_IP"]) == (sys.executable, "127.0.0.1")
    assert dict(os.environ) == before
    with session_environment("yarn"):
        assert os.environ["PYSPARK_PYTHON"] == "/theirs"
        assert "SPARK_LOCAL_IP" not in os.environ
    assert dict(os.environ) == before

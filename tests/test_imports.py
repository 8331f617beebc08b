"""What importing a thing loads, seen from a fresh interpreter; and that every public name exists."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys

import pytest

HEAVY = {
    "bentoml",
    "duckdb",
    "evidently",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "pandas",
    "py4j",
    "pyarrow",
    "pyspark",
    "sklearn",
}
LIGHT = [
    *("features", "training", "serving", "pipelines", "pipelines.cli"),
    *("training.bundle", "training.predictor", "training.reasons", "training.labels", "training.evaluate"),
]
PACKAGES = ("features", "training", "serving", "pipelines")


def loaded_by(module: str) -> set[str]:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_load_nothing_heavy(module: str) -> None:
    assert loaded_by(module) & HEAVY == set()


def test_the_python_api_is_one_import() -> None:
    from pipelines import Project

    assert Project.__module__ == "pipelines.project"
    with pytest.raises(AttributeError, match="Projekt"):
        importlib.import_module("pipelines").Projekt  # noqa: B018 - the access is what is tested


def modules() -> list[str]:
    names = []
    for package in PACKAGES:
        root = importlib.import_module(package)
        names += [package, *(found.name for found in pkgutil.walk_packages(root.__path__, f"{package}."))]
    return [name for name in names if name != "serving.service"]  # a process has one BentoML service


@pytest.mark.parametrize("name", modules())
def test_what_all_lists_exists(name: str) -> None:
    module = importlib.import_module(name)
    public = getattr(module, "__all__", None)
    assert public is not None, f"{name} has no __all__"
    assert [entry for entry in public if not hasattr(module, entry)] == []
    assert len(set(public)) == len(public)

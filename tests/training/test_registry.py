"""The registry: record, promote, roll back; and MLflow itself loads what was recorded."""

from __future__ import annotations

import json
import os
import pickletools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import BundleError, EbbtideError, LockedError, ModelNotFoundError, UsageError
from tests.training.bundle_builders import FEATURES, NAMES, bundle, churn, prior, stump, written
from training.bundle import Bundle, bundle_folder, read_bundle, read_champion, read_pointer
from training.estimator import LightGBMModel
from training.predictor import Predictor
from training.pyfunc_loader import PyfuncModel
from training.registry import RegisteredVersion, Registry
from training.registry_lock import writers_turn

PNG = b"\x89PNG\r\n\x1a\n"
ROOT = Path(__file__).resolve().parents[2]
FRAME = pd.DataFrame([[31, 9, 1], [30, np.nan, 0], [np.nan, 2, 5]], columns=list(NAMES), dtype="float32")


RECORD = """
import os, pathlib, sys
import pandas as pd
from training.registry import Registry
home, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
frame = pd.DataFrame([[31, 9, 1]], columns=sys.argv[3:], dtype="float32")
registry = Registry(f"sqlite:///{home}/mlruns/mlflow.db", home)
registry.record("twins", folder, params={}, metrics={}, figures={}, documents={}, tags={}, input_example=frame)
registry.promote("twins", "1")
assert "MLFLOW_TRACKING_URI" not in os.environ
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def twins(home: Path) -> list[subprocess.CompletedProcess[str]]:
    """Two processes that record into a home without a database; making one takes seconds, so all tests share it."""
    folder = written(home / "twins", bundle(target=churn("twins")))

    def run(_: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", RECORD, str(home), str(folder), *NAMES]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, range(2)))


@pytest.fixture(scope="module")
def registry(home: Path, twins: list[subprocess.CompletedProcess[str]]) -> Registry:
    assert len(twins) == 2
    return Registry(f"sqlite:///{home}/mlruns/mlflow.db", home)


def record(registry: Registry, folder: Path, made: Bundle, **changes: object) -> RegisteredVersion:
    arguments: dict[str, object] = {
        "params": {"num_leaves": 7},
        "metrics": {"auc": 0.75, "undefined": float("nan")},
        "figures": {"calibration.png": PNG},
        "documents": {"gate.json": "{}"},
        "tags": {"seed": "1"},
        "input_example": FRAME,
    }
    written(folder, made, {"reference.parquet": b"PAR1"})
    return registry.record(made.target.name, folder, **(arguments | changes))  # type: ignore[arg-type]


def test_record_then_promote_then_roll_back(registry: Registry, home: Path, tmp_path: Path) -> None:
    name = "walk"
    versions = [
        record(registry, tmp_path / f"{rate}", bundle(prior(rate).estimator, target=churn(name)), status="passed")
        for rate in (0.1, 0.2, 0.3)
    ]
    assert [made.version for made in versions] == ["1", "2", "3"]
    newest = registry.versions(name)[0]
    assert (newest.version, newest.aliases, newest.status) == ("3", ("challenger",), "passed")
    assert newest.metrics == {"auc": 0.75}
    assert newest.checksum == versions[2].checksum
    assert registry.champion(name) is None
    assert read_pointer(home, name) is None
    kept = read_bundle(bundle_folder(home, name, "2"))
    assert (kept.version, kept.run_id, kept.created) == ("2", versions[1].run_id, registry.versions(name)[1].created)
    assert kept.extra_files == ("reference.parquet",)
    with pytest.raises(ModelNotFoundError, match="no earlier champion than none"):
        registry.rollback(name)

    for version in ("1", "2", "3"):
        assert registry.promote(name, version).aliases == ("champion",)
        champion = read_champion(home, name)
        assert champion is not None
        assert champion.version == version
    registry.promote(name, "3")  # again: no step in the history
    assert registry.rollback(name).version == "2"
    assert registry.rollback(name).version == "1"
    pointer = read_pointer(home, name)
    assert pointer is not None
    assert (pointer.version, pointer.bundle) == ("1", f"bundles/{name}/1")
    with pytest.raises(ModelNotFoundError, match="no earlier champion than version 1"):
        registry.rollback(name)
    assert [version.aliases for version in registry.versions(name)] == [(), (), ("champion",)]


def test_what_does_not_exist_names_what_does(registry: Registry, home: Path, tmp_path: Path) -> None:
    record(registry, tmp_path / "b", bundle(target=churn("near")))
    with pytest.raises(ModelNotFoundError, match="did you mean 'near'"):
        registry.promote("near_", "1")
    with pytest.raises(ModelNotFoundError, match=r"no version '9'.*known: '1'"):
        registry.promote("near", "9")
    for call in (registry.rollback, registry.champion, registry.versions):
        with pytest.raises(ModelNotFoundError, match="ebbtide retrain"):
            call("absent")
    assert read_pointer(home, "near") is None
    assert Registry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path).versions() == []
    assert not (tmp_path / "mlflow.db").exists()


def test_a_damaged_bundle_is_neither_recorded_nor_promoted(registry: Registry, home: Path, tmp_path: Path) -> None:
    record(registry, tmp_path / "one", bundle(target=churn("damaged")))
    record(registry, tmp_path / "two", bundle(target=churn("damaged")))
    registry.promote("damaged", "1")
    text = bundle_folder(home, "damaged", "2") / "model.txt"
    text.write_text(text.read_text().replace("leaf_value=-1.0", "leaf_value=-9.0"))
    with pytest.raises(BundleError, match=r"model\.txt is damaged"):
        registry.promote("damaged", "2")
    champion = registry.champion("damaged")
    pointer = read_pointer(home, "damaged")
    assert champion is not None
    assert pointer is not None
    assert (champion.version, pointer.version) == ("1", "1")
    # a sound bundle of other content in its place is not the one that was registered
    place = bundle_folder(home, "damaged", "2")
    place.rename(tmp_path / "away")
    written(place, bundle(prior().estimator, target=churn("damaged"), version="2"))
    with pytest.raises(BundleError, match="as registered"):
        registry.promote("damaged", "2")
    folder = written(tmp_path / "three", bundle(target=churn("damaged")))
    (folder / "model.txt").unlink()
    with pytest.raises(BundleError, match="cannot be read"):
        registry.record("damaged", folder, **EMPTY)  # type: ignore[arg-type]
    with pytest.raises(BundleError, match="expected one of 'churn'"):
        registry.record("churn", tmp_path / "one", **EMPTY)  # type: ignore[arg-type]
    assert len(registry.versions("damaged")) == 2


EMPTY = {"params": {}, "metrics": {}, "figures": {}, "documents": {}, "tags": {}, "input_example": FRAME}


def test_a_bundle_of_features_computed_otherwise_is_not_promoted(registry: Registry, tmp_path: Path) -> None:
    record(registry, tmp_path / "b", bundle(target=churn("older"), fingerprint="0" * 64))
    with pytest.raises(BundleError, match="computes other features"):
        registry.promote("older", "1")


def test_mlflow_loads_the_champion_elsewhere_with_the_same_bits_and_no_pickle(
    registry: Registry, home: Path, tmp_path: Path
) -> None:
    record(registry, tmp_path / "b", bundle(LightGBMModel(model_text=stump(low=-1.1, high=0.7), objective="binary")))
    registry.promote("churn", "1")
    script = (
        "import json, os, sys, warnings\n"
        "import mlflow, pandas as pd, numpy as np\n"
        "model = mlflow.pyfunc.load_model('models:/churn@champion')\n"
        "import training\n"
        "frame = pd.read_json(sys.argv[1], dtype=False).astype('float32')\n"
        "shuffled = frame[list(reversed(frame.columns))]\n"
        "found = [[float(p).hex() for p in model.predict(x)] for x in (frame, shuffled, frame.astype('float64'))]\n"
        "print(json.dumps([found, training.__file__, 'lightgbm' in sys.modules]))\n"
    )
    (tmp_path / "frame.json").write_text(FRAME.to_json(orient="records", double_precision=15))
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlruns/mlflow.db",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "frame.json")],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found, where, imports_lightgbm = json.loads(done.stdout)
    champion = read_champion(home, "churn")
    assert champion is not None
    expected = [float(p).hex() for p in Predictor(champion).probability(FRAME.to_numpy())]
    assert found == [expected] * 3
    assert len(set(expected)) == 2
    assert not imports_lightgbm
    assert Path(where).is_relative_to(home / "mlruns") or Path(where).is_relative_to(ROOT)

    files = [path for path in (home / "mlruns" / "artifacts").rglob("*") if path.is_file()]
    assert {"MLmodel", "bundle.json", "calibration.png", "gate.json"} <= {path.name for path in files}
    for path in files:
        assert path.suffix not in {".pkl", ".pickle", ".joblib", ".cloudpickle", ".npy"}, path
        assert not is_pickle(path.read_bytes()), path


def is_pickle(content: bytes) -> bool:
    """Whether the bytes are one whole pickle of protocol 2 or later (every tool writes such ones)."""
    if content[:1] != b"\x80":
        return False
    try:
        list(pickletools.genops(content))
    except ValueError:
        return False
    return True


def test_two_processes_at_once_record_everything_and_say_nothing(
    registry: Registry, home: Path, twins: list[subprocess.CompletedProcess[str]]
) -> None:
    assert [(twin.returncode, twin.stdout, twin.stderr) for twin in twins] == [(0, "", "")] * 2
    found = [(made.version, made.status) for made in registry.versions("twins")]
    assert found == [("2", "registered"), ("1", "registered")]
    assert [read_bundle(bundle_folder(home, "twins", version)).version for version in ("1", "2")] == ["1", "2"]


def test_a_store_that_is_none_is_refused_with_what_to_mend(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"this is no database" * 100)
    folder = written(tmp_path / "b")
    for uri in (f"sqlite:///{tmp_path}/mlflow.db", f"file://{tmp_path}/runs", "nonsense://x"):
        with pytest.raises(EbbtideError, match=r"cannot be opened.*\[tracking\]"):
            Registry(uri, tmp_path).record("churn", folder, **EMPTY)  # type: ignore[arg-type]


def test_writers_take_turns(tmp_path: Path) -> None:
    with (
        writers_turn(tmp_path),
        pytest.raises(LockedError, match=r"for 0\.1 s"),
        writers_turn(tmp_path, wait_seconds=0.1),
    ):
        pass
    with writers_turn(tmp_path, wait_seconds=0):
        pass


def test_pyfunc_finds_columns_by_name_and_refuses_others() -> None:
    model = PyfuncModel(Predictor(bundle()))
    expected = model.predictor.probability(FRAME.to_numpy())
    assert model.predict(FRAME[[NAMES[2], NAMES[0], NAMES[1]]]).tolist() == expected.tolist()
    assert model.predict(FRAME.to_numpy()).tolist() == expected.tolist()
    assert len(FEATURES) == 3
    with pytest.raises(UsageError, match="1 of 3 features are missing: purchase_count_28d"):
        model.predict(FRAME[[NAMES[0], NAMES[1]]])
    with pytest.raises(UsageError, match=r"1 columns are unknown: purchase_count_29d.*did you mean"):
        model.predict(FRAME.rename(columns={"purchase_count_28d": "purchase_count_29d"}))
    with pytest.raises(UsageError, match="twice"):
        model.predict(FRAME[[*NAMES, NAMES[0]]])
    with pytest.raises(UsageError, match="not numbers"):
        model.predict(FRAME.astype("object").replace(31, "many"))
    with pytest.raises(UsageError, match="parameters"):
        model.predict(FRAME, {"temperature": 1})

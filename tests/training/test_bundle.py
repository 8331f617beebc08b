"""The bundle: what is written comes back, and nothing damaged is ever read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.errors import BundleError, UsageError
from tests.training.bundle_builders import FEATURES, NAMES, bundle, churn, prior, stump, written
from training.bundle import (
    Bands,
    Pointer,
    check_fingerprint,
    check_target_name,
    read_bundle,
    read_champion,
    read_pointer,
    write_bundle,
    write_pointer,
)
from training.bundle_files import canonical_json, sha256
from training.estimator import LightGBMModel, LogisticModel, LogisticTerm


def reseal(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest as somebody would who knows how the seal is made."""
    document = json.loads((folder / "bundle.json").read_bytes())
    document.pop("seal")
    change(document)
    document["seal"] = sha256(canonical_json(document))
    (folder / "bundle.json").write_bytes(canonical_json(document))


def test_everything_comes_back(tmp_path: Path) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    term = LogisticTerm(feature=NAMES[0], transform="log1p", null_value=0.1, mean=1 / 3, scale=2.5, coefficient=1e-17)
    made = bundle(LogisticModel(terms=(term,), intercept=-0.1), version="7", run_id="abc", created=moment)
    checksum = write_bundle(made, tmp_path / "b", extra_files={"reference.parquet": b"PAR1"})
    found = read_bundle(tmp_path / "b")
    assert (found.target, found.features, found.fingerprint) == (churn(), FEATURES, made.fingerprint)
    assert (found.estimator, found.calibrator, found.bands) == (made.estimator, made.calibrator, made.bands)
    assert (found.timezone, found.settle_hours, found.quality) == ("Europe/Berlin", 6, {"auc": 0.75, "rows": 400})
    assert (found.version, found.run_id, found.created) == ("7", "abc", moment)
    assert (found.checksum, found.extra_files) == (checksum, ("reference.parquet",))
    assert found.reference.tolist() == [0.1, 0.2, 0.2, 0.9]
    assert found.feature_names == NAMES


def test_the_model_text_comes_back_byte_for_byte_and_no_file_is_a_pickle(tmp_path: Path) -> None:
    folder = written(tmp_path / "b")
    found = read_bundle(folder).estimator
    assert isinstance(found, LightGBMModel)
    assert found.model_text == stump()
    assert sorted(path.name for path in folder.iterdir()) == ["bundle.json", "model.txt", "reference_scores.f64"]


def test_checksum_ignores_version_run_moment_and_threads_but_nothing_else(tmp_path: Path) -> None:
    def of(name: str, text: str = stump(), **changes: object) -> str:
        made = bundle(LightGBMModel(model_text=text, objective="binary"), **changes)
        return read_bundle(written(tmp_path / name, made)).checksum

    first = of("a")
    stamped = of("b", stump(threads=8), version="2", run_id="x", created=datetime(2026, 1, 1, tzinfo=UTC))
    assert stamped == first
    assert of("c", stump(high=2.5)) != first
    assert of("d", reference=np.array([0.1, 0.2, 0.2, 0.8])) != first
    assert of("e", settle_hours=7) != first
    assert of("f", quality={"auc": 0.7501, "rows": 400}) != first


@pytest.mark.parametrize("name", ["bundle.json", "model.txt", "reference_scores.f64", "reference.parquet"])
def test_a_missing_or_truncated_or_changed_or_linked_file_is_refused(tmp_path: Path, name: str) -> None:
    whole = written(tmp_path / "whole", extra={"reference.parquet": b"PAR1 and more"})

    def damaged(kind: str) -> Path:
        folder = tmp_path / kind
        shutil.copytree(whole, folder)
        return folder

    missing = damaged("missing")
    (missing / name).unlink()
    truncated = damaged("truncated")
    (truncated / name).write_bytes((whole / name).read_bytes()[:-1])
    changed = damaged("changed")
    content = bytearray((whole / name).read_bytes())
    content[len(content) // 2] ^= 1
    (changed / name).write_bytes(content)
    linked = damaged("linked")
    (linked / name).unlink()
    (linked / name).symlink_to(whole / name)
    folder_instead = damaged("folder")
    (folder_instead / name).unlink()
    (folder_instead / name).mkdir()
    read_bundle(whole)
    for folder in (missing, changed, linked, folder_instead):
        with pytest.raises(BundleError, match="To mend it"):
            read_bundle(folder)
    if name != "bundle.json":  # cutting its last byte only removes the newline
        with pytest.raises(BundleError, match="damaged or was changed"):
            read_bundle(truncated)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format_version": 1}'])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    folder = written(tmp_path / "b")
    (folder / "bundle.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"bundle\.json|format"):
        read_bundle(folder)


@pytest.mark.parametrize("version", [0, 2, "1", None, True])
def test_another_format_is_refused_with_what_to_do(tmp_path: Path, version: object) -> None:
    folder = written(tmp_path / "b")
    reseal(folder, lambda document: document.update(format_version=version))
    with pytest.raises(BundleError, match=r"expected format 1.*the version of Ebbtide that wrote it"):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["../model.txt", "/etc/hostname", "sub/model.txt", "..", "", "bundle.json", ".hidden"])
def test_a_path_in_the_file_list_is_refused_even_under_a_good_seal(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path / "b")
    reseal(folder, lambda document: document["files"].update({name: "0" * 64}))
    with pytest.raises(BundleError, match="plain file name"):
        read_bundle(folder)


@pytest.mark.parametrize("field", ["target", "features", "estimator", "calibrator", "bands", "feature_names"])
def test_a_manifest_that_lacks_a_part_is_refused_even_under_a_good_seal(tmp_path: Path, field: str) -> None:
    for number, value in enumerate((None, {}, [], 3)):
        folder = written(tmp_path / str(number))
        reseal(folder, lambda document, value=value: document["content"].update({field: value}))  # type: ignore[misc]
        with pytest.raises(BundleError):
            read_bundle(folder)


def test_a_stated_checksum_is_not_believed(tmp_path: Path) -> None:
    folder = written(tmp_path / "b")
    reseal(folder, lambda document: document.update(checksum="0" * 64))
    with pytest.raises(BundleError, match="checksum"):
        read_bundle(folder)


def test_swapped_model_files_under_a_good_seal_do_not_fit(tmp_path: Path) -> None:
    wrong = stump().replace(" ".join(NAMES), " ".join(reversed(NAMES)))
    with pytest.raises(BundleError, match="another order"):
        write_bundle(bundle(LightGBMModel(model_text=wrong, objective="binary")), tmp_path / "b")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reference": np.array([])}, "0 reference scores"),
        ({"reference": np.array([0.1, np.nan])}, "no number"),
        ({"bands": Bands(medium=0.8, high=0.3)}, "below"),
        ({"bands": Bands(medium=0.8, high=float("nan"))}, "below"),
        ({"quality": {"auc": float("nan")}}, "not JSON"),
        ({"features": ()}, "no features"),
        ({"features": (*FEATURES, FEATURES[0])}, "two of one name"),
    ],
)
def test_an_unsound_bundle_is_not_written(tmp_path: Path, change: dict[str, object], words: str) -> None:
    with pytest.raises(BundleError, match=words):
        write_bundle(replace(prior(), **change), tmp_path / "b")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_breaks_off_leaves_nothing_and_an_existing_folder_is_kept(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="absent"):
        write_bundle(prior(), tmp_path / "b", extra_files={"reference.parquet": tmp_path / "absent"})
    assert list(tmp_path.iterdir()) == []
    folder = written(tmp_path / "b", prior(0.1))
    with pytest.raises(BundleError, match="cannot be written"):
        write_bundle(prior(0.2), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert read_bundle(folder).estimator == prior(0.1).estimator


@pytest.mark.parametrize("name", ["bundle.json", "../x", "a/b", "model.txt", "reference_scores.f64"])
def test_extra_files_have_plain_names_of_their_own(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError):
        write_bundle(bundle(), tmp_path / "b", extra_files={name: b"x"})


def test_a_bundle_of_other_features_may_not_score() -> None:
    made = prior()
    check_fingerprint(made, made.fingerprint)
    with pytest.raises(BundleError, match="retrain"):
        check_fingerprint(made, "0" * 64)


def test_pointer_comes_back_and_is_replaced_whole(tmp_path: Path) -> None:
    assert read_pointer(tmp_path, "churn") is None
    one = Pointer(target="churn", version="1", bundle="bundles/churn/1", checksum="aa")
    write_pointer(tmp_path, one)
    write_pointer(tmp_path, replace(one, version="2", bundle="bundles/churn/2"))
    found = read_pointer(tmp_path, "churn")
    assert found == replace(one, version="2", bundle="bundles/churn/2")
    assert found.folder(tmp_path) == tmp_path / "bundles/churn/2"
    assert [path.name for path in (tmp_path / "champions").iterdir()] == ["churn.json"]


@pytest.mark.parametrize("name", ["", "Churn", "../x", "a/b", "-a", "é", "a b", "a" * 65, "churn\n"])
def test_target_names_that_are_no_file_names_are_refused(tmp_path: Path, name: str) -> None:
    for call in (check_target_name, lambda given: read_pointer(tmp_path, given)):
        with pytest.raises(UsageError, match="target name"):
            call(name)


@pytest.mark.parametrize(
    "change",
    [
        {"bundle": "../elsewhere"},
        {"bundle": "/etc"},
        {"bundle": "bundles/../../x"},
        {"bundle": 3},
        {"target": "value"},
        {"version": "../1"},
        {"version": None},
        {"surplus": "x"},
    ],
)
def test_a_pointer_that_leads_elsewhere_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    good = {"target": "churn", "version": "1", "bundle": "bundles/churn/1", "checksum": "aa"}
    path = tmp_path / "champions" / "churn.json"
    path.parent.mkdir()
    path.write_text(json.dumps(good))
    assert read_pointer(tmp_path, "churn") is not None
    path.write_text(json.dumps(good | change))
    with pytest.raises(BundleError, match="promote"):
        read_pointer(tmp_path, "churn")
    path.write_text("{")
    with pytest.raises(BundleError, match="promote"):
        read_pointer(tmp_path, "churn")


def test_the_champion_is_the_bundle_that_was_promoted(tmp_path: Path) -> None:
    assert read_champion(tmp_path, "churn") is None
    made = replace(prior(), version="1")
    checksum = write_bundle(made, tmp_path / "bundles/churn/1")
    pointer = Pointer(target="churn", version="1", bundle="bundles/churn/1", checksum=checksum)
    write_pointer(tmp_path, pointer)
    found = read_champion(tmp_path, "churn")
    assert found is not None
    assert found.version == "1"
    write_pointer(tmp_path, replace(pointer, checksum="bb"))
    with pytest.raises(BundleError, match="checksum"):
        read_champion(tmp_path, "churn")

"""The bundle: everything that turns feature values into a score, as numbers and text in one checked folder.

``bundle.json`` (canonical JSON), ``model.txt`` if LightGBM is the champion, ``reference_scores.f64`` (little-endian
float64, ascending) and whatever extra files the caller adds. No pickle anywhere; reading needs NumPy only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.definition import Feature, feature_from_dict
from features.errors import BundleError, UsageError
from training.bands import Bands
from training.bundle_files import (
    FORMAT_VERSION,
    MANIFEST,
    MODEL_TEXT,
    REFERENCE_SCORES,
    canonical_json,
    check_file_name,
    identity_of,
    new_folder,
    read_extra,
    read_files,
    read_manifest,
    sha256,
)
from training.estimator import Calibrator, Estimator, LightGBMModel
from training.estimator_json import (
    calibrator_from_dict,
    calibrator_to_dict,
    estimator_from_dict,
    estimator_to_dict,
)
from training.labels import Target, target_from_dict
from training.pointer import Pointer, bundle_folder, check_target_name, read_pointer, write_pointer

__all__ = [
    "Bands",
    "Bundle",
    "Pointer",
    "bundle_folder",
    "check_fingerprint",
    "check_target_name",
    "read_bundle",
    "read_champion",
    "read_pointer",
    "write_bundle",
    "write_pointer",
]

_FEATURE_DTYPE: Final = "float32"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """What serving loads for one target.

    Parameters
    ----------
    target : Target
        What is predicted, for whom.
    features : tuple of Feature
        The columns of the feature matrix, in order.
    fingerprint : str
        Fingerprint of the plan compiled from them; values of another fingerprint must not be scored.
    timezone : str
        IANA name of the project's time zone.
    settle_hours : float
        How long after a cutoff a training row still accepted events.
    estimator : Estimator
        Raw scores from features.
    calibrator : Calibrator
        Probabilities (or amounts) from raw scores.
    bands : Bands
        Thresholds of the bands.
    reference : float64 array [m]
        Scores of the test cutoff's eligible customers by the version fitted before it; stored in ascending order.
    quality : mapping
        The quality report, as JSON values.
    version, run_id : str or None
        Registered version and MLflow run; ``None`` before registration.
    created : datetime or None
        When it was registered, aware.
    checksum : str
        Identity of the content, the same for two equal trainings; empty before it was written.
    extra_files : tuple of str
        Names of further checked files in the folder.
    """

    target: Target
    features: tuple[Feature, ...]
    fingerprint: str
    timezone: str
    settle_hours: float
    estimator: Estimator
    calibrator: Calibrator
    bands: Bands
    reference: NDArray[np.float64]
    quality: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None
    run_id: str | None = None
    created: datetime | None = None
    checksum: str = ""
    extra_files: tuple[str, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(feature.name for feature in self.features)


def write_bundle(bundle: Bundle, folder: Path, *, extra_files: Mapping[str, bytes | Path] | None = None) -> str:
    """Write a bundle into a new folder, whole or not at all.

    Parameters
    ----------
    bundle : Bundle
        Its ``checksum`` and ``extra_files`` are not used: they follow from what is written.
    folder : Path
        Must not exist.
    extra_files : mapping of str to bytes or Path, optional
        Further files by name, such as ``reference.parquet``.

    Returns
    -------
    str
        The checksum.

    Raises
    ------
    BundleError
        If the content is not sound, or the folder exists or cannot be written.
    """
    _check_sound(bundle)
    files = {REFERENCE_SCORES: np.sort(bundle.reference).astype("<f8").tobytes()}
    if isinstance(bundle.estimator, LightGBMModel):
        files[MODEL_TEXT] = bundle.estimator.model_text.encode()
    for name, extra in (extra_files or {}).items():
        if check_file_name(name) in files:
            raise BundleError(f"an extra file is named {name!r}", expected="a name that the bundle does not use")
        files[name] = extra if isinstance(extra, bytes) else read_extra(extra)
    content = _content(bundle)
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "content": content,
        "files": {name: sha256(data) for name, data in files.items()},
        "checksum": _checksum(content, {name: identity_of(name, data) for name, data in files.items()}),
        "stamp": {
            "version": bundle.version,
            "run_id": bundle.run_id,
            "created": bundle.created.isoformat() if bundle.created else None,
        },
    }
    document["seal"] = sha256(canonical_json(document))
    with new_folder(folder) as temporary:
        for name, data in files.items():
            (temporary / name).write_bytes(data)
        (temporary / MANIFEST).write_bytes(canonical_json(document) + b"\n")
    return str(document["checksum"])


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle, checking every file of it.

    Raises
    ------
    BundleError
        If anything is missing, truncated, changed, linked from elsewhere, of another format, or does not fit together.
    """
    document = read_manifest(folder)
    try:
        content, sums, stamp = document["content"], document["files"], document["stamp"]
        kept, identities = read_files(folder, sums, keep=frozenset((MODEL_TEXT, REFERENCE_SCORES)))
        estimator = dict(content["estimator"])
        if estimator["kind"] == "lightgbm":
            estimator["model_text"] = kept[MODEL_TEXT].decode()
        bundle = Bundle(
            target=target_from_dict(content["target"]),
            features=tuple(feature_from_dict(record) for record in content["features"]),
            fingerprint=str(content["fingerprint"]),
            timezone=str(content["timezone"]),
            settle_hours=content["settle_hours"],
            estimator=estimator_from_dict(estimator),
            calibrator=calibrator_from_dict(content["calibrator"]),
            bands=Bands(**content["bands"]),
            reference=np.frombuffer(kept[REFERENCE_SCORES], dtype="<f8").astype(np.float64, copy=False),
            quality=content["quality"],
            version=stamp["version"],
            run_id=stamp["run_id"],
            created=datetime.fromisoformat(stamp["created"]) if stamp["created"] else None,
            checksum=document["checksum"],
            extra_files=tuple(sorted(set(sums) - {MODEL_TEXT, REFERENCE_SCORES})),
        )
    except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
        raise _unfit(f"{folder / MANIFEST} lacks or misspells {error}") from error
    if canonical_json(_content(bundle)) != canonical_json(content):
        raise _unfit(f"{folder / MANIFEST} does not say the same as its parts do when they are read")
    if bundle.checksum != _checksum(content, identities):
        raise _unfit(f"{folder / MANIFEST} states a checksum that is not that of its content")
    _check_sound(bundle)
    return bundle


def read_champion(home: Path, target: str) -> Bundle | None:
    """Read the bundle that a target's pointer names; ``None`` if there is no champion yet.

    Raises
    ------
    BundleError
        If the pointer or the bundle is damaged, or the bundle is not the one that was promoted.
    """
    pointer = read_pointer(home, target)
    if pointer is None:
        return None
    bundle = read_bundle(pointer.folder(home))
    found = (bundle.target.name, bundle.version, bundle.checksum)
    if found != (pointer.target, pointer.version, pointer.checksum):
        raise BundleError(
            f"{pointer.folder(home)} holds {found[0]} version {found[1]} with checksum {found[2][:12]}…",
            expected=f"{pointer.target} version {pointer.version} with checksum {pointer.checksum[:12]}…",
            remedy="promote a version again with `ebbtide models promote`",
        )
    return bundle


def check_fingerprint(bundle: Bundle, found: str) -> None:
    """Make sure that feature values of a plan may be scored by a bundle.

    Parameters
    ----------
    bundle : Bundle
        What would score them.
    found : str
        ``compile_plan(bundle.features, timezone=bundle.timezone).fingerprint`` of this installation.

    Raises
    ------
    BundleError
        If the same features have other values here than where the bundle was trained.
    """
    if found != bundle.fingerprint:
        raise BundleError(
            f"this version of Ebbtide computes other features (fingerprint {found[:12]}…)",
            expected=f"{bundle.fingerprint[:12]}…, with which {bundle.target.name} was trained",
            remedy="train again with `ebbtide retrain`, or use the version of Ebbtide that wrote the bundle",
        )


def _content(bundle: Bundle) -> dict[str, Any]:
    estimator = estimator_to_dict(bundle.estimator)
    if isinstance(bundle.estimator, LightGBMModel):
        del estimator["model_text"]  # a file of its own
    return {
        "target": bundle.target.to_dict(),
        "features": [feature.to_dict() for feature in bundle.features],
        "feature_names": list(bundle.feature_names),
        "feature_dtype": _FEATURE_DTYPE,
        "fingerprint": bundle.fingerprint,
        "timezone": bundle.timezone,
        "settle_hours": bundle.settle_hours,
        "estimator": estimator,
        "calibrator": calibrator_to_dict(bundle.calibrator),
        "bands": {"medium": bundle.bands.medium, "high": bundle.bands.high},
        "quality": bundle.quality,
    }


def _checksum(content: Mapping[str, Any], identities: Mapping[str, str]) -> str:
    return sha256(canonical_json({"format_version": FORMAT_VERSION, "content": content, "files": identities}))


def _check_sound(bundle: Bundle) -> None:
    check_target_name(bundle.target.name)
    if len(set(bundle.feature_names)) != len(bundle.feature_names) or not bundle.features:
        raise _unfit("the bundle has no features, or two of one name")
    if not isinstance(bundle.settle_hours, int | float) or not 0 <= bundle.settle_hours < float("inf"):
        raise _unfit(f"the bundle was trained with settle_hours = {bundle.settle_hours!r}")
    if bundle.reference.ndim != 1 or not len(bundle.reference) or not np.isfinite(bundle.reference).all():
        raise _unfit(f"the bundle has {bundle.reference.size} reference scores, or one that is no number")
    if not bundle.bands.medium <= bundle.bands.high:
        raise _unfit(f"the band `high` begins at {bundle.bands.high}, below `medium` at {bundle.bands.medium}")
    if isinstance(bundle.estimator, LightGBMModel):
        line = next((x for x in bundle.estimator.model_text.split("\n", 20) if x.startswith("feature_names=")), "")
        names = tuple(line.removeprefix("feature_names=").split(" "))
        if names not in (bundle.feature_names, tuple(f"Column_{i}" for i in range(len(bundle.features)))):
            raise _unfit(f"the LightGBM model was fitted on {len(names)} other features or in another order")


def _unfit(found: str) -> BundleError:
    return BundleError(found, expected="a bundle whose parts fit together", remedy="train again with `ebbtide retrain`")

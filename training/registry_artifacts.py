"""What the registry keeps of a version: the run's files, and a checked copy of its bundle in the home."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import BundleError
from features.plan import compile_plan
from training.bundle import Bundle, Pointer, bundle_folder, check_fingerprint, read_bundle, write_bundle
from training.bundle_files import check_file_name
from training.model_version import ModelVersion

__all__ = ["checked_pointer", "keep_bundle", "log_run"]


def log_run(
    client: Any,  # noqa: ANN401 (mlflow has no types)
    run_id: str,
    *,
    params: Mapping[str, object],
    metrics: Mapping[str, float],
    figures: Mapping[str, bytes],
    documents: Mapping[str, str],
) -> None:
    """Log a run through an ``mlflow.MlflowClient``; metrics that are not finite are left out."""
    for key, value in params.items():
        client.log_param(run_id, key, value)
    for key, number in metrics.items():
        if math.isfinite(number):
            client.log_metric(run_id, key, number)
    texts = {name: text.encode() for name, text in documents.items()}
    with tempfile.TemporaryDirectory() as temporary:
        for kind, files in (("figures", figures), ("documents", texts)):
            for name, content in files.items():
                path = Path(temporary) / kind / check_file_name(name)
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
        client.log_artifacts(run_id, temporary)


def keep_bundle(home: Path, bundle: Bundle, folder: Path, *, version: str, run_id: str, created: datetime) -> None:
    """Copy a bundle to its version's folder in the home, stamped with version, run and moment.

    Raises
    ------
    BundleError
        If the copy is not the same content.
    """
    place = bundle_folder(home, bundle.target.name, version)
    stamped = replace(bundle, version=version, run_id=run_id, created=created)
    write_bundle(stamped, place, extra_files={name: folder / name for name in bundle.extra_files})
    found = read_bundle(place).checksum
    if found != bundle.checksum:
        raise BundleError(f"the copy in {place} has checksum {found[:12]}…", expected=f"{bundle.checksum[:12]}…")


def checked_pointer(home: Path, chosen: ModelVersion) -> Pointer:
    """Pointer to a registered version, after reading its whole bundle.

    Raises
    ------
    BundleError
        If the bundle is damaged, is not the one that was registered, or needs features computed otherwise.
    """
    place = bundle_folder(home, chosen.target, chosen.version)
    bundle = read_bundle(place)
    check_fingerprint(bundle, compile_plan(bundle.features, timezone=bundle.timezone).fingerprint)
    if (bundle.target.name, bundle.version, bundle.checksum) != (chosen.target, chosen.version, chosen.checksum):
        raise BundleError(
            f"{place} holds {bundle.target.name} version {bundle.version} with checksum {bundle.checksum[:12]}…",
            expected=f"{chosen.target} version {chosen.version} with checksum {chosen.checksum[:12]}…, as registered",
            remedy="restore the folder from a backup or promote another version",
        )
    where = place.relative_to(home).as_posix()
    return Pointer(target=chosen.target, version=chosen.version, bundle=where, checksum=bundle.checksum)

"""``ebbtide models``: list, promote, roll back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from training.registry import Registry

if TYPE_CHECKING:
    from pipelines.workspace import Workspace
    from training.model_version import ModelVersion

__all__ = ["ModelList", "list_models", "promote", "registry", "rollback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelList:
    """Registered versions, by target, newest first."""

    versions: tuple[ModelVersion, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"models": [_record(version) for version in self.versions]}


def registry(workspace: Workspace) -> Registry:
    """The registry of a project."""
    return Registry(workspace.tracking_uri, workspace.home)


def list_models(workspace: Workspace, target: str | None = None) -> ModelList:
    """Registered versions of a target, or of all.

    Raises
    ------
    ModelNotFoundError
        If the target has none.
    """
    return ModelList(versions=tuple(registry(workspace).versions(target)))


def promote(workspace: Workspace, target: str, version: str) -> ModelVersion:
    """Make a version the champion.

    Raises
    ------
    ModelNotFoundError, BundleError
    """
    return registry(workspace).promote(target, version)


def rollback(workspace: Workspace, target: str) -> ModelVersion:
    """Return to the champion before.

    Raises
    ------
    ModelNotFoundError, BundleError
    """
    return registry(workspace).rollback(target)


def _record(version: ModelVersion) -> Mapping[str, Any]:
    return {
        "target": version.target,
        "version": version.version,
        "aliases": list(version.aliases),
        "status": version.status,
        "created": version.created.isoformat(),
        "checksum": version.checksum,
        "run_id": version.run_id,
        "metrics": dict(version.metrics),
    }

"""What the model registry says about a version, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from features.clock import from_us
from features.errors import ModelNotFoundError, did_you_mean

__all__ = [
    "CHECKSUM_TAG",
    "INCOMPLETE",
    "STATUS_TAG",
    "ModelVersion",
    "RegisteredVersion",
    "find_version",
    "known_target",
    "version_from",
]

STATUS_TAG: Final = "ebbtide.status"
CHECKSUM_TAG: Final = "ebbtide.checksum"
INCOMPLETE: Final = "incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredVersion:
    """A version that was just recorded; ``run_id`` is MLflow's, ``checksum`` the bundle's."""

    target: str
    version: str
    run_id: str
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One registered version.

    Parameters
    ----------
    target, version, run_id, checksum : str
        Which one; ``version`` is a whole number as text.
    aliases : tuple of str
        ``champion``, ``challenger``, both or none.
    created : datetime
        When it was registered, UTC.
    metrics : mapping of str to float
        Of its run.
    status : str
        What the caller of ``Registry.record`` said of it, or ``incomplete`` if recording was interrupted.
    """

    target: str
    version: str
    run_id: str
    checksum: str
    aliases: tuple[str, ...]
    created: datetime
    metrics: Mapping[str, float]
    status: str


def version_from(
    made: Any,  # noqa: ANN401 (mlflow has no types)
    *,
    metrics: Mapping[str, float],
    aliases: Mapping[str, str],
) -> ModelVersion:
    """Read an ``mlflow`` model version; ``aliases`` maps each alias of its model to a version."""
    version = str(made.version)
    return ModelVersion(
        target=str(made.name),
        version=version,
        run_id=str(made.run_id),
        checksum=made.tags.get(CHECKSUM_TAG, ""),
        aliases=tuple(sorted(alias for alias, to in aliases.items() if to == version)),
        created=from_us(made.creation_timestamp * 1000),
        metrics=dict(metrics),
        status=made.tags.get(STATUS_TAG, INCOMPLETE),
    )


def find_version(versions: Sequence[ModelVersion], target: str, version: str) -> ModelVersion:
    """Pick one of a target's versions.

    Raises
    ------
    ModelNotFoundError
        If it is not there; the message lists what is.
    """
    for candidate in versions:
        if candidate.version == str(version):
            return candidate
    raise ModelNotFoundError(
        f"{target} has no version {str(version)!r}; "
        + did_you_mean(str(version), [candidate.version for candidate in versions]),
        remedy="see `ebbtide models list`",
    )


def known_target(names: Sequence[str], target: str) -> str:
    """Give the target back if a model of it was registered.

    Raises
    ------
    ModelNotFoundError
        If not; the message lists the close ones.
    """
    if target not in names:
        raise ModelNotFoundError(
            f"no model of {target!r} was registered; {did_you_mean(target, names)}",
            remedy="train one with `ebbtide retrain`",
        )
    return target

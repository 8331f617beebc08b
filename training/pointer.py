"""Which bundle answers for a target now: one small file, replaced in one step, that every worker follows."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from features.errors import BundleError, UsageError
from training.bundle_files import canonical_json, replace_file

__all__ = ["Pointer", "bundle_folder", "check_target_name", "pointer_path", "read_pointer", "write_pointer"]

_TARGET_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_VERSION: Final = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """The champion of a target.

    Parameters
    ----------
    target, version : str
        Registered name and version (a whole number as text).
    bundle : str
        Folder of the bundle relative to the project's home, with ``/`` between its parts.
    checksum : str
        The bundle's checksum; another one there means that somebody changed it.
    """

    target: str
    version: str
    bundle: str
    checksum: str

    def folder(self, home: Path) -> Path:
        """Where the bundle lies."""
        return home / self.bundle


def check_target_name(name: str) -> str:
    """Give the name back if it can stand in a file name and a registry.

    Raises
    ------
    UsageError
        If it cannot.

    Examples
    --------
    >>> check_target_name("win-back_90")
    'win-back_90'
    """
    if not _TARGET_NAME.fullmatch(name):
        raise UsageError(
            f"the target name {name!r} cannot be a file name",
            expected="1 to 64 of a-z, 0-9, _ and -, a letter or digit first",
            remedy="rename the target in ebbtide.toml",
        )
    return name


def bundle_folder(home: Path, target: str, version: str) -> Path:
    """Where a registered version's bundle lies.

    Examples
    --------
    >>> bundle_folder(Path("home"), "churn", "3").as_posix()
    'home/bundles/churn/3'
    """
    return home / "bundles" / check_target_name(target) / version


def pointer_path(home: Path, target: str) -> Path:
    """Where a target's pointer lies, whether it exists or not."""
    return home / "champions" / f"{check_target_name(target)}.json"


def read_pointer(home: Path, target: str) -> Pointer | None:
    """Read who the champion is, or ``None`` if there is none yet.

    Raises
    ------
    BundleError
        If the file is damaged, is about another target, or points outside the home.
    """
    path = pointer_path(home, target)
    try:
        document = json.loads(path.read_bytes())
        pointer = Pointer(**document)
        texts = all(isinstance(value, str) for value in document.values())
        parts = PurePosixPath(pointer.bundle).parts if texts else ()
        version_ok = texts and _VERSION.fullmatch(pointer.version) is not None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise _unreadable(path, str(error)) from error
    if not version_ok or pointer.target != target:
        raise _unreadable(path, "it names another target or no version")
    if parts[:1] != ("bundles",) or ".." in parts:
        raise _unreadable(path, f"it points to {pointer.bundle!r}, outside the home's bundles/")
    return pointer


def write_pointer(home: Path, pointer: Pointer) -> None:
    """Replace a target's pointer in one step.

    Raises
    ------
    UsageError
        If the target's name cannot be a file name.
    """
    replace_file(pointer_path(home, pointer.target), canonical_json(asdict(pointer)) + b"\n")


def _unreadable(path: Path, reason: str) -> BundleError:
    return BundleError(
        f"the champion pointer {path} cannot be read: {reason}",
        expected="what `ebbtide models promote` writes",
        remedy="write it again with `ebbtide models promote`",
    )

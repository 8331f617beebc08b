"""The files of a bundle: written whole or not at all, and never read without checking every byte.

Two sums protect a bundle. The *seal* covers everything, so that any change shows. The *checksum* is the model's
identity: it leaves out what differs between two equal trainings (version, run, moment, LightGBM's thread count).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from features.durable import replacing, sync
from features.errors import BundleError

__all__ = [
    "FORMAT_VERSION",
    "MANIFEST",
    "MODEL_TEXT",
    "REFERENCE_SCORES",
    "canonical_json",
    "check_file_name",
    "identity_of",
    "new_folder",
    "read_extra",
    "read_files",
    "read_manifest",
    "replace_file",
    "sha256",
]

FORMAT_VERSION: Final = 1
MANIFEST: Final = "bundle.json"
MODEL_TEXT: Final = "model.txt"
REFERENCE_SCORES: Final = "reference_scores.f64"

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_THREADS: Final = re.compile(rb"^\[num_threads: [^\]\n]*\]\n", re.MULTILINE)
_REMEDY: Final = (
    "restore the folder from a backup, go back to another version with `ebbtide models rollback`, or train again with "
    "`ebbtide retrain`"
)


def canonical_json(document: object) -> bytes:
    """One spelling for one content: sorted keys, no spaces, shortest floats that read back the same.

    Raises
    ------
    BundleError
        If there is a value that JSON has not, such as NaN.

    Examples
    --------
    >>> canonical_json({"b": 0.1, "a": [1, None]})
    b'{"a":[1,null],"b":0.1}'
    """
    try:
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BundleError(f"the bundle's content is not JSON ({error})", expected="finite numbers and text") from error
    return text.encode()


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def identity_of(name: str, content: bytes) -> str:
    r"""Sum of a file's content without LightGBM's record of how many threads trained it.

    Examples
    --------
    >>> one, two = b"tree\n[num_threads: 1]\n[seed: 1]\n", b"tree\n[num_threads: 8]\n[seed: 1]\n"
    >>> identity_of("model.txt", one) == identity_of("model.txt", two)
    True
    """
    return sha256(_THREADS.sub(b"", content) if name == MODEL_TEXT else content)


def check_file_name(name: str) -> str:
    """Give the name back if it is a plain file name that may stand in a bundle.

    Raises
    ------
    BundleError
        If it is a path, hidden, reserved or not plain ASCII.
    """
    if not _FILE_NAME.fullmatch(name) or name == MANIFEST:
        raise BundleError(
            f"the bundle lists a file named {name!r}", expected="a plain file name inside the bundle", remedy=_REMEDY
        )
    return name


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Fill a temporary neighbour of ``folder``, then put it in its place in one step.

    After a crash the folder is either whole or not there; what was begun stands beside it under a hidden name.

    Raises
    ------
    BundleError
        If the folder already exists or cannot be written.
    """
    temporary = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.partial"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        try:
            yield temporary
            for path in sorted(temporary.iterdir()):
                sync(path)
            sync(temporary)
            temporary.rename(folder)
            sync(folder.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise BundleError(
            f"{folder} cannot be written ({error.strerror or error})",
            expected="a new folder on a writable disk with space left",
            remedy="remove what stands there or choose another folder",
        ) from error


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in place of another in one step: a reader sees the old one or the new one, whole."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read ``bundle.json`` and check its seal.

    Raises
    ------
    BundleError
        If it is missing, not JSON, of another format, or changed since it was written.
    """
    content = _read(folder, MANIFEST)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(
            f"{folder / MANIFEST} is not JSON ({type(error).__name__})", expected="a bundle's manifest", remedy=_REMEDY
        ) from error
    if not isinstance(document, dict):
        raise BundleError(f"{folder / MANIFEST} holds no object", expected="a bundle's manifest", remedy=_REMEDY)
    version = document.get("format_version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise BundleError(
            f"{folder} is a bundle of format {version!r}",
            expected=f"format {FORMAT_VERSION}",
            remedy="use the version of Ebbtide that wrote it, or train again with `ebbtide retrain`",
        )
    seal = document.pop("seal", None)
    if seal != sha256(canonical_json(document)):
        raise BundleError(
            f"{folder / MANIFEST} was changed after it was written", expected=f"the seal {seal!r}", remedy=_REMEDY
        )
    return document


def read_files(
    folder: Path, sums: Mapping[str, str], *, keep: frozenset[str]
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Check every file of a bundle against its sum.

    Returns
    -------
    kept : dict of str to bytes
        Content of the files named in ``keep``.
    identities : dict of str to str
        :func:`identity_of` every file.

    Raises
    ------
    BundleError
        If a file is missing, no plain file, or has other bytes than its sum says.
    """
    kept, identities = {}, {}
    for name, expected in sorted(sums.items()):
        content = _read(folder, check_file_name(name))
        found = sha256(content)
        if found != expected:
            raise BundleError(
                f"{folder / name} is damaged or was changed: {len(content)} bytes with sum {found[:12]}…",
                expected=f"sum {str(expected)[:12]}…",
                remedy=_REMEDY,
            )
        identities[name] = identity_of(name, content)
        if name in keep:
            kept[name] = content
    return kept, identities


def read_extra(path: Path) -> bytes:
    """Content of a file that is to become part of a bundle.

    Raises
    ------
    BundleError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"the extra file {path} cannot be read ({error.strerror})") from error


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor, opened without following links)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise BundleError(f"{path} is no plain file", expected="a plain file", remedy=_REMEDY)
            return file.read()
    except OSError as error:
        what = "is a link" if path.is_symlink() else f"cannot be read ({error.strerror})"
        raise BundleError(f"{path} {what}", expected="a plain, readable file", remedy=_REMEDY) from error

"""The manifest: the one small file that says which files are the event log, replaced atomically."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from features.durable import sync
from features.errors import StateError
from features.event_log_format_1 import fields_by_segment
from features.events import TRAIT_COLUMNS

__all__ = [
    "FORMAT",
    "BlockEntry",
    "Manifest",
    "QuarantineEntry",
    "SegmentEntry",
    "SegmentStats",
    "TypeStats",
    "read_manifest",
    "write_manifest",
]

FORMAT: Final = 2
_READABLE: Final = (1, FORMAT)
_NAME: Final = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeStats:
    """Rows of one event type, and what they carry.

    Parameters
    ----------
    rows : int
        How many.
    fields : tuple of str
        Those of :data:`features.events.TRAIT_COLUMNS` that any of the rows has, in that order. A manifest of format 1
        knew of ``amount``, ``discount`` and ``order_id`` only.
    values : dict of str to dict of str to int
        Rows by value of each of :data:`features.events.VALUE_COLUMNS`: per segment the most frequent, short values.
        A manifest of format 1 knew of none.
    """

    rows: int
    fields: tuple[str, ...] = ()
    values: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentStats:
    """What the rows of a segment that are still the truth add up to (times in epoch microseconds)."""

    rows: int
    buckets: tuple[int, ...]
    types: dict[str, TypeStats]
    first_us: int | None
    last_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEntry:
    """One immutable Parquet file of the log: the new rows of one load of one block.

    ``oldest_us`` and ``newest_us`` span all stored rows, corrected ones included; ``dates_only`` says that the load's
    times were dates without times of day.
    """

    file: str
    load: int
    block: str
    stored_rows: int
    oldest_us: int
    newest_us: int
    dates_only: bool
    stats: SegmentStats


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineEntry:
    """One file of quarantined rows, counted by each row's first reason."""

    file: str
    block: str
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEntry:
    """How a block was read; rows whose identity is their content cannot be read another way later."""

    expressions: dict[str, str]
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything a reader needs to know; ``version`` grows by one with every publish."""

    format: int = FORMAT
    version: int = 0
    customers: int = 0
    corrections: int = 0
    segments: tuple[SegmentEntry, ...] = ()
    superseded: tuple[str, ...] = ()
    quarantine: tuple[QuarantineEntry, ...] = ()
    blocks: dict[str, BlockEntry] = field(default_factory=dict)

    def files(self) -> frozenset[str]:
        """Names of all files it refers to."""
        return frozenset(
            (*(s.file for s in self.segments), *self.superseded, *(entry.file for entry in self.quarantine))
        )

    def quarantined(self) -> dict[str, int]:
        """Rows in quarantine by reason."""
        counts: Counter[str] = Counter()
        for entry in self.quarantine:
            counts.update(entry.reasons)
        return dict(sorted(counts.items()))

    def types(self) -> dict[str, TypeStats]:
        """Sum of the segments' counts by event type."""
        parts: dict[str, list[TypeStats]] = {}
        for segment in self.segments:
            for name, stats in segment.stats.types.items():
                parts.setdefault(name, []).append(stats)
        return {name: _sum(of) for name, of in sorted(parts.items())}


def _sum(parts: Sequence[TypeStats]) -> TypeStats:
    """Stats of one event type over segments."""
    fields = {name for part in parts for name in part.fields}
    values: dict[str, Counter[str]] = {}
    for part in parts:
        for name, counts in part.values.items():
            values.setdefault(name, Counter()).update(counts)
    return TypeStats(
        rows=sum(part.rows for part in parts),
        fields=tuple(name for name in TRAIT_COLUMNS if name in fields),
        values={name: dict(counts) for name, counts in values.items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What every format of the manifest has."""

    format: int


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a log folder; a folder without one is an empty log.

    Raises
    ------
    StateError
        If the file is damaged or of a format this version cannot read.
    """
    path = folder / _NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise StateError(
            f"the event log in {folder} cannot be read: {error.strerror}", expected="a folder that may be read"
        ) from error
    try:
        found = msgspec.json.decode(content, type=_Head).format
        manifest = _decoded(content, found) if found in _READABLE else None
    except msgspec.DecodeError as error:
        raise StateError(
            f"the event log's {_NAME} in {folder} is damaged ({error})",
            remedy="restore it from a backup, or delete the folder and run `ebbtide ingest` again",
        ) from error
    if manifest is None:
        raise StateError(
            f"the event log in {folder} has format {found}",
            expected=f"format {' or '.join(map(str, _READABLE))}",
            remedy="use the version of ebbtide that wrote it, or delete the folder and ingest again",
        )
    if gone := sorted(name for name in manifest.files() if not (folder / name).is_file()):
        raise StateError(
            f"the event log in {folder} has lost {len(gone)} of its files ({gone[0]})",
            remedy="restore the folder from a backup, or delete all of it and run `ebbtide ingest` again",
        )
    return manifest


def _decoded(content: bytes, found: int) -> Manifest:
    """Manifest of today's format; what an older one did not know is left empty, and later loads add to it."""
    manifest = msgspec.json.decode(content, type=Manifest)
    if found == FORMAT:
        return manifest
    segments = tuple(
        replace(segment, stats=replace(segment.stats, types=_with_fields(segment.stats.types, fields)))
        for segment, fields in zip(manifest.segments, fields_by_segment(content), strict=True)
    )
    return replace(manifest, format=FORMAT, segments=segments)


def _with_fields(types: dict[str, TypeStats], fields: dict[str, tuple[str, ...]]) -> dict[str, TypeStats]:
    return {name: replace(of, fields=fields[name]) for name, of in types.items()}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in one durable step: readers see the old one or the new one."""
    temporary = folder / f"{_NAME}.tmp"
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    sync(temporary)
    temporary.replace(folder / _NAME)
    sync(folder)

"""The manifest: the one small file that says which files are the event log, replaced atomically."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from features.durable import sync
from features.errors import StateError

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

FORMAT: Final = 1
_NAME: Final = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeStats:
    """Rows of one event type, and how many of them carry an amount, a discount, an order."""

    rows: int
    amounts: int
    discounts: int
    orders: int


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
        total: dict[str, TypeStats] = {}
        for name, stats in _type_items(self.segments):
            old = total.get(name)
            total[name] = (
                stats
                if old is None
                else TypeStats(
                    rows=old.rows + stats.rows,
                    amounts=old.amounts + stats.amounts,
                    discounts=old.discounts + stats.discounts,
                    orders=old.orders + stats.orders,
                )
            )
        return dict(sorted(total.items()))


def _type_items(segments: Iterable[SegmentEntry]) -> Iterable[tuple[str, TypeStats]]:
    return (item for segment in segments for item in segment.stats.types.items())


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
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise StateError(
            f"the event log's {_NAME} in {folder} is damaged ({error})",
            remedy="restore it from a backup, or delete the folder and run `ebbtide ingest` again",
        ) from error
    if manifest.format != FORMAT:
        raise StateError(
            f"the event log in {folder} has format {manifest.format}",
            expected=f"format {FORMAT}",
            remedy="use the version of ebbtide that wrote it, or delete the folder and ingest again",
        )
    if gone := sorted(name for name in manifest.files() if not (folder / name).is_file()):
        raise StateError(
            f"the event log in {folder} has lost {len(gone)} of its files ({gone[0]})",
            remedy="restore the folder from a backup, or delete all of it and run `ebbtide ingest` again",
        )
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in one durable step: readers see the old one or the new one."""
    temporary = folder / f"{_NAME}.tmp"
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    sync(temporary)
    temporary.replace(folder / _NAME)
    sync(folder)

"""The event log: every good row once, clustered by customer, published whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import duckdb
import pyarrow as pa

from features.catalogue.traits import MAX_VALUES, TypeTraits
from features.clock import from_us, zone
from features.errors import StateError, UsageError
from features.event_log_identity import LIVE_BLOCK, Stored
from features.event_log_load import BlockReport, load_block
from features.event_log_lock import lock, silent
from features.event_log_manifest import Manifest, TypeStats, read_manifest
from features.event_log_publish import stored_files
from features.event_log_segments import remove_orphans, scan_sql, superseded_sql, workspace
from features.events import BUCKETS, COLUMNS, ColumnType
from features.mapping import EventBlock

__all__ = ["BlockReport", "EventLog", "Snapshot"]

_ARROW: Final = {
    ColumnType.TEXT: pa.string(),
    ColumnType.TIME: pa.timestamp("us", tz="UTC"),
    ColumnType.NUMBER: pa.float64(),
}
_LIVE_SCHEMA: Final = pa.schema([pa.field(column.name, _ARROW[column.type]) for column in COLUMNS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The log as of one publish; later loads do not change it.

    Parameters
    ----------
    version : int
        Grows by one with every publish; 0 for an empty log.
    rows, customers : int
        Events that are the truth (corrections resolved), and the customers they belong to.
    first_event, last_event : datetime or None
        Earliest and latest event time, UTC; None for an empty log.
    event_types : mapping of str to int
        Rows of each event type.
    type_traits : mapping of str to TypeTraits
        What the rows of each event type carry.
    bucket_rows : tuple of int
        Rows of each customer bucket.
    newest_by_block : mapping of str to datetime
        Latest event time of each block.
    midnight_only : bool
        Whether any source had dates without times, so that only midnight cutoffs make sense.
    corrections : int
        Rows of the log that another row of the same event has replaced.
    quarantined : mapping of str to int
        Rows in quarantine by their first reason.
    stored : Stored
        The files it consists of.
    """

    version: int
    rows: int
    customers: int
    first_event: datetime | None
    last_event: datetime | None
    event_types: Mapping[str, int]
    type_traits: Mapping[str, TypeTraits]
    bucket_rows: tuple[int, ...]
    newest_by_block: Mapping[str, datetime]
    midnight_only: bool
    corrections: int
    quarantined: Mapping[str, int]
    stored: Stored

    def scan_sql(self, first_bucket: int, last_bucket: int) -> str:
        """DuckDB query of the events in a range of buckets, inclusive, in no particular order.

        Columns are those of :data:`features.events.COLUMNS` and ``bucket``. Superseded rows are left out; a log without
        corrections pays nothing for that.
        """
        return scan_sql(self.stored, first_bucket, last_bucket)

    def superseded_sql(self, first_bucket: int, last_bucket: int) -> str | None:
        """DuckDB query of the rows that another row of the same event has replaced; None if there are none.

        Columns are those of :data:`features.events.COLUMNS`, and ``load`` and ``version``, which count up.
        """
        return superseded_sql(self.stored, first_bucket, last_bucket)

    def quarantine_counts(self) -> Mapping[str, int]:
        """Rows in quarantine by their first reason."""
        return self.quarantined


class EventLog:
    """An event log in a folder: ``manifest.json``, ``segments/``, ``quarantine/``.

    Parameters
    ----------
    folder : Path
        The folder; made by the first load.
    wait_seconds : float
        How long a load waits for another process that is writing; 0 does not wait.
    say : callable
        Told once that a load waits.
    """

    def __init__(self, folder: Path, *, wait_seconds: float = 0.0, say: Callable[[str], None] = silent) -> None:
        self._folder = folder
        self._wait_seconds, self._say = wait_seconds, say

    def ingest(
        self, block: EventBlock, *, root: Path, timezone: str, now: datetime, frame: object | None = None
    ) -> BlockReport:
        """Load one block's raw table, exactly once however often it is called.

        Parameters
        ----------
        block : EventBlock
            Where the table is and how its columns become those of the log.
        root : Path
            Folder that relative paths start from.
        timezone : str
            IANA zone in which times without an offset are read.
        now : datetime
            The time, aware; later events are quarantined.
        frame : object, optional
            A pandas, Polars or Arrow table to read instead of the block's path.

        Returns
        -------
        BlockReport
            Rows read, accepted, known, corrected and quarantined.

        Raises
        ------
        SourceError
            If the table cannot be read or more than ``max_bad_ratio`` of its rows are bad. Nothing is published.
        MappingError
            If expressions do not fit the table. Nothing is published.
        LockedError
            If another process is writing the log, and has not finished within ``wait_seconds``.
        StateError
            If the log is damaged or cannot be written.
        CutoffError
            If there is no such time zone, or ``now`` has none.
        """
        zone(timezone)
        try:
            with self._lock(), workspace(self._folder, timezone) as con:
                manifest = read_manifest(self._folder)
                remove_orphans(self._folder, manifest)
                return load_block(
                    con, self._folder, manifest, block, root=root, timezone=timezone, now=now, frame=frame
                )
        except (duckdb.Error, OSError) as error:
            raise StateError(
                f"the event log in {self._folder} could not be written: {str(error).splitlines()[0]}",
                remedy="check the free disk space and the folder's permissions, and ingest again "
                "(nothing was published)",
            ) from error

    def append_events(
        self, rows: Sequence[Mapping[str, object]], *, block: str = LIVE_BLOCK, now: datetime
    ) -> BlockReport:
        """Append events that came through the API, exactly once by ``event_id``.

        Parameters
        ----------
        rows : sequence of mapping of str to object
            Log columns (absent ones are null), with ``event_id`` and ``received_at``; times are aware datetimes.
        block : str
            Name of the block they are counted under.
        now : datetime
            The time, aware.

        Raises
        ------
        UsageError
            If a row has an unknown column or a value of the wrong type.
        LockedError
            If another process is writing the log.
        """
        names = {column.name for column in COLUMNS}
        if unknown := {key for row in rows for key in row} - names:
            raise UsageError(f"{', '.join(sorted(unknown))}: no columns of the event log")
        try:
            frame = pa.Table.from_pylist([dict(row) for row in rows], schema=_LIVE_SCHEMA)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise UsageError(f"a live event has a value of the wrong type: {error}") from error
        same = EventBlock(name=block, expressions={name: name for name in names}, max_bad_ratio=1.0)
        return self.ingest(same, root=self._folder, timezone="UTC", now=now, frame=frame)

    def snapshot(self) -> Snapshot:
        """Read the log as it is now; an absent log has no rows.

        Raises
        ------
        StateError
            If the manifest is damaged.
        """
        return _snapshot(self._folder, read_manifest(self._folder))

    def _lock(self) -> AbstractContextManager[None]:
        return lock(self._folder, wait_seconds=self._wait_seconds, say=self._say)


def _snapshot(folder: Path, manifest: Manifest) -> Snapshot:
    stats = [segment.stats for segment in manifest.segments]
    types = {name: of for name, of in manifest.types().items() if of.rows}
    first = [of.first_us for of in stats if of.first_us is not None]
    last = [of.last_us for of in stats if of.last_us is not None]
    newest: dict[str, int] = {}
    for segment in manifest.segments:
        if segment.stats.last_us is not None:
            newest[segment.block] = max(newest.get(segment.block, 0), segment.stats.last_us)
    return Snapshot(
        version=manifest.version,
        rows=sum(of.rows for of in stats),
        customers=manifest.customers,
        first_event=from_us(min(first)) if first else None,
        last_event=from_us(max(last)) if last else None,
        event_types=MappingProxyType({name: of.rows for name, of in types.items()}),
        type_traits=MappingProxyType({name: _traits(of) for name, of in types.items()}),
        bucket_rows=tuple(sum(of.buckets[bucket] for of in stats) for bucket in range(BUCKETS)),
        newest_by_block=MappingProxyType({name: from_us(us) for name, us in sorted(newest.items())}),
        midnight_only=any(segment.dates_only for segment in manifest.segments if segment.stats.rows),
        corrections=manifest.corrections,
        quarantined=MappingProxyType(manifest.quarantined()),
        stored=stored_files(folder, manifest),
    )


def _traits(of: TypeStats) -> TypeTraits:
    """Traits of an event type; of values as frequent as each other the first in the alphabet come first."""
    values = {
        name: tuple(sorted(sorted(counts, key=lambda value: (-counts[value], value))[:MAX_VALUES]))
        for name, counts in of.values.items()
    }
    return TypeTraits(fields=frozenset(of.fields), values=MappingProxyType(values))

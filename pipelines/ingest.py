"""``ebbtide ingest``: raw tables and live events into the event log, states into the online store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.customers import load_customers
from features.errors import EbbtideError, UsageError, did_you_mean
from features.event_log import BlockReport, EventLog
from features.mapping import EventBlock
from features.own_features import undeclared
from pipelines.attributes import attribute_table
from pipelines.materialize import materialize, store_facts
from serving.store import open_store

if TYPE_CHECKING:
    from pipelines.workspace import Workspace

__all__ = ["IngestReport", "event_block", "ingest"]

_SPOOL_BATCH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What a load did.

    Parameters
    ----------
    blocks : tuple of BlockReport
        One a block, in the order of the configuration; ``live`` last if live events were drained.
    rows, customers : int
        Events and customers now in the log.
    states : int
        Customers' states written to the online store.
    customer_rows : int or None
        Rows of the table of customers; None if none is configured, or only blocks were loaded.
    """

    blocks: tuple[BlockReport, ...]
    rows: int
    customers: int
    states: int
    customer_rows: int | None = None

    @property
    def read(self) -> int:
        """Raw rows read."""
        return sum(block.read for block in self.blocks)

    @property
    def accepted(self) -> int:
        """Events added, corrections included."""
        return sum(block.accepted + block.corrections for block in self.blocks)

    @property
    def quarantined(self) -> int:
        """Rows put aside."""
        return sum(sum(block.quarantined.values()) for block in self.blocks)

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""
        return {
            "blocks": [
                {
                    "block": block.block,
                    "read": block.read,
                    "accepted": block.accepted,
                    "duplicates": block.duplicates,
                    "corrections": block.corrections,
                    "quarantined": dict(block.quarantined),
                }
                for block in self.blocks
            ],
            "rows": self.rows,
            "customers": self.customers,
            "states": self.states,
            "customer_rows": self.customer_rows,
        }


def ingest(
    workspace: Workspace,
    *,
    frames: Mapping[str, object] | None = None,
    only: tuple[str, ...] = (),
    wait_seconds: float = 0.0,
) -> IngestReport:
    """Load every block (or those named), drain the live events, and bring the online store up to date.

    Parameters
    ----------
    workspace : Workspace
    frames : mapping of str to data frame, optional
        Block name → pandas, Polars or Arrow frame to read instead of the block's path; without ``only``, the blocks
        named here are the only ones loaded.
    only : tuple of str
        Names of the blocks to load.
    wait_seconds : float
        How long to wait whenever another process is writing the log; 0 does not wait.

    Raises
    ------
    UsageError
        If a block is unknown, or has neither a path nor a query nor a frame.
    SourceError, MappingError, LockedError
        As :meth:`features.event_log.EventLog.ingest`.
    """
    frames = frames or {}
    blocks = {block.name: event_block(block) for block in workspace.settings.events}
    wanted = tuple(only or frames or blocks)
    for name in wanted:
        if name not in blocks:
            raise UsageError(f"there is no [[events]] block {name!r}; {did_you_mean(name, blocks)}")
        if blocks[name].path is None and blocks[name].query is None and name not in frames:
            raise UsageError(
                f"[[events]] {name!r} has neither path nor query",
                remedy="add one, or pass a data frame from Python: Project(…).ingest(frame)",
            )
    log = EventLog(workspace.log_folder, wait_seconds=wait_seconds, say=workspace.say)
    reports = []
    for name in wanted:
        workspace.say(f"ingest {name}")
        reports.append(
            log.ingest(
                blocks[name],
                root=workspace.root,
                timezone=workspace.timezone,
                now=workspace.clock(),
                frame=frames.get(name),
            )
        )
    live = _drain(workspace, log)
    if live is not None:
        reports.append(live)
    changed = any(report.accepted + report.corrections for report in reports)
    try:
        customer_rows = None if only or frames else _load_customers(workspace)
    except EbbtideError:
        with suppress(EbbtideError):  # a bad table of customers does not keep events from the store
            _fill_store(workspace, changed=changed)
        raise
    states = _fill_store(workspace, changed=changed)
    snapshot = log.snapshot()
    for warning in undeclared(workspace.own, tuple(snapshot.event_types)):
        workspace.say(f"warning: {warning}")
    return IngestReport(
        blocks=tuple(reports),
        rows=snapshot.rows,
        customers=snapshot.customers,
        states=states,
        customer_rows=customer_rows,
    )


def event_block(settings: object) -> EventBlock:
    """The mapping of one ``[[events]]`` block."""
    names = ("name", "path", "query", "where", "dedupe", "max_bad_ratio", "expressions")
    return EventBlock(**{name: getattr(settings, name) for name in names})


def _load_customers(workspace: Workspace) -> int | None:
    settings = workspace.settings.customers
    if settings is None:
        return None
    workspace.say("ingest customers")
    report = load_customers(
        settings.expressions,
        path=settings.path,
        query=settings.query,
        root=workspace.root,
        timezone=workspace.timezone,
        out=workspace.customers_file,
    )
    if report.without_date:
        workspace.say(
            f"warning: [customers]: left out {report.without_date:,} rows whose valid_from is missing or no time; rows "
            "that were always true need an early one, such as coalesce(…, DATE '1970-01-01')"
        )
    if report.without_id or report.unreadable:
        workspace.say(
            f"warning: [customers]: left out {report.without_id:,} rows without a customer_id and "
            f"{report.unreadable:,} lines that do not fit the file's columns"
        )
    table = attribute_table(workspace)
    for note in table.listed()[1] if table is not None else ():
        workspace.say(f"warning: [customers]: {note}")
    return report.kept


def _drain(workspace: Workspace, log: EventLog) -> BlockReport | None:
    """Move what ``POST /v1/events`` accepted from the store's spool into the log, under the same ids.

    The spool is emptied only after the log has been published, so a crash in between repeats events, which the log
    recognises by their ids, and loses none.
    """
    if not workspace.store_folder.exists():
        return None
    total: BlockReport | None = None
    with closing(open_store(workspace.settings.store.url, workspace.home)) as store:
        while True:
            events, position = store.spool_read(_SPOOL_BATCH)
            if not events:
                return total
            workspace.say(f"ingest {len(events)} live events")
            report = log.append_events(events, now=workspace.clock())
            store.spool_drop(position)
            total = report if total is None else _sum(total, report)


def _fill_store(workspace: Workspace, *, changed: bool) -> int:
    return materialize(workspace) if changed or _store_is_behind(workspace) else 0


def _store_is_behind(workspace: Workspace) -> bool:
    """Whether the store was not filled from the log and the attributes as they are, or a load was stopped between."""
    snapshot = workspace.log.snapshot()
    if not snapshot.rows:
        return False
    with closing(open_store(workspace.settings.store.url, workspace.home)) as store:
        return store.filled() != store_facts(workspace, snapshot)


def _sum(first: BlockReport, second: BlockReport) -> BlockReport:
    quarantined = dict(first.quarantined)
    for reason, count in second.quarantined.items():
        quarantined[reason] = quarantined.get(reason, 0) + count
    return BlockReport(
        block=first.block,
        read=first.read + second.read,
        accepted=first.accepted + second.accepted,
        duplicates=first.duplicates + second.duplicates,
        corrections=first.corrections + second.corrections,
        quarantined=quarantined,
    )

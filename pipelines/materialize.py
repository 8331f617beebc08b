"""``ebbtide materialize``: every customer's packed state from the log into the online store."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from features.attributes import attached
from features.duckdb_engine import states
from pipelines.attributes import attribute_table, attributes_version
from serving.store import open_store

if TYPE_CHECKING:
    from features.event_log import Snapshot
    from pipelines.workspace import Workspace

__all__ = ["materialize", "store_facts"]


def materialize(workspace: Workspace) -> int:
    """Write every customer's state and forget who left the log; live events not drained yet are kept.

    Returns
    -------
    int
        Customers written.

    Raises
    ------
    EmptyLogError
        If the log has no events.
    StateError
        If the stored table of customers does not fit the configuration.
    """
    snapshot = workspace.snapshot()
    filled_from = store_facts(workspace, snapshot)
    with closing(open_store(workspace.settings.store.url, workspace.home)) as store:
        while True:
            workspace.say(f"fill the online store: {snapshot.customers:,} customers")
            found = states(snapshot, threads=workspace.threads)
            written = store.replace_all(attached(found, attribute_table(workspace)))
            store.mark_filled(filled_from)
            snapshot = workspace.snapshot()
            newer = store_facts(workspace, snapshot)
            if newer == filled_from:
                return written
            filled_from = newer  # another ingest published meanwhile, and older states may have replaced its own


def store_facts(workspace: Workspace, snapshot: Snapshot) -> dict[str, str]:
    """What the online store must say it was filled from to be up to date."""
    facts = {"log_version": str(snapshot.version), "rows": str(snapshot.rows)}
    attributes = attributes_version(workspace)
    return {**facts, "attributes": attributes} if attributes else facts

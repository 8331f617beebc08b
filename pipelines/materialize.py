"""``ebbtide materialize``: every customer's packed state from the log into the online store."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from features.duckdb_engine import states
from serving.store import open_store

if TYPE_CHECKING:
    from pipelines.workspace import Workspace

__all__ = ["materialize"]


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
    """
    snapshot = workspace.snapshot()
    with closing(open_store(workspace.settings.store.url, workspace.home)) as store:
        while True:
            workspace.say(f"fill the online store: {snapshot.customers:,} customers")
            written = store.replace_all(states(snapshot, threads=workspace.threads))
            store.mark_filled({"log_version": str(snapshot.version), "rows": str(snapshot.rows)})
            newer = workspace.snapshot()
            if newer.version == snapshot.version:
                return written
            snapshot = newer  # another ingest published meanwhile, and older states may have replaced its own

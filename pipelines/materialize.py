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
    """Write every customer's state; live events that the log has not drained yet are kept.

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
    workspace.say(f"fill the online store: {snapshot.customers:,} customers")
    with closing(open_store(workspace.settings.store.url, workspace.home)) as store:
        written = store.put_many(states(snapshot, threads=workspace.threads))
        store.mark_filled({"log_version": str(snapshot.version), "rows": str(snapshot.rows)})
    return written

"""The training panels of a project: every matured cutoff of every target, from one walk over the log."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from features.errors import EbbtideError, EmptyLogError
from features.plan import Plan
from pipelines.build import log_plan
from pipelines.engine import feature_tables
from training.panel import Panel, cutoff_grid, panels_from_tables

if TYPE_CHECKING:
    from features.event_log import Snapshot
    from pipelines.workspace import Workspace

__all__ = ["build_panels"]


def build_panels(
    workspace: Workspace,
    snapshot: Snapshot,
    moment: datetime,
    names: tuple[str, ...],
    failed: dict[str, EbbtideError],
) -> tuple[dict[str, Panel], Plan]:
    """Panels of several targets from one walk over the log, and the plan of their features.

    Parameters
    ----------
    workspace : Workspace
    snapshot : Snapshot
        A log that is not empty.
    moment : datetime
        Stands for "now": label windows end at or before it.
    names : tuple of str
        Targets; all if none is named.
    failed : dict
        Receives the error of each target whose history is too short.

    Raises
    ------
    EmptyLogError, UsageError
    """
    first_event = snapshot.first_event
    if first_event is None:
        raise EmptyLogError("the event log is empty", remedy="run `ebbtide ingest`")
    targets, grids = [], {}
    for target in workspace.targets(names):
        try:
            grids[target.name] = cutoff_grid(
                first_event,
                moment,
                target,
                timezone=workspace.timezone,
                max_cutoffs=workspace.settings.retrain.max_cutoffs,
            )
            targets.append(target)
        except EbbtideError as error:
            failed[target.name] = error
    plan = log_plan(workspace, snapshot, extra=(base for target in targets for base in target.bases()))
    cutoffs = sorted({cutoff for grid in grids.values() for cutoff in grid})
    if not cutoffs:
        return {}, plan
    workspace.say(f"panel: {snapshot.rows:,} events, {len(cutoffs)} cutoffs, {len(plan.feature_names)} features")
    tables = feature_tables(
        workspace,
        snapshot,
        plan,
        cutoffs,
        received_before=[cutoff + workspace.settle for cutoff in cutoffs],
        outcomes=[target.outcome() for target in targets],
    )
    return panels_from_tables(tables, plan, targets, grids, first_event=first_event), plan

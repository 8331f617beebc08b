"""The training panels of a project: every matured cutoff of every target, from one walk over the log."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from features.errors import EbbtideError, EmptyLogError
from features.plan import Plan
from pipelines.build import log_plan
from pipelines.engine import feature_tables
from training.panel import Panel, cutoff_grid, panels_from_tables
from training.spill import Spill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from features.event_log import Snapshot
    from features.feature_table import FeatureTable
    from pipelines.workspace import Workspace

__all__ = ["batch_events", "build_panels"]

_BATCH_EVENTS: Final = 1_500_000
_BATCH_CUTOFFS: Final = 12


def batch_events(cutoffs: int) -> int:
    """Events to hold at a time: fewer where each customer has rows at many cutoffs, which take the most memory.

    Examples
    --------
    >>> batch_events(1), batch_events(60)
    (1500000, 300000)
    """
    return _BATCH_EVENTS * _BATCH_CUTOFFS // max(cutoffs, _BATCH_CUTOFFS)


def build_panels(
    workspace: Workspace,
    snapshot: Snapshot,
    moment: datetime,
    names: tuple[str, ...],
    failed: dict[str, EbbtideError],
    *,
    watch: Callable[[FeatureTable], None] | None = None,
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
    watch : callable, optional
        Sees every batch of the feature table that the panels are made of.

    Raises
    ------
    EmptyLogError, UsageError
    DiskFullError
        If the values need a file and the disk has no room for it.
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
        batch_rows=batch_events(len(cutoffs)),
        received_before=[cutoff + workspace.settle for cutoff in cutoffs],
        outcomes=[target.outcome() for target in targets],
    )
    watched = _watched(tables, watch)
    spill = Spill(folder=workspace.home, memory_bytes=workspace.settings.retrain.panel_memory_mb << 20)
    return panels_from_tables(watched, plan, targets, grids, first_event=first_event, spill=spill), plan


def _watched(tables: Iterable[FeatureTable], watch: Callable[[FeatureTable], None] | None) -> Iterator[FeatureTable]:
    for table in tables:
        if watch is not None:
            watch(table)
        yield table

"""The one place that picks the batch engine: ``[engine] name``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from features import duckdb_engine, spark_engine
from features.duckdb_engine import BATCH_ROWS
from pipelines.attributes import attribute_table

if TYPE_CHECKING:
    from features.event_log import Snapshot
    from features.feature_table import FeatureTable
    from features.outcome import Outcome
    from features.plan import Plan
    from pipelines.workspace import Workspace

__all__ = ["feature_tables"]


def feature_tables(
    workspace: Workspace,
    snapshot: Snapshot,
    plan: Plan,
    cutoffs: Sequence[datetime],
    *,
    received_before: Sequence[datetime] | None = None,
    outcomes: Sequence[Outcome] = (),
    batch_rows: int = BATCH_ROWS,
) -> Iterator[FeatureTable]:
    """Feature tables of a log from the project's engine; every engine gives the same rows in the same order.

    Parameters
    ----------
    workspace : Workspace
    snapshot : Snapshot
        The log.
    plan : Plan
        The features.
    cutoffs : sequence of datetime
        Aware, distinct, in any order.
    received_before : sequence of datetime, optional
        One a cutoff: events received at or after it are not seen. None: all received events are seen.
    outcomes : sequence of Outcome
        What to look for after each cutoff.
    batch_rows : int
        Events that the DuckDB engine holds at a time; Spark's partitions have a size of their own.

    Raises
    ------
    UsageError, StateError
        As :func:`features.duckdb_engine.build` and :func:`pipelines.attributes.attribute_table`.
    EngineError
        As :func:`features.spark_engine.build`.
    """
    engine = workspace.settings.engine
    attributes = attribute_table(workspace) if plan.attributes else None
    asked = (snapshot, plan, cutoffs)
    match engine.name:
        case "duckdb":
            return duckdb_engine.build(
                *asked,
                received_before=received_before,
                outcomes=outcomes,
                attributes=attributes,
                threads=workspace.threads,
                batch_rows=batch_rows,
            )
        case "spark":
            return spark_engine.build(
                *asked,
                received_before=received_before,
                outcomes=outcomes,
                attributes=attributes,
                master=engine.master,
                properties=engine.properties,
                scratch=workspace.home,
            )
        case _:
            assert_never(engine.name)

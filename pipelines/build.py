"""``ebbtide build`` and ``ebbtide features``: the feature table of a cutoff, and what its columns mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.catalogue import catalogue
from features.durable import replacing
from features.feature_table import concat
from features.naming_phrase import windows_text
from features.own_features import LeftOut, ProjectFeatures, undeclared, with_own
from features.plan import Plan, compile_plan
from pipelines.attributes import catalogue_attributes
from pipelines.engine import feature_tables

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from features.definition import Base, Feature
    from features.event_log import Snapshot
    from pipelines.workspace import Workspace

__all__ = [
    "BuildReport",
    "FeatureList",
    "build",
    "list_features",
    "log_features",
    "log_plan",
    "season_days",
    "write_features",
]

_TWO_YEARS: Final = timedelta(days=2 * 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """Features at a cutoff, one row a customer with any event before it, ordered by customer id.

    Parameters
    ----------
    cutoff : datetime
        UTC.
    plan : Plan
        What computed them.
    customer_ids : ndarray of str, length n
        Who.
    values : ndarray of float32, shape (n, f)
        NaN = null.
    out : Path or None
        The file, if one was written.
    """

    cutoff: datetime
    plan: Plan
    customer_ids: NDArray[Any]
    values: NDArray[np.float32]
    out: Path | None = None

    def frame(self) -> pd.DataFrame:
        """The table, indexed by ``customer_id``."""
        import pandas as pd

        index = pd.Index(self.customer_ids, name="customer_id")
        return pd.DataFrame(self.values, index=index, columns=list(self.plan.feature_names))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "cutoff": self.cutoff.isoformat(),
            "customers": len(self.customer_ids),
            "features": len(self.plan.feature_names),
            "fingerprint": self.plan.fingerprint,
            "out": str(self.out) if self.out else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureList:
    """The features of a log, their fingerprint, and which of the project's own it cannot have.

    Parameters
    ----------
    features : tuple of Feature
        The catalogue's, then the project's own.
    fingerprint : str
        Of the plan compiled from them.
    left_out : tuple of LeftOut
        Features of the project's own, each with the reason.
    warnings : tuple of str
        Sentences about event types that are neither built in nor declared.
    """

    features: tuple[Feature, ...]
    fingerprint: str
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "fingerprint": self.fingerprint,
            "features": [
                {
                    "name": feature.name,
                    "family": str(feature.family),
                    "unit": feature.unit,
                    "window": windows_text(feature.bases),
                    "window_days": sorted({base.window_days for base in feature.bases if base.window_days}),
                    "null_when": feature.null_meaning,
                    "description": feature.description,
                }
                for feature in self.features
            ],
            "left_out": [{"name": one.name, "reason": one.reason} for one in self.left_out],
            "warnings": list(self.warnings),
        }


def log_features(workspace: Workspace, snapshot: Snapshot) -> ProjectFeatures:
    """The catalogue for what a log and its customers have, and behind it the project's own features.

    Raises
    ------
    ConfigError
        If one of the project's own names an event type that nobody knows.
    """
    listed = catalogue(
        snapshot.type_traits,
        season_days=season_days(workspace, snapshot),
        attributes=catalogue_attributes(workspace),
    )
    return with_own(listed, workspace.own, snapshot.type_traits)


def season_days(workspace: Workspace, snapshot: Snapshot) -> tuple[int, ...]:
    """Days after the cutoff whose day of the year is a feature: 0, and the middle of every target's label window.

    All targets count, whichever are trained, so that they share one plan. A log of less than two years has none: each
    day of the year would name one cutoff, and what is learned about it could not be true of another year.
    """
    first, last = snapshot.first_event, snapshot.last_event
    if first is None or last is None or last - first < _TWO_YEARS:
        return ()
    targets = workspace.settings.targets.values()
    return tuple(sorted({0, *(target.gap_days + target.horizon_days // 2 for target in targets)}))


def log_plan(workspace: Workspace, snapshot: Snapshot, extra: Iterable[Base] = ()) -> Plan:
    """Plan of a log's features, with base aggregates the caller wants besides."""
    features = log_features(workspace, snapshot).features
    return compile_plan(features, timezone=workspace.timezone, extra=tuple(dict.fromkeys(extra)))


def list_features(workspace: Workspace) -> FeatureList:
    """Features of the project's log.

    Raises
    ------
    EmptyLogError
        If it has no events.
    ConfigError
        As :func:`log_features`.
    """
    snapshot = workspace.snapshot()
    found = log_features(workspace, snapshot)
    plan = compile_plan(found.features, timezone=workspace.timezone)
    warnings = tuple(undeclared(workspace.own, tuple(snapshot.event_types)))
    return FeatureList(features=plan.features, fingerprint=plan.fingerprint, left_out=found.left_out, warnings=warnings)


def build(workspace: Workspace, *, cutoff: str | None = None) -> BuildReport:
    """Compute every customer's features at a cutoff, from all that has been received.

    Raises
    ------
    EmptyLogError, CutoffError
    """
    snapshot = workspace.snapshot()
    moment = workspace.cutoff(cutoff, snapshot)
    plan = log_plan(workspace, snapshot)
    workspace.say(f"features of {snapshot.customers:,} customers at {workspace.show(moment)}")
    table = concat(list(feature_tables(workspace, snapshot, plan, [moment])))
    ids = table.customer_ids[table.customer]
    order = np.argsort(ids, kind="stable")
    return BuildReport(cutoff=moment, plan=plan, customer_ids=ids[order], values=table.values[order])


def write_features(workspace: Workspace, *, cutoff: str | None = None, out: Path | None = None) -> BuildReport:
    """Compute and write the table as Parquet, by default to ``home/features/features-<cutoff>.parquet``.

    Raises
    ------
    EmptyLogError, CutoffError
    """
    built = build(workspace, cutoff=cutoff)
    stamp = workspace.show(built.cutoff).replace(":", "")
    path = out or workspace.home / "features" / f"features-{stamp}.parquet"
    columns: dict[str, pa.Array[Any]] = {"customer_id": pa.array(built.customer_ids, pa.string())}
    for position, name in enumerate(built.plan.feature_names):
        column = built.values[:, position]
        columns[name] = pa.array(column, pa.float32(), mask=np.isnan(column))
    table = pa.table(columns).replace_schema_metadata({"fingerprint": built.plan.fingerprint})
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return BuildReport(
        cutoff=built.cutoff, plan=built.plan, customer_ids=built.customer_ids, values=built.values, out=path
    )

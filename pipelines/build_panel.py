"""``ebbtide build`` with several cutoffs or a target: a feature table of any size, batch by batch into one file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.durable import replacing
from features.errors import EmptyLogError, UsageError
from features.plan import Plan
from pipelines.build import BuildReport, log_plan, write_features
from pipelines.engine import feature_tables
from pipelines.panels import batch_events
from training.panel import cutoff_grid, labelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from features.event_log import Snapshot
    from features.feature_table import FeatureTable
    from pipelines.workspace import Workspace
    from training.labels import Target

__all__ = ["PanelReport", "write", "write_panel"]

_GROUP_ROWS: Final = 100_000
"""Most rows of a row group: what is held twice, as an array and as Arrow columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelReport:
    """The file that was written, one row a customer and cutoff.

    Parameters
    ----------
    out : Path
        The file.
    plan : Plan
        What computed the features.
    cutoffs : tuple of datetime
        Ascending, UTC.
    target : str or None
        Whose eligible customers and labels; None: every customer with an event before the cutoff, and no label.
    rows, customers : int
        In the file.
    label_mean : float or None
        None without a target, or without rows.
    """

    out: Path
    plan: Plan
    cutoffs: tuple[datetime, ...]
    target: str | None
    rows: int
    customers: int
    label_mean: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "out": str(self.out),
            "cutoffs": [cutoff.isoformat() for cutoff in self.cutoffs],
            "target": self.target,
            "rows": self.rows,
            "customers": self.customers,
            "features": len(self.plan.feature_names),
            "fingerprint": self.plan.fingerprint,
            "label_mean": self.label_mean,
        }


def write(
    workspace: Workspace, *, cutoffs: tuple[str, ...], target: str | None, out: Path | None
) -> BuildReport | PanelReport:
    """Do what ``ebbtide build`` does: one cutoff is one table by customer, anything else goes batch by batch.

    Raises
    ------
    EmptyLogError, CutoffError, UsageError, HistoryError
        As :func:`pipelines.build.write_features` and :func:`write_panel`.
    """
    if target is None and len(cutoffs) < 2:
        return write_features(workspace, cutoff=next(iter(cutoffs), None), out=out)
    return write_panel(workspace, cutoffs=cutoffs, target=target, out=out)


def write_panel(
    workspace: Workspace, *, cutoffs: tuple[str, ...] = (), target: str | None = None, out: Path | None = None
) -> PanelReport:
    """Write ``customer_id``, ``cutoff``, every feature and, with a target, ``label``; memory is bounded by the batch.

    Every row holds what was known ``settle_hours`` after its cutoff, as in training. Rows stand in the log's order:
    by bucket, customer and cutoff. Features and labels of a target are those that ``retrain`` learns from.

    Parameters
    ----------
    workspace : Workspace
    cutoffs : tuple of str
        Without a target: the cutoffs, the last local midnight if none. With one: at most one, which stands for "now".
    target : str, optional
        Its past cutoffs, its eligible customers, its label: 0 or 1, or money.
    out : Path, optional
        Replaced as a whole when everything is written; ``home/features/`` by default.

    Raises
    ------
    EmptyLogError, CutoffError, UsageError
    HistoryError
        If the history is too short for the target.
    """
    if target is not None and len(cutoffs) > 1:
        raise UsageError(
            f"{len(cutoffs)} cutoffs and a target",
            expected="at most one cutoff, which stands for now: the target's own label windows decide on the others",
        )
    snapshot = workspace.snapshot()
    given = sorted(workspace.cutoff(text, snapshot) for text in cutoffs or (None,))
    (of,) = workspace.targets((target,)) if target else (None,)
    plan = log_plan(workspace, snapshot, extra=of.bases() if of else ())
    moments = _grid(workspace, snapshot, of, given[0]) if of else given
    first, last = workspace.show(moments[0]), workspace.show(given[-1])
    name = f"panel-{target}-{last}" if target else f"features-{first}-to-{last}-{len(moments)}-cutoffs"
    path = out or workspace.home / "features" / f"{name.replace(':', '')}.parquet"
    workspace.say(f"features of {snapshot.customers:,} customers at {len(moments)} cutoffs")
    tables = feature_tables(
        workspace,
        snapshot,
        plan,
        moments,
        batch_rows=batch_events(len(moments)),
        received_before=[moment + workspace.settle for moment in moments],
        outcomes=[of.outcome()] if of else [],
    )
    with replacing(path) as temporary:
        rows, customers, label_sum = _write(tables, plan, of, temporary)
    return PanelReport(
        out=path,
        plan=plan,
        cutoffs=tuple(moments),
        target=target,
        rows=rows,
        customers=customers,
        label_mean=label_sum / rows if of and rows else None,
    )


def _grid(workspace: Workspace, snapshot: Snapshot, target: Target, now: datetime) -> list[datetime]:
    if snapshot.first_event is None:
        raise EmptyLogError("the event log is empty", remedy="run `ebbtide ingest`")
    most = workspace.settings.retrain.max_cutoffs
    return cutoff_grid(snapshot.first_event, now, target, timezone=workspace.timezone, max_cutoffs=most)


def _write(tables: Iterable[FeatureTable], plan: Plan, target: Target | None, path: Path) -> tuple[int, int, float]:
    """Write all batches, and return the rows, the customers and the sum of the labels."""
    schema = _schema(plan, target)
    rows, customers, label_sum = 0, 0, 0.0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            keep, labels = np.ones(len(table), dtype=np.bool_), None
            if target is not None:
                keep, labels = labelled(table, plan, target, 0)
                label_sum += float(labels.sum())
            chosen = np.flatnonzero(keep)
            rows, customers = rows + chosen.size, customers + int(np.unique(table.customer[chosen]).size)
            for start in range(0, chosen.size, _GROUP_ROWS):
                part = slice(start, start + _GROUP_ROWS)
                writer.write_table(_group(table, chosen[part], None if labels is None else labels[part], schema))
    return rows, customers, label_sum


def _schema(plan: Plan, target: Target | None) -> pa.Schema:
    fields: list[tuple[str, pa.DataType]] = [("customer_id", pa.string()), ("cutoff", pa.timestamp("us", tz="UTC"))]
    fields += [(name, pa.float32()) for name in plan.feature_names]
    about: dict[str | bytes, str | bytes] = {"fingerprint": plan.fingerprint}
    if target is not None:
        fields.append(("label", pa.float64()))
        about["target"] = json.dumps(target.to_dict(), sort_keys=True)
    return pa.schema(fields, metadata=about)


def _group(
    table: FeatureTable, rows: NDArray[np.int64], labels: NDArray[np.float64] | None, schema: pa.Schema
) -> pa.Table:
    columns: list[pa.Array[Any]] = [
        pa.array(table.customer_ids[table.customer[rows]], pa.string()),
        pa.array(table.cutoff_us[rows].view("datetime64[us]"), pa.timestamp("us", tz="UTC")),
    ]
    columns += [pa.array(column, pa.float32(), mask=np.isnan(column)) for column in table.values[rows].T]
    if labels is not None:
        columns.append(pa.array(labels, pa.float64()))
    return pa.Table.from_arrays(columns, schema=schema)

"""``ebbtide score``: every eligible customer at a cutoff, one row a customer and target, as Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.clock import to_us
from features.durable import replacing
from features.errors import StaleFeedError
from features.feature_table import concat
from pipelines.champions import batch_champions
from pipelines.engine import feature_tables
from serving.champions import Group, LoadedModel
from serving.scoring import score_table

if TYPE_CHECKING:
    import pandas as pd

    from features.event_log import Snapshot
    from features.plan import Plan
    from pipelines.workspace import Workspace

__all__ = ["ScoreReport", "TargetScores", "score", "score_targets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetScores:
    """Scores of one target: every array has one entry an eligible customer, ordered by customer id.

    Parameters
    ----------
    model : LoadedModel
        The champion that scored.
    plan : Plan
        What computed the features.
    customer_ids : ndarray of str
        Who.
    base : ndarray of int64, shape (n, b)
        Base aggregates.
    values : ndarray of float32, shape (n, f)
        Features, NaN = null.
    probability : ndarray of float64
        Calibrated probability; the expected value for value targets.
    percentile : ndarray of float64
        Against the bundle's reference scores.
    band : ndarray of str
        ``low``, ``medium`` or ``high``.
    not_eligible : int
        Customers with events before the cutoff to whom the target does not apply.
    """

    model: LoadedModel
    plan: Plan
    customer_ids: NDArray[Any]
    base: NDArray[np.int64]
    values: NDArray[np.float32]
    probability: NDArray[np.float64]
    percentile: NDArray[np.float64]
    band: NDArray[Any]
    not_eligible: int

    @property
    def target(self) -> str:
        """Name of the target."""
        return self.model.target.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """What was scored.

    Parameters
    ----------
    cutoff : datetime
        UTC.
    out : Path
        The Parquet file.
    targets : tuple of TargetScores
        In the order of the configuration.
    """

    cutoff: datetime
    out: Path
    targets: tuple[TargetScores, ...]

    def frame(self) -> pd.DataFrame:
        """The file's rows."""
        return _table(self.targets, self.cutoff).to_pandas()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "cutoff": self.cutoff.isoformat(),
            "out": str(self.out),
            "targets": [
                {
                    "target": scores.target,
                    "model_version": scores.model.version,
                    "scored": len(scores.customer_ids),
                    "not_eligible": scores.not_eligible,
                    "mean": float(scores.probability.mean()) if len(scores.probability) else None,
                    "bands": {name: int((scores.band == name).sum()) for name in ("high", "medium", "low")},
                }
                for scores in self.targets
            ],
        }


def score(
    workspace: Workspace, *, cutoff: str | None = None, names: tuple[str, ...] = (), out: Path | None = None
) -> ScoreReport:
    """Score and write the file.

    Parameters
    ----------
    workspace : Workspace
    cutoff : str, optional
        As ``--cutoff``.
    names : tuple of str
        Targets; all with a champion if none is named.
    out : Path, optional
        Where to write; ``home/scores/scores-<cutoff>.parquet`` by default, with the names if there are any.

    Raises
    ------
    EmptyLogError, CutoffError, UsageError, ModelNotFoundError, BundleError, StaleFeedError
    """
    snapshot = workspace.snapshot()
    moment = workspace.cutoff(cutoff, snapshot)
    targets = score_targets(workspace, snapshot, moment, names)
    stamp = workspace.show(moment).replace(":", "")
    path = out or workspace.home / "scores" / f"{'-'.join(('scores', stamp, *names))}.parquet"
    with replacing(path) as temporary:
        pq.write_table(_table(targets, moment), temporary, compression="zstd")
    return ScoreReport(cutoff=moment, out=path, targets=targets)


def score_targets(
    workspace: Workspace, snapshot: Snapshot, cutoff: datetime, names: tuple[str, ...] = ()
) -> tuple[TargetScores, ...]:
    """Scores in memory, features computed once for all targets that share them.

    Raises
    ------
    StaleFeedError
        If a block's newest event is older than its ``max_feed_age_hours``.
    ModelNotFoundError, BundleError
        As :func:`pipelines.champions.batch_champions`.
    """
    _refuse_stale(workspace, snapshot, cutoff)
    champions = batch_champions(workspace, names)
    scored = {
        scores.target: scores
        for group in champions.groups
        for scores in _score_group(workspace, snapshot, cutoff, group)
    }
    return tuple(scored[target.name] for target in workspace.targets(names) if target.name in scored)


def _score_group(workspace: Workspace, snapshot: Snapshot, cutoff: datetime, group: Group) -> Iterator[TargetScores]:
    workspace.say(f"features of {snapshot.customers:,} customers at {workspace.show(cutoff)}")
    table = concat(list(feature_tables(workspace, snapshot, group.plan, [cutoff])))
    ids = table.customer_ids[table.customer]
    order = np.argsort(ids, kind="stable")
    ids, base, values = ids[order], table.base[order], table.values[order]
    cutoffs = np.full(len(ids), to_us(cutoff), dtype=np.int64)
    for model in group.models:
        scored = score_table(model.predictor, model.target, group.plan, base, values, cutoffs)
        workspace.say(f"{scored.rows.size:,} customers scored for {model.target.name}")
        yield TargetScores(
            model=model,
            plan=group.plan,
            customer_ids=ids[scored.rows],
            base=base[scored.rows],
            values=values[scored.rows],
            probability=scored.score,
            percentile=scored.percentile,
            band=np.array(scored.band, dtype=object),
            not_eligible=len(ids) - scored.rows.size,
        )


def _refuse_stale(workspace: Workspace, snapshot: Snapshot, cutoff: datetime) -> None:
    late = []
    for block in workspace.settings.events:
        newest = snapshot.newest_by_block.get(block.name)
        if block.max_feed_age_hours is None or newest is None:
            continue
        if cutoff - newest > timedelta(hours=block.max_feed_age_hours):
            late.append(f"{block.name!r} ends {newest:%Y-%m-%d %H:%M} UTC (at most {block.max_feed_age_hours:g} h)")
    if late:
        raise StaleFeedError(
            f"late feed: {'; '.join(late)}; scored at {cutoff:%Y-%m-%d %H:%M} UTC, everyone would look silent",
            remedy="ingest the missing events, or score at an earlier --cutoff",
        )


def _table(targets: Sequence[TargetScores], cutoff: datetime) -> pa.Table:
    """Arrow table of the file; ``expected_value`` is there only where a value target is."""
    with_value = any(not scores.model.target.is_binary for scores in targets)
    parts = [_part(scores, cutoff, with_value=with_value) for scores in targets]
    return pa.concat_tables(parts)


def _part(scores: TargetScores, cutoff: datetime, *, with_value: bool) -> pa.Table:
    count = len(scores.customer_ids)
    numbers = pa.array(scores.probability, pa.float64())
    nothing = pa.nulls(count, pa.float64())
    binary = scores.model.target.is_binary
    columns: dict[str, pa.Array[Any]] = {
        "customer_id": pa.array(scores.customer_ids, pa.string()),
        "target": pa.array([scores.target] * count, pa.string()),
        "probability": numbers if binary else nothing,
        "percentile": pa.array(scores.percentile, pa.float64()),
        "band": pa.array(scores.band, pa.string()),
        "model_version": pa.array([scores.model.version] * count, pa.string()),
        "cutoff": pa.array([cutoff] * count, pa.timestamp("us", tz="UTC")),
    }
    if with_value:
        columns["expected_value"] = nothing if binary else numbers
    return pa.table(columns)

"""What then happened: batch scores against the outcomes of the weeks after them, once the log has those."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from features.feature_table import concat
from pipelines.engine import feature_tables
from pipelines.score import TargetScores
from training.evaluate import auc, lift_top_decile, log_loss
from training.labels import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.workspace import Workspace

__all__ = ["Realised", "realised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Realised:
    """Quality of one target's scores against what happened.

    Parameters
    ----------
    target : str
    customers : int
        Scored customers.
    base_rate : float
        Share of them with the outcome.
    auc, log_loss, lift_top_decile : float
        As in training, on the probabilities that were given out.
    """

    target: str
    customers: int
    base_rate: float
    auc: float
    log_loss: float
    lift_top_decile: float


def realised(workspace: Workspace, scores: Sequence[TargetScores], cutoff: datetime) -> tuple[Realised, ...]:
    """Judge binary targets whose label window the log covers; the others are left out.

    Parameters
    ----------
    workspace : Workspace
    scores : sequence of TargetScores
        Given out at ``cutoff``.
    cutoff : datetime
        UTC.
    """
    snapshot = workspace.snapshot()
    if snapshot.last_event is None:
        return ()
    covered = workspace.first_cutoff_after(snapshot.last_event)
    found = []
    for scored in scores:
        target = scored.model.target
        if not target.is_binary or cutoff + timedelta(days=target.gap_days + target.horizon_days) > covered:
            continue
        tables = feature_tables(workspace, snapshot, scored.plan, [cutoff], outcomes=[target.outcome()])
        table = concat(list(tables))
        ids = table.customer_ids[table.customer]
        order = np.argsort(ids, kind="stable")
        rows = order[np.searchsorted(ids[order], scored.customer_ids)]
        labels = label(target, table.outcomes[rows, 0])
        found.append(
            Realised(
                target=target.name,
                customers=len(labels),
                base_rate=float(labels.mean()),
                auc=auc(labels, scored.probability),
                log_loss=log_loss(labels, scored.probability),
                lift_top_decile=lift_top_decile(labels, scored.probability),
            )
        )
    return tuple(found)

"""``ebbtide export``: score, choose the customers at risk, say why, write the files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features.errors import UsageError
from pipelines.export.decide import ScoredCustomers, choose
from pipelines.export.rows import export_rows
from pipelines.export.write import Written, write_export
from pipelines.score import TargetScores, score_targets
from training.labels import TargetKind, value_at_risk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipelines.workspace import Workspace

__all__ = ["ExportReport", "export"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What was exported.

    Parameters
    ----------
    target : str
        The churn target.
    cutoff : datetime
        UTC.
    run_id : str
        Names the export; the same cutoff and model give the same one, and the same files.
    scored : int
        Customers that were scored.
    value_at_risk : float or None
        Sum over the exported customers, in the project's currency; None where the log has no amounts.
    currency : str
        ISO 4217 code.
    written : Written
        The files.
    """

    target: str
    cutoff: datetime
    run_id: str
    scored: int
    value_at_risk: float | None
    currency: str
    written: Written

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "target": self.target,
            "cutoff": self.cutoff.isoformat(),
            "run_id": self.run_id,
            "scored": self.scored,
            "exported": self.written.rows,
            "value_at_risk": self.value_at_risk,
            "currency": self.currency,
            "csv": str(self.written.csv),
            "parquet": str(self.written.parquet),
            "neutralised": self.written.neutralised,
        }


def export(
    workspace: Workspace, *, cutoff: str | None = None, target: str | None = None, folder: Path | None = None
) -> ExportReport:
    """Write the list of customers at risk.

    Parameters
    ----------
    workspace : Workspace
    cutoff : str, optional
        As ``--cutoff``.
    target : str, optional
        A churn target; may be left out if there is one only.
    folder : Path, optional
        Where to write; ``home/exports/`` by default.

    Raises
    ------
    UsageError
        If the target is no churn target, or there are several and none is named.
    EmptyLogError, CutoffError, ModelNotFoundError, BundleError, StaleFeedError
        As :func:`pipelines.score.score`.
    """
    name = _churn_target(workspace, target)
    snapshot = workspace.snapshot()
    moment = workspace.cutoff(cutoff, snapshot)
    (scores,) = score_targets(workspace, snapshot, moment, (name,))
    columns = ScoredCustomers(
        customer_ids=scores.customer_ids,
        probability=scores.probability,
        percentile=scores.percentile,
        band=scores.band,
    )
    money = _value_at_risk(scores)
    chosen = choose(columns, value_at_risk=money, bands=workspace.settings.export.bands)
    workspace.say(f"reasons for {len(chosen):,} customers")
    run_id = f"{workspace.show(moment).replace(':', '')}-v{scores.model.version}"
    rows = export_rows(
        columns,
        chosen,
        reasons=_reasons(workspace, scores, chosen),
        value_at_risk=money,
        target=name,
        cutoff=moment,
        model_version=scores.model.version,
        run_id=run_id,
    )
    written = write_export(rows, folder or workspace.home / "exports", target=name, run_id=run_id)
    known = [row.value_at_risk for row in rows if row.value_at_risk is not None]
    return ExportReport(
        target=name,
        cutoff=moment,
        run_id=run_id,
        scored=len(columns),
        value_at_risk=round(sum(known), 2) if known else None,
        currency=workspace.settings.project.currency,
        written=written,
    )


def _churn_target(workspace: Workspace, target: str | None) -> str:
    churn = [known.name for known in workspace.targets() if known.kind is TargetKind.CHURN]
    if target is not None:
        (chosen,) = workspace.targets((target,))
        if chosen.kind is not TargetKind.CHURN:
            raise UsageError(
                f"{target!r} is a {chosen.kind} target; the export lists customers at risk of churn",
                expected=f"one of {', '.join(churn) or 'none: no churn target is configured'}",
            )
        return target
    if len(churn) != 1:
        raise UsageError(
            f"{len(churn)} churn targets are configured ({', '.join(churn) or 'none'})",
            expected="one, or the one to export",
            remedy="say which with --target" if churn else "add a [targets.churn] table to ebbtide.toml",
        )
    return churn[0]


def _value_at_risk(scores: TargetScores) -> NDArray[np.float64]:
    return value_at_risk(scores.model.target, scores.plan, scores.base, scores.probability)


def _reasons(workspace: Workspace, scores: TargetScores, chosen: NDArray[np.int64]) -> list[list[tuple[str, str]]]:
    values = scores.values[chosen]
    contributions = scores.model.predictor.contributions(values)
    most = workspace.settings.export.reasons
    return [
        [(reason.code, reason.sentence) for reason in scores.model.explainer.reasons(row, moved, n=most)]
        for row, moved in zip(values, contributions, strict=True)
    ]

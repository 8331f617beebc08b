"""``ebbtide monitor``: today's batch scores against those the champion was judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from features.clock import from_us
from pipelines.score import TargetScores, score_targets
from serving.monitor.compare import MonitorResult, compare
from serving.monitor.page import Labels
from serving.monitor.sample import Sample
from serving.monitor.threshold import Threshold
from training.bundle import bundle_folder

if TYPE_CHECKING:
    from pipelines.workspace import Workspace

__all__ = ["REFERENCE_FILE", "MonitorReport", "monitor"]

REFERENCE_FILE = "reference.parquet"
"""Features of the reference customers, beside the bundle: one row a customer, no ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorReport:
    """Verdicts, one a target.

    Parameters
    ----------
    cutoff : datetime
        When the current scores stand; UTC.
    results : mapping of str to MonitorResult
        By target.
    """

    cutoff: datetime
    results: dict[str, MonitorResult]

    @property
    def drifted(self) -> bool:
        """Whether the scores of any target drifted: exit code 3."""
        return any(result.verdict.exit_code for result in self.results.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "cutoff": self.cutoff.isoformat(),
            "drifted": self.drifted,
            "targets": {
                target: result.verdict.to_dict() | {"page": str(result.page)} for target, result in self.results.items()
            },
        }


def monitor(workspace: Workspace, *, cutoff: str | None = None, names: tuple[str, ...] = ()) -> MonitorReport:
    """Score, compare, write the pages to ``home/reports/``.

    Raises
    ------
    EmptyLogError, CutoffError, UsageError, ModelNotFoundError, BundleError, StaleFeedError
        As :func:`pipelines.score.score`.
    """
    snapshot = workspace.snapshot()
    moment = workspace.cutoff(cutoff, snapshot)
    results = {}
    for scores in score_targets(workspace, snapshot, moment, names):
        workspace.say(f"compare {scores.target} scores with the reference")
        results[scores.target] = _compare(workspace, scores, moment)
    return MonitorReport(cutoff=moment, results=results)


def _compare(workspace: Workspace, scores: TargetScores, moment: datetime) -> MonitorResult:
    bundle = scores.model.predictor.bundle
    names = bundle.feature_names
    folder = bundle_folder(workspace.home, scores.target, scores.model.version)
    known = pq.read_table(folder / REFERENCE_FILE)
    tested = from_us(bundle.quality["test_cutoff_us"])
    return compare(
        Sample(scores=bundle.reference, features={name: known[name].to_numpy() for name in names}),
        Sample.of(scores.probability, scores.values, names),
        target=scores.target,
        out_dir=workspace.home / "reports" / f"{scores.target}-{workspace.show(moment).replace(':', '')}",
        labels=Labels(
            project=workspace.settings.project.name,
            reference=f"model version {scores.model.version}, tested at {workspace.show(tested)}",
            current=f"scored at {workspace.show(moment)}",
            meanings={feature.name: feature.description for feature in bundle.features},
        ),
        threshold=Threshold(min_rows=workspace.settings.monitor.min_rows),
    )

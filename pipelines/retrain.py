"""``ebbtide retrain``: panel, training, gate, registry; promoted if the gate says so."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from features.clock import from_us
from features.errors import EbbtideError, GateRefusedError, OneClassError
from pipelines.incumbent import EVALUATED_FILE, evaluated_file, incumbent
from pipelines.models import registry
from pipelines.monitor import REFERENCE_FILE
from pipelines.panels import build_panels
from pipelines.parity_training import Proof, TrainingParity
from pipelines.run_record import bundle_of, documents_of, figures_of, metrics_of, params_of, reference_file
from training.bundle import write_bundle
from training.panel import Panel
from training.registry import Registry
from training.train import Trained, train

if TYPE_CHECKING:
    from features.event_log import Snapshot
    from features.plan import Plan
    from pipelines.workspace import Workspace
    from training.labels import Target

__all__ = ["RetrainReport", "TargetOutcome", "retrain"]

_EXAMPLE_ROWS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutcome:
    """What became of one target.

    Parameters
    ----------
    target : str
    outcome : {"promoted", "provisional", "refused", "unchanged"}
        ``provisional`` serves too; ``unchanged``: the champion is already this very model.
    version : str
        Registered version of the challenger; of the champion if unchanged.
    winner : str
        Which contestant the bundle holds.
    test_cutoff : datetime
        UTC.
    tested_at : str
        The same on the project's calendar, as ``--cutoff`` takes it.
    rows, cutoffs, test_rows : int
        Of the panel, and of its last cutoff.
    base_rate : float
        Mean label of the test rows.
    metrics : mapping of str to mapping of str to float
        By contestant, on the same test rows; the champion is not among them.
    reasons : tuple of str
        The gate's, in full.
    """

    target: str
    outcome: Literal["promoted", "provisional", "refused", "unchanged"]
    version: str
    winner: str
    test_cutoff: datetime
    tested_at: str
    rows: int
    cutoffs: int
    test_rows: int
    base_rate: float
    metrics: Mapping[str, Mapping[str, float]]
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "target": self.target,
            "outcome": self.outcome,
            "version": self.version,
            "winner": self.winner,
            "test_cutoff": self.test_cutoff.isoformat(),
            "tested_at": self.tested_at,
            "rows": self.rows,
            "cutoffs": self.cutoffs,
            "test_rows": self.test_rows,
            "base_rate": self.base_rate,
            "metrics": {name: dict(metrics) for name, metrics in self.metrics.items()},
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainReport:
    """What became of every target.

    Parameters
    ----------
    outcomes : tuple of TargetOutcome
        Of those that could be trained.
    failed : mapping of str to EbbtideError
        Target → why it could not.
    parity : str
        How many replayed pairs equalled the panels' rows.
    """

    outcomes: tuple[TargetOutcome, ...]
    failed: Mapping[str, EbbtideError]
    parity: str

    @property
    def exit_code(self) -> int:
        """0; 3 if a challenger was refused; a failed target's own code before that."""
        if self.failed:
            return max(error.exit_code for error in self.failed.values())
        refused = any(outcome.outcome == "refused" for outcome in self.outcomes)
        return GateRefusedError.exit_code if refused else 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "targets": [outcome.to_dict() for outcome in self.outcomes],
            "failed": {target: str(error) for target, error in self.failed.items()},
            "parity": self.parity,
        }


def retrain(workspace: Workspace, *, cutoff: str | None = None, names: tuple[str, ...] = ()) -> RetrainReport:
    """Train the targets named, or all.

    Parameters
    ----------
    workspace : Workspace
    cutoff : str, optional
        Stands for "now": no event, and no label window, beyond it is used.
    names : tuple of str
        Targets.

    Raises
    ------
    EmptyLogError, CutoffError, UsageError
    HistoryError, OneClassError
        If no target can be trained; with several, those that cannot are in the report.
    ParityError
        If a replayed customer's features differ from the panel's; nothing is trained, and nothing changes.
    """
    snapshot = workspace.snapshot()
    moment = workspace.cutoff(cutoff, snapshot)
    failed: dict[str, EbbtideError] = {}
    parity = TrainingParity(workspace, snapshot)
    panels, plan = build_panels(workspace, snapshot, moment, names, failed, watch=parity.watch)
    proof = parity.prove(plan, panels)
    outcomes = []
    for name in tuple(panels):
        try:  # a panel is let go of once its target is done
            outcomes.append(_train_one(workspace, snapshot, moment, panels.pop(name), plan, proof))
        except EbbtideError as error:
            failed[name] = error
    if failed and not outcomes:
        raise next(iter(failed.values()))
    return RetrainReport(outcomes=tuple(outcomes), failed=failed, parity=proof.sentence)


def _train_one(
    workspace: Workspace, snapshot: Snapshot, moment: datetime, panel: Panel, plan: Plan, proof: Proof
) -> TargetOutcome:
    name = panel.target.name
    workspace.say(f"train {name}: {len(panel):,} rows")
    _require_events(panel.target, snapshot)
    champion = incumbent(workspace, snapshot, panel, plan)
    trained = train(
        panel,
        seed=workspace.settings.retrain.seed,
        threads=workspace.threads,
        incumbent_scores=champion.scores,
        blockers=[champion.blocker] if champion.blocker else [],
    )
    reasons = (*trained.decision.reasons, *([champion.sentence] if champion.sentence else []))
    with tempfile.TemporaryDirectory(prefix="ebbtide-bundle-") as scratch:
        folder = Path(scratch) / "bundle"
        bundle = bundle_of(workspace, trained, plan, moment)
        files = {REFERENCE_FILE: reference_file(trained), EVALUATED_FILE: evaluated_file(trained.evaluated)}
        checksum = write_bundle(bundle, folder, extra_files=files)
        if champion.checksum == checksum:
            text = f"unchanged: champion version {champion.version} is this very model"
            return _outcome(workspace, trained, "unchanged", str(champion.version), (text, *reasons))
        models = registry(workspace)
        if champion.version is not None and (known := _refused_before(models, name, checksum)):
            text = f"refused: version {known} is this very model and was refused before"
            return _outcome(workspace, trained, "refused", known, (text, *reasons))
        workspace.say(f"register {name}")
        status = {"promote": "promoted", "provisional": "provisional", "refuse": "refused"}[trained.decision.outcome]
        recorded = models.record(
            name,
            folder,
            params=params_of(workspace, trained, panel, moment),
            metrics={**metrics_of(trained), **proof.metrics},
            figures=figures_of(trained),
            documents=documents_of(trained, (*reasons, proof.sentence)),
            tags={
                "ebbtide.cutoff": workspace.show(moment),
                "ebbtide.outcome": status,
                "ebbtide.parity": proof.sentence,
            },
            input_example=pd.DataFrame(trained.test_rows[:_EXAMPLE_ROWS], columns=list(trained.feature_names)),
            status=status,
        )
    if trained.decision.outcome == "refuse":
        return _outcome(workspace, trained, "refused", recorded.version, reasons)
    models.promote(name, recorded.version)
    outcome: Literal["promoted", "provisional"] = "promoted" if trained.decision.outcome == "promote" else "provisional"
    return _outcome(workspace, trained, outcome, recorded.version, reasons)


def _refused_before(models: Registry, target: str, checksum: str) -> str | None:
    """Version that is the challenger, is the same bundle, and was refused."""
    for version in models.versions(target):
        if version.checksum == checksum and version.status == "refused" and "challenger" in version.aliases:
            return version.version
    return None


def _require_events(target: Target, snapshot: Snapshot) -> None:
    """Say so where the log lacks what a target is about: counted labels would only say that all are alike."""
    for types in (target.outcome().event_types, target.activity_types):
        if not set(types) & set(snapshot.event_types):
            missing = " or ".join(repr(name) for name in types)
            raise OneClassError(
                f"target {target.name!r}: the log has no event of type {missing}",
                expected=f"one of its types: {', '.join(sorted(snapshot.event_types))}",
                remedy=f"map a table to that event_type, or change the event types of [targets.{target.name}]",
            )


def _outcome(
    workspace: Workspace,
    trained: Trained,
    outcome: Literal["promoted", "provisional", "refused", "unchanged"],
    version: str,
    reasons: tuple[str, ...],
) -> TargetOutcome:
    return TargetOutcome(
        target=trained.target.name,
        outcome=outcome,
        version=version,
        winner=trained.decision.winner,
        test_cutoff=from_us(trained.test_cutoff_us),
        tested_at=workspace.show(from_us(trained.test_cutoff_us)),
        rows=trained.rows_served,
        cutoffs=trained.cutoffs,
        test_rows=int(trained.test_labels.size),
        base_rate=trained.base_rate,
        metrics={contestant.name: contestant.metrics for contestant in trained.contestants},
        reasons=reasons,
    )

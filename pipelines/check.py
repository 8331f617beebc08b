"""``ebbtide check``: whether the log can carry the targets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from features.errors import EbbtideError
from pipelines.panels import build_panels
from training.readiness import Check, log_checks, target_checks

if TYPE_CHECKING:
    from pipelines.workspace import Workspace

__all__ = ["CheckReport", "check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Requirements, each with what was found, what is needed and a remedy."""

    rows: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether all of them are met."""
        return all(row.ok for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"ok": self.ok, "rows": [asdict(row) for row in self.rows]}


def check(workspace: Workspace, *, cutoff: str | None = None) -> CheckReport:
    """Look at the log, and at the labels of every target at its past cutoffs.

    Parameters
    ----------
    workspace : Workspace
    cutoff : str, optional
        Stands for "now", as in ``retrain``.

    Raises
    ------
    EmptyLogError, CutoffError, UsageError
    """
    snapshot = workspace.snapshot()
    moment = workspace.cutoff(cutoff, snapshot)
    too_short: dict[str, EbbtideError] = {}  # the checks of such a target say so themselves
    panels, _ = build_panels(workspace, snapshot, moment, (), too_short)
    rows = list(log_checks(events=snapshot.rows, customers=snapshot.customers))
    for target in workspace.targets():
        rows += target_checks(
            target,
            first_event=snapshot.first_event,
            cutoff=moment,
            event_types=tuple(snapshot.event_types),
            panel=panels.get(target.name),
        )
    return CheckReport(rows=tuple(rows))

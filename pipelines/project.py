"""The Python API: what the command line does, for notebooks and orchestrators."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import UsageError
from pipelines.build import FeatureList, build, list_features
from pipelines.build_panel import PanelReport, write_panel
from pipelines.check import CheckReport, check
from pipelines.export.command import ExportReport, export
from pipelines.ingest import IngestReport, ingest
from pipelines.materialize import materialize
from pipelines.models import ModelList, list_models, promote, rollback
from pipelines.monitor import MonitorReport, monitor
from pipelines.parity import CUSTOMERS, ParityReport, parity
from pipelines.retrain import RetrainReport, retrain
from pipelines.score import score
from pipelines.workspace import open_workspace, silent, system_clock

if TYPE_CHECKING:
    import pandas as pd
__all__ = ["Project"]


class Project:
    """A project, opened from its ``ebbtide.toml``.

    Every method does what the command of the same name does and raises the errors of :mod:`features.errors`.
    A ``cutoff`` is a text as ``--cutoff`` takes it (a local day, or an ISO 8601 time) or an aware datetime; without
    one the last local midnight is used.

    Parameters
    ----------
    config : path
        The configuration file.
    clock : callable, optional
        Tells the time; the system's by default.
    say : callable, optional
        Receives lines of progress; silent by default.

    Examples
    --------
    >>> Project("no-such-folder/ebbtide.toml")
    Traceback (most recent call last):
        ...
    features.errors.UsageError: there is no configuration file no-such-folder/ebbtide.toml. To mend it: run `ebbtide init` to write one, or name yours with `--config`.
    """  # noqa: E501  # the error is one sentence

    def __init__(
        self,
        config: str | Path = "ebbtide.toml",
        *,
        clock: Callable[[], datetime] = system_clock,
        say: Callable[[str], None] = silent,
    ) -> None:
        self.workspace = open_workspace(Path(config), clock=clock, say=say)

    def ingest(
        self, frame: object | None = None, *, block: str | None = None, wait_seconds: float = 0.0
    ) -> IngestReport:
        """Load the configured blocks; with a frame, only the block it stands for.

        Parameters
        ----------
        frame : pandas, Polars or Arrow frame, optional
            Read instead of the block's path.
        block : str, optional
            Name of the block to load; with a frame and a single configured block it may be left out.
        wait_seconds : float
            How long to wait whenever another process is writing the log.
        """
        if frame is None:
            return ingest(self.workspace, only=(block,) if block else (), wait_seconds=wait_seconds)
        return ingest(self.workspace, frames={block or self._only_block(): frame}, wait_seconds=wait_seconds)

    def materialize(self) -> int:
        """Fill the online store from the log; the number of customers written."""
        return materialize(self.workspace)

    def check(self, cutoff: str | datetime | None = None) -> CheckReport:
        """Whether the log can carry the targets: one row a requirement."""
        return check(self.workspace, cutoff=_text(cutoff))

    def build(self, cutoff: str | datetime | None = None) -> pd.DataFrame:
        """Features at a cutoff: one row a customer, indexed by ``customer_id``, null = NaN."""
        return build(self.workspace, cutoff=_text(cutoff)).frame()

    def write_panel(
        self,
        out: str | Path | None = None,
        *,
        cutoffs: Iterable[str | datetime] = (),
        target: str | None = None,
    ) -> PanelReport:
        """Features at several cutoffs, or a target's training panel with labels, as one Parquet file of any size.

        Parameters
        ----------
        out : path, optional
            The file; in ``home/features/`` by default.
        cutoffs : iterable of str or datetime
            Without a target: the cutoffs. With one: at most one, which stands for "now" as in :meth:`retrain`.
        target : str, optional
            Rows are those customers the target applies to, at its past cutoffs, and have a ``label``.
        """
        texts = tuple(str(_text(cutoff)) for cutoff in cutoffs)
        return write_panel(self.workspace, cutoffs=texts, target=target, out=Path(out) if out else None)

    def retrain(self, cutoff: str | datetime | None = None, *, targets: Iterable[str] = ()) -> RetrainReport:
        """Train, evaluate, pass the gate, register; promoted if the gate says so."""
        return retrain(self.workspace, cutoff=_text(cutoff), names=tuple(targets))

    def score(
        self,
        cutoff: str | datetime | None = None,
        *,
        targets: Iterable[str] = (),
        out: str | Path | None = None,
    ) -> pd.DataFrame:
        """Scores at a cutoff: one row an eligible customer and target."""
        report = score(self.workspace, cutoff=_text(cutoff), names=tuple(targets), out=Path(out) if out else None)
        return report.frame()

    def export(self, cutoff: str | datetime | None = None, *, target: str | None = None) -> ExportReport:
        """Write the list of at-risk customers for the CRM."""
        return export(self.workspace, cutoff=_text(cutoff), target=target)

    def monitor(self, cutoff: str | datetime | None = None, *, targets: Iterable[str] = ()) -> MonitorReport:
        """Compare batch scores with those the champions were judged by."""
        return monitor(self.workspace, cutoff=_text(cutoff), names=tuple(targets))

    def models(self, target: str | None = None) -> ModelList:
        """Registered versions, newest first."""
        return list_models(self.workspace, target)

    def promote(self, target: str, version: str) -> None:
        """Make a version the champion."""
        promote(self.workspace, target, version)

    def rollback(self, target: str) -> str:
        """Return to the champion before; the version that serves now."""
        return rollback(self.workspace, target).version

    def features(self) -> FeatureList:
        """The features of this log: name, unit, windows, null meaning."""
        return list_features(self.workspace)

    def parity(
        self,
        cutoffs: Iterable[str | datetime] = (),
        *,
        customers: int | None = CUSTOMERS,
        seed: int | None = None,
        targets: Iterable[str] = (),
    ) -> ParityReport:
        """Replay customers' events as they arrived, compared bit for bit; all customers if None."""
        moments = [moment.isoformat() if isinstance(moment, datetime) else moment for moment in cutoffs]
        return parity(self.workspace, cutoffs=moments, count=customers, seed=seed, names=tuple(targets))

    def _only_block(self) -> str:
        names = [block.name for block in self.workspace.settings.events]
        if len(names) > 1:
            raise UsageError(
                f"the frame could be any of {len(names)} [[events]] blocks",
                remedy=f"say which: block={names[0]!r}",
            )
        return str(names[0])


def _text(cutoff: str | datetime | None) -> str | None:
    return cutoff.isoformat() if isinstance(cutoff, datetime) else cutoff

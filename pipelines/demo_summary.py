"""The demo's summary: one page of plain text."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.show import table_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.check import CheckReport
    from pipelines.export.command import ExportReport
    from pipelines.ingest import IngestReport
    from pipelines.monitor import MonitorReport
    from pipelines.realised import Realised
    from pipelines.retrain import RetrainReport, TargetOutcome
    from pipelines.score import ScoreReport

__all__ = ["CUTOFF", "Asked", "Summary", "summary_text"]

CUTOFF: Final = "2017-12-04"
"""The Monday the demo stands on: four weeks before the data end, so that what it predicts can be looked up."""

_SHOWN = ("auc", "log_loss", "ece", "lift_top_decile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the running service answered.

    Parameters
    ----------
    requests : int
        Requests sent, one customer each, with reasons.
    p50_ms, p99_ms : float
        Their latency, milliseconds.
    equal : int
        Probabilities that equal the batch file's to the last bit.
    compared : int
        Probabilities compared.
    example : str
        One customer's answer in a sentence.
    """

    requests: int
    p50_ms: float
    p99_ms: float
    equal: int
    compared: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What every stage of the demo reported."""

    folder: Path
    ingested: IngestReport
    readiness: CheckReport
    trained: RetrainReport
    scores: ScoreReport
    happened: Sequence[Realised]
    asked: Asked
    exported: ExportReport
    drift: MonitorReport
    seconds: float


def summary_text(summary: Summary) -> str:
    """The summary as text, ending with what to look at next."""
    return "\n".join([*_data(summary), *_models(summary), *_use(summary), *_next(summary)])


def _data(summary: Summary) -> Iterator[str]:
    ingested, ready = summary.ingested, summary.readiness
    yield f"Ebbtide demo: The Complete Journey, scored at {summary.scores.cutoff:%Y-%m-%d} ({summary.seconds:.0f} s)"
    yield ""
    yield (
        f"ingest    {ingested.read:,} rows read, {ingested.accepted:,} events added, {ingested.quarantined:,} "
        f"quarantined; the log holds {ingested.rows:,} events of {ingested.customers:,} customers"
    )
    met = sum(row.ok for row in ready.rows)
    yield f"check     {met} of {len(ready.rows)} requirements met: {'ready' if ready.ok else 'not ready'} to train"


def _models(summary: Summary) -> Iterator[str]:
    for outcome in summary.trained.outcomes:
        yield ""
        yield (
            f"{outcome.target}: {outcome.outcome}, version {outcome.version} ({outcome.winner}); panel of "
            f"{outcome.rows:,} rows, {outcome.cutoffs} cutoffs; tested at {outcome.tested_at} on "
            f"{outcome.test_rows:,} customers, {outcome.base_rate:.1%} with the outcome"
        )
        yield _indent(_quality(outcome, summary.happened))


def _quality(outcome: TargetOutcome, happened: Sequence[Realised]) -> str:
    rows = [(name, *(f"{metrics[key]:.3f}" for key in _SHOWN)) for name, metrics in outcome.metrics.items()]
    rows += [
        (
            f"what then happened ({one.customers:,} customers, {one.base_rate:.1%})",
            f"{one.auc:.3f}",
            f"{one.log_loss:.3f}",
            "",
            f"{one.lift_top_decile:.3f}",
        )
        for one in happened
        if one.target == outcome.target
    ]
    return table_text(("", "AUC", "log loss", "ECE", "lift, top tenth"), rows, numbers=(1, 2, 3, 4))


def _use(summary: Summary) -> Iterator[str]:
    asked, exported = summary.asked, summary.exported
    scored = ", ".join(f"{len(one.customer_ids):,} {one.target}" for one in summary.scores.targets)
    yield ""
    yield f"score     {scored}: {_shown(summary, summary.scores.out)}"
    yield (
        f"serve     {asked.requests} requests over HTTP with reasons: p50 {asked.p50_ms:.1f} ms, p99 "
        f"{asked.p99_ms:.1f} ms; {asked.equal} of {asked.compared} probabilities equal the batch file's to the last bit"
    )
    yield f"          {asked.example}"
    money = "" if exported.value_at_risk is None else f", {exported.value_at_risk:,.0f} {exported.currency} at risk"
    yield f"export    {exported.written.rows:,} customers{money}: {_shown(summary, exported.written.csv)}"
    for result in summary.drift.results.values():
        yield f"monitor   {result.verdict.sentence}"
        yield f"          {_shown(summary, result.page)}"


def _next(summary: Summary) -> Iterator[str]:
    yield ""
    command = os.path.relpath(Path(sys.executable).with_name("ebbtide"), summary.folder)
    yield "Look at the pages above in a browser, and at the list in a spreadsheet. Then, on the same project:"
    yield f"  cd {summary.folder}"
    yield f"  {command} models list"
    yield f"  {command} score --cutoff {CUTOFF}"
    yield f"  {command} serve             # then: curl -s localhost:3000/v1/model"
    yield f"  {Path(command).with_name('mlflow')} ui --backend-store-uri sqlite:///mlruns/mlflow.db"


def _shown(summary: Summary, path: Path) -> Path:
    """A path as it is seen from where the demo was started."""
    return summary.folder / path.relative_to(summary.folder.resolve())


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())

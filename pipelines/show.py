"""What a person reads on stdout: one function a command."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from pipelines.build import BuildReport, FeatureList
    from pipelines.build_panel import PanelReport
    from pipelines.check import CheckReport
    from pipelines.export.command import ExportReport
    from pipelines.ingest import IngestReport
    from pipelines.models import ModelList
    from pipelines.monitor import MonitorReport
    from pipelines.parity import ParityReport
    from pipelines.retrain import RetrainReport, TargetOutcome
    from pipelines.score import ScoreReport

__all__ = [
    "line",
    "show_build",
    "show_check",
    "show_export",
    "show_features",
    "show_ingest",
    "show_models",
    "show_monitor",
    "show_parity",
    "show_quality",
    "show_retrain",
    "show_score",
    "table",
    "table_text",
]

_UNLIMITED: Final = 100_000
"""Width of what is piped: a table is as wide as its cells, so that every row is one line and no name is broken."""


def show_ingest(report: IngestReport) -> None:
    """Counts by block, then what the log holds."""
    table(
        ("block", "read", "added", "duplicates", "corrections", "quarantined"),
        [
            (
                block.block,
                f"{block.read:,}",
                f"{block.accepted:,}",
                f"{block.duplicates:,}",
                f"{block.corrections:,}",
                f"{sum(block.quarantined.values()):,}",
            )
            for block in report.blocks
        ],
        numbers=(1, 2, 3, 4, 5),
    )
    for block in report.blocks:
        for reason, count in sorted(block.quarantined.items(), key=lambda item: -item[1]):
            line(f"  {block.block}: {count:,} rows put aside: {reason}")
    if report.customer_rows is not None:
        line(f"{report.customer_rows:,} rows in the table of customers")
    line(f"the log holds {report.rows:,} events of {report.customers:,} customers")


def show_check(report: CheckReport) -> None:
    """One row a requirement, the remedies of those that fail, and a verdict."""
    table(
        ("", "what", "found", "needed"),
        [("ok" if row.ok else "NO", row.what, row.found, row.needed) for row in report.rows],
    )
    for row in report.rows:
        if not row.ok:
            line(f"{row.what}: {row.remedy}")
    line("ready to train" if report.ok else "not ready to train")


def show_build(report: BuildReport | PanelReport) -> None:
    """Counts and the file."""
    from pipelines.build_panel import PanelReport

    if isinstance(report, PanelReport):
        _show_panel(report)
        return
    count, width = len(report.customer_ids), len(report.plan.feature_names)
    line(f"{count:,} customers with {width} features each at {report.cutoff:%Y-%m-%d %H:%M} UTC")
    line(f"fingerprint {report.plan.fingerprint[:12]}")
    line(f"wrote {report.out}")


def _show_panel(report: PanelReport) -> None:
    first, last = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in (report.cutoffs[0], report.cutoffs[-1]))
    line(f"{report.rows:,} rows of {report.customers:,} customers with {len(report.plan.feature_names)} features each")
    line(f"{len(report.cutoffs)} cutoffs, {first} to {last}")
    if report.label_mean is not None:
        line(f"labels of {report.target}, mean {report.label_mean:.4f}")
    line(f"fingerprint {report.plan.fingerprint[:12]}")
    line(f"wrote {report.out}")


def show_features(report: FeatureList) -> None:
    """The features of the log, then what was left out and why."""
    table(
        ("feature", "family", "unit", "window", "null when", "meaning"),
        [
            (one["name"], one["family"], one["unit"], one["window"], one["null_when"], one["description"])
            for one in report.to_dict()["features"]
        ],
    )
    for one in report.left_out:
        line(f"left out {one.name}: {one.reason}")
    for warning in report.warnings:
        line(f"warning: {warning}")
    line(f"{len(report.features)} features, fingerprint {report.fingerprint[:12]}")


def show_parity(report: ParityReport) -> None:
    """What was replayed, then what differs, or that nothing does."""
    tally, sample = report.tally, report.sample
    kinds = ", ".join(f"{count:,} {name}" for name, count in sample.strata.items() if count)
    line(f"{len(sample.buckets):,} customers ({kinds}) at {', '.join(report.cutoffs)}; {report.features} features")
    if sample.left_out:
        line(f"{sample.left_out:,} customers have too many events to be replayed and were left out")
    line(
        f"{tally.pairs:,} pairs replayed ({tally.empty:,} without events, {tally.rebuilt:,} stale: rebuilt from the "
        f"log), {tally.bulk:,} states made in bulk, {tally.values:,} numbers compared"
    )
    if tally.corrected_later:
        line(f"{tally.corrected_later:,} pairs miss an event that was corrected after the cutoff, as training does")
    for one in tally.first:
        line(f"  {one.sentence()}")
    if tally.different > len(tally.first):
        line(f"  and {tally.different - len(tally.first):,} more")
    line("every bit is equal" if report.ok else f"{tally.different:,} numbers differ: this is a bug, please report it")


def show_retrain(report: RetrainReport) -> None:
    """Each target's test figures beside the yardsticks, and what the gate decided."""
    for outcome in report.outcomes:
        show_quality(outcome)
        for reason in outcome.reasons:
            line(f"  {reason}")
        line("")
    for target, error in report.failed.items():
        line(f"{target}: not trained. {error}")
    line(report.parity)


def show_quality(outcome: TargetOutcome) -> None:
    """Model and yardsticks on the same test customers."""
    line(
        f"{outcome.target}: {outcome.outcome} (version {outcome.version}, {outcome.winner}); {outcome.rows:,} rows of "
        f"{outcome.cutoffs} cutoffs; tested at {outcome.tested_at} on {outcome.test_rows:,} customers, "
        f"mean outcome {outcome.base_rate:.3f}"
    )
    names = tuple(dict.fromkeys(name for metrics in outcome.metrics.values() for name in metrics))
    table(
        ("", *(name.replace("_", " ") for name in names)),
        [
            (contestant, *(f"{metrics[name]:.3f}" if name in metrics else "" for name in names))
            for contestant, metrics in outcome.metrics.items()
        ],
        numbers=range(1, len(names) + 1),
    )


def show_models(report: ModelList) -> None:
    """Versions with their aliases."""
    if not report.versions:
        line("no model is registered yet; run `ebbtide retrain`")
        return
    table(
        ("target", "version", "alias", "status", "created (UTC)", "checksum"),
        [
            (
                version.target,
                version.version,
                ", ".join(version.aliases),
                version.status,
                f"{version.created:%Y-%m-%d %H:%M}",
                version.checksum[:12],
            )
            for version in report.versions
        ],
    )


def show_score(report: ScoreReport) -> None:
    """Counts by target and band, and the file."""
    rows = report.to_dict()["targets"]
    table(
        ("target", "model", "scored", "not eligible", "mean", "high", "medium", "low"),
        [
            (
                row["target"],
                f"version {row['model_version']}",
                f"{row['scored']:,}",
                f"{row['not_eligible']:,}",
                "" if row["mean"] is None else f"{row['mean']:.3f}",
                *(f"{row['bands'][band]:,}" for band in ("high", "medium", "low")),
            )
            for row in rows
        ],
        numbers=(2, 3, 4, 5, 6, 7),
    )
    line(f"cutoff {report.cutoff:%Y-%m-%d %H:%M} UTC; wrote {report.out}")


def show_export(report: ExportReport) -> None:
    """How many, worth how much, where."""
    line(report.written.sentence)
    if report.value_at_risk is not None:
        line(f"value at risk: {report.value_at_risk:,.2f} {report.currency}")
    line(f"wrote {report.written.csv}")
    line(f"wrote {report.written.parquet}")


def show_monitor(report: MonitorReport) -> None:
    """The verdict on each target's scores, and the features that moved most."""
    for target, result in report.results.items():
        verdict = result.verdict
        line(f"{target}: {verdict.kind.replace('_', ' ')}. {verdict.sentence}")
        moved = [finding for finding in verdict.features if finding.drifted]
        line(
            f"  {len(moved)} of {len(verdict.features)} features moved"
            + (
                ": " + ", ".join(finding.name for finding in moved[:5]) + (" …" if len(moved) > 5 else "")
                if moved
                else ""
            )
        )
        line(f"  look at {result.page}")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> None:
    """Print aligned columns; those listed in ``numbers`` to the right. Only a terminal breaks long cells."""
    if sys.stdout.isatty():
        _console().print(_grid(header, rows, numbers))
    else:
        sys.stdout.write(table_text(header, rows, numbers=numbers) + "\n")


def table_text(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """Aligned columns as plain text, without trailing blanks."""
    plain = Console(width=_UNLIMITED, file=io.StringIO(), color_system=None)
    with plain.capture() as captured:
        plain.print(_grid(header, rows, numbers))
    return "\n".join(text.rstrip() for text in captured.get().splitlines())


def line(text: str) -> None:
    """One line, never wrapped or coloured by its content."""
    _console().print(text, highlight=False, markup=False, soft_wrap=True)


def _console() -> Console:
    """Made anew, so that it writes to what stdout is now."""
    return Console(width=None if sys.stdout.isatty() else _UNLIMITED)


def _grid(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int]) -> Table:
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for position, name in enumerate(header):
        grid.add_column(name, justify="right" if position in numbers else "left", overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid

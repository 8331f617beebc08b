"""What a person reads of a simulation on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.show import line

if TYPE_CHECKING:
    from pipelines.simulate.run import SimulationReport

__all__ = ["show_simulation"]


def show_simulation(report: SimulationReport) -> None:
    """Counts, where, and what to do next."""
    dirty = sum(report.dirty.values())
    line(f"{report.preset}: {report.rows:,} rows of {report.customers:,} customers")
    line(f"  {report.duplicates:,} are delivered twice, {dirty:,} are no events")
    line(f"  {report.truths:,} true values in truth/targets.parquet")
    line(f"wrote {report.out}; next: ebbtide ingest --config {report.out / 'ebbtide.toml'}")

"""``ebbtide simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli_options import AsJson, print_report, progress

__all__ = ["simulate"]


def simulate(
    preset: Annotated[str, typer.Option(help="Which shop; docs/simulate.md describes them.")],
    customers: Annotated[int, typer.Option(help="Customers of the first generation; invited ones come on top.")],
    out: Annotated[Path, typer.Option(help="Folder to make: the log, its tables, the truth, and an ebbtide.toml.")],
    days: Annotated[int | None, typer.Option(help="Length of the log.")] = None,
    end: Annotated[str | None, typer.Option(help="First day after the log, instead of --days.")] = None,
    start: Annotated[str, typer.Option(help="First day of the log, UTC.")] = "2023-01-01",
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    inject: Annotated[
        list[str] | None, typer.Option(help="NAME@DATE:STRENGTH: a change put in on purpose; may be repeated.")
    ] = None,
    late: Annotated[float, typer.Option(help="Share of rows that arrive late.")] = 0.02,
    duplicates: Annotated[float, typer.Option(help="Share of rows that are delivered twice.")] = 0.005,
    dirty: Annotated[float, typer.Option(help="Rows that are no events, added as a share of the others.")] = 0.002,
    truth_every: Annotated[int, typer.Option(help="Days between the cutoffs of truth/targets.parquet; 0: none.")] = 7,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all processors by default.")] = None,
    by_day: Annotated[bool, typer.Option("--by-day", help="One file a day of receipt.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier simulation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a shop whose truth is known: a log in the whole vocabulary, and what no log tells."""
    from pipelines.show_simulate import show_simulation
    from pipelines.simulate import make_plan
    from pipelines.simulate import simulate as run
    from pipelines.workspace import system_clock

    plan = make_plan(
        preset,
        customers=customers,
        days=days,
        seed=seed,
        start=start,
        end=end,
        inject=inject or (),
        late=late,
        duplicates=duplicates,
        dirty=dirty,
        truth_every=truth_every,
        by_day=by_day,
        today=system_clock().date(),
    )
    print_report(run(plan, out, threads=threads, force=force, say=progress()), show_simulation, as_json=as_json)

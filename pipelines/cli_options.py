"""What the commands share: their common options, opening the project, printing, progress on stderr."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.project import Project

__all__ = [
    "DEFAULT_CONFIG",
    "AsJson",
    "Config",
    "Cutoff",
    "Report",
    "TargetNames",
    "open_project",
    "print_report",
    "progress",
    "say",
]

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]
Cutoff = Annotated[
    str | None,
    typer.Option(
        "--cutoff",
        help="Local day (YYYY-MM-DD: its midnight) or ISO time; the last local midnight if not given.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
TargetNames = Annotated[
    list[str] | None, typer.Option("--target", help="Only this target; may be repeated. All if not given.")
]

DEFAULT_CONFIG = Path("ebbtide.toml")


class Report(Protocol):
    """What a command returns."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""


def open_project(config: Path) -> Project:
    """The project of a configuration file, telling its progress on stderr."""
    from pipelines.project import Project

    return Project(config, say=progress())


def say(values: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print a sentence, or its values as JSON."""
    typer.echo(json.dumps(values, ensure_ascii=False, indent=2) if as_json else sentence)


def print_report(report: Report, show: Callable[[Any], None], *, as_json: bool) -> None:
    """Print a report for a person, or as JSON."""
    if as_json:
        typer.echo(json.dumps(report.to_dict(), ensure_ascii=False, indent=2, default=str))
    else:
        show(report)


def progress() -> Callable[[str], None]:
    """Lines on stderr with the seconds since the start."""
    start = time.monotonic()

    def say(message: str) -> None:
        typer.echo(f"[{time.monotonic() - start:5.1f} s] {message}", err=True)

    return say

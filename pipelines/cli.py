"""``ebbtide``: a command parses, calls one function, and prints. Results go to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from features.errors import EbbtideError
from pipelines.cli_features import features_app
from pipelines.cli_options import (
    DEFAULT_CONFIG,
    AsJson,
    Config,
    Cutoff,
    TargetNames,
    open_project,
    print_report,
    progress,
    say,
)
from pipelines.cli_simulate import simulate

__all__ = ["app", "main"]

_TELEMETRY_OFF = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "BENTOML_DO_NOT_TRACK": "True"}

app = typer.Typer(
    help="See who is drifting away before they are gone: from a raw event log to scores, a CRM list and a verdict.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
models_app = typer.Typer(help="List, promote and roll back models.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(features_app, name="features")

_INTERRUPTED = "Query interrupted"  # how DuckDB passes a Ctrl-C on


def main() -> None:
    """Entry point: errors of ours become one screen on stderr and their exit code."""
    for name, value in _TELEMETRY_OFF.items():
        os.environ.setdefault(name, value)
    try:
        app()
    except EbbtideError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except RuntimeError as error:
        if str(error) != _INTERRUPTED:
            raise
        typer.echo("interrupted; the same command again finishes what was begun", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # a folder that may not be written, a full disk
        typer.echo(f"error: {error.filename2 or error.filename or 'a file'}: {error.strerror or error}", err=True)
        sys.exit(1)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to write ebbtide.toml.")] = Path(),
    name: Annotated[str | None, typer.Option(help="Name of the project; the folder's by default.")] = None,
    timezone: Annotated[str, typer.Option(help="IANA time zone of the shop.")] = "UTC",
) -> None:
    """Write a commented ebbtide.toml to start from."""
    from pipelines.init import init as write

    path = write(folder, name=name, timezone=timezone)
    typer.echo(f"wrote {path}; edit it, then run: ebbtide ingest --config {path}")


@app.command()
def ingest(
    block: Annotated[
        list[str] | None, typer.Option("--block", help="Only this [[events]] block; may be repeated.")
    ] = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0, metavar="SECONDS", help="Wait so long if another process writes the log.")
    ] = 0,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Load the raw tables and the live events into the event log. Exit 75 if another process is writing it."""
    from pipelines.ingest import ingest as run
    from pipelines.show import show_ingest

    report = run(open_project(config).workspace, only=tuple(block or ()), wait_seconds=wait)
    print_report(report, show_ingest, as_json=as_json)


@app.command()
def check(cutoff: Cutoff = None, config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Say whether the log can carry the targets: found, needed, remedy. Exit 3 if something is missing."""
    from pipelines.show import show_check

    report = open_project(config).check(cutoff)
    print_report(report, show_check, as_json=as_json)
    if not report.ok:
        raise typer.Exit(3)


@app.command()
def build(
    out: Annotated[Path | None, typer.Option("--out", help="Parquet file to write; home/features/ by default.")] = None,
    cutoff: Annotated[list[str] | None, typer.Option(help="Local day or ISO time; may be repeated.")] = None,
    target: Annotated[str | None, typer.Option(help="Write this target's training panel, with labels.")] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write features: every customer's at one cutoff or at several, or the labelled panel that retrain learns from."""
    from pipelines.build_panel import write
    from pipelines.show import show_build

    report = write(open_project(config).workspace, cutoffs=tuple(cutoff or ()), target=target, out=out)
    print_report(report, show_build, as_json=as_json)


@app.command()
def retrain(
    target: TargetNames = None,
    cutoff: Cutoff = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Train, evaluate, pass the gate, register. Exit 3 if the gate refused a challenger."""
    from pipelines.show import show_retrain

    report = open_project(config).retrain(cutoff, targets=target or ())
    print_report(report, show_retrain, as_json=as_json)
    raise typer.Exit(report.exit_code)


@models_app.command("list")
def models_list(
    target: Annotated[str | None, typer.Argument(help="Only this target.")] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Registered versions, newest first."""
    from pipelines.show import show_models

    print_report(open_project(config).models(target), show_models, as_json=as_json)


@models_app.command("promote")
def models_promote(
    target: Annotated[str, typer.Argument()],
    version: Annotated[str, typer.Argument()],
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Make a version the champion; services follow by themselves."""
    open_project(config).promote(target, version)
    say({"target": target, "champion": version}, f"{target} version {version} is the champion now", as_json=as_json)


@models_app.command("rollback")
def models_rollback(
    target: Annotated[str, typer.Argument()], config: Config = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Return to the champion before this one."""
    version = open_project(config).rollback(target)
    say({"target": target, "champion": version}, f"{target} version {version} is the champion again", as_json=as_json)


@app.command()
def score(
    out: Annotated[Path | None, typer.Option("--out", help="Parquet file to write; home/scores/ by default.")] = None,
    target: TargetNames = None,
    cutoff: Cutoff = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Score every eligible customer: one row a customer and target."""
    from pipelines.score import score as run
    from pipelines.show import show_score

    report = run(open_project(config).workspace, cutoff=cutoff, names=tuple(target or ()), out=out)
    print_report(report, show_score, as_json=as_json)


@app.command()
def export(
    target: Annotated[str | None, typer.Option("--target", help="A churn target; the only one if not given.")] = None,
    cutoff: Cutoff = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write the list of at-risk customers for the CRM: CSV and Parquet."""
    from pipelines.show import show_export

    print_report(open_project(config).export(cutoff, target=target), show_export, as_json=as_json)


@app.command()
def monitor(
    target: TargetNames = None,
    cutoff: Cutoff = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Compare batch scores with those the champion was judged by. Exit 3 if the scores drifted."""
    from pipelines.show import show_monitor

    report = open_project(config).monitor(cutoff, targets=target or ())
    print_report(report, show_monitor, as_json=as_json)
    if report.drifted:
        raise typer.Exit(3)


@app.command()
def materialize(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Fill the online store from the log."""
    count = open_project(config).materialize()
    say({"customers": count}, f"{count:,} customers in the online store", as_json=as_json)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind; [serving] host by default.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind; [serving] port by default.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; [serving] workers by default.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Serve scores over HTTP until stopped (Ctrl-C or SIGTERM)."""
    from pipelines.serve import serve as run

    run(open_project(config).workspace, host=host, port=port, workers=workers)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Project folder to make.")] = Path("demo"),
) -> None:
    """The whole loop on The Complete Journey: ingest to drift verdict, with the HTTP service in between."""
    from pipelines.demo import demo as run

    run(folder, say=progress())


app.command()(simulate)


@app.command(hidden=True)
def warm() -> None:
    """Compile the feature kernel into its cache, so that the first command does not wait for it."""
    from pipelines.warm import warm as compile_kernel

    compile_kernel()

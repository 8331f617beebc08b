"""``ebbtide features``: list them, or prove them with ``ebbtide features parity``."""

from __future__ import annotations

from typing import Annotated

import typer

from features.errors import UsageError
from pipelines.cli_options import DEFAULT_CONFIG, AsJson, Config, TargetNames, open_project, print_report

__all__ = ["features_app"]

features_app = typer.Typer(help="List the features of this log, or prove them.", invoke_without_command=True)


@features_app.callback()
def features(context: typer.Context, config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the features of this log: name, unit, window, null meaning."""
    if context.invoked_subcommand is not None:
        if as_json or config != DEFAULT_CONFIG:
            raise UsageError(
                f"options stand before `{context.invoked_subcommand}`",
                remedy=f"put them after it: `ebbtide features {context.invoked_subcommand} --config FILE`",
            )
        return
    from pipelines.build import list_features
    from pipelines.show import show_features

    print_report(list_features(open_project(config).workspace), show_features, as_json=as_json)


@features_app.command("parity")
def features_parity(
    cutoff: Annotated[
        list[str] | None,
        typer.Option("--cutoff", help="Local day or ISO time; may be repeated. Spread over the log if not given."),
    ] = None,
    cutoffs: Annotated[int, typer.Option("--cutoffs", min=1, help="How many to spread over the log.")] = 5,
    customers: Annotated[str, typer.Option("--customers", metavar="N|all", help="How many to replay.")] = "200",
    seed: Annotated[int | None, typer.Option(min=0, help="Of the sample; [retrain] seed by default.")] = None,
    target: TargetNames = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Replay customers' events as they arrived and compare with the batch table bit for bit. Exit 1 if bits differ."""
    from pipelines.parity import parity, sample_size
    from pipelines.show import show_parity

    report = parity(
        open_project(config).workspace,
        cutoffs=cutoff or (),
        cutoff_count=cutoffs,
        count=sample_size(customers),
        seed=seed,
        names=tuple(target or ()),
    )
    print_report(report, show_parity, as_json=as_json)
    if not report.ok:
        raise typer.Exit(1)

"""The champions of a project for batch work: like the service's, but a missing or damaged one is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.errors import BundleError, ModelNotFoundError
from serving.champions import Champions, load_champions

if TYPE_CHECKING:
    from pipelines.workspace import Workspace

__all__ = ["batch_champions"]


def batch_champions(workspace: Workspace, names: tuple[str, ...] = ()) -> Champions:
    """Champions of the targets named, or of all configured ones that have one.

    Raises
    ------
    UsageError
        If a name is unknown.
    ModelNotFoundError
        If a named target, or every target, is without a champion.
    BundleError
        If a champion's bundle is damaged, or its features are not what this version computes.
    """
    targets = workspace.targets(names)
    champions = load_champions(
        workspace.home,
        [target.name for target in targets],
        currency=workspace.settings.project.currency,
        now=workspace.clock(),
    )
    if champions.refused:
        raise BundleError("; ".join(f"{target}: {why}" for target, why in champions.refused.items()))
    missing = [target.name for target in targets if target.name not in champions.models]
    if missing and (names or not champions.models):
        raise ModelNotFoundError(
            f"there is no champion for {', '.join(missing)}",
            expected="a promoted model",
            remedy="run `ebbtide retrain`",
        )
    for name in missing:
        workspace.say(f"{name}: no champion yet, left out")
    for target in targets:
        if target.name in champions.models and champions.models[target.name].target != target:
            workspace.say(
                f"warning: [targets.{target.name}] was edited after its champion was trained; scores follow the "
                "definition it was trained with until the next `ebbtide retrain`"
            )
    return champions

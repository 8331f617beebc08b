"""``ebbtide serve``: the scoring service of a project, in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving import launch
from serving.config import ServingConfig

if TYPE_CHECKING:
    from pipelines.workspace import Workspace
    from serving.launch import Service

__all__ = ["serve", "serving_config"]


def serving_config(
    workspace: Workspace, *, host: str | None = None, port: int | None = None, workers: int | None = None
) -> ServingConfig:
    """What the service is told, from the configuration and what the command line overrides."""
    settings = workspace.settings.serving
    return ServingConfig(
        home=str(workspace.home),
        timezone=workspace.timezone,
        currency=workspace.settings.project.currency,
        targets=tuple(target.name for target in workspace.targets()),
        store_url=workspace.settings.store.url,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        workers=settings.workers if workers is None else workers,
        keys_file=str(workspace.root / settings.keys_file) if settings.keys_file else None,
    )


def serve(
    workspace: Workspace, *, host: str | None = None, port: int | None = None, workers: int | None = None
) -> None:
    """Serve until stopped.

    Raises
    ------
    UsageError
        If the address is not localhost and there is no key file.
    PortInUseError
        If the port is taken.
    ServiceError
        If the service does not become ready, or ends by itself.
    """

    def ready(service: Service) -> None:
        if service.notice:
            workspace.say(f"warning: {service.notice}")
        workspace.say(f"serving on {service.url}; stop with Ctrl-C")
        workspace.say(f"try: {service.example}")

    workspace.say("start the service")
    launch.serve(serving_config(workspace, host=host, port=port, workers=workers), on_ready=ready)
    workspace.say("stopped")

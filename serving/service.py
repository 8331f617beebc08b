"""The BentoML service: lifecycle, workers, packaging. The only file that imports BentoML.

BentoML's own access log, metrics and tracing are off: they cost more than a score (:mod:`serving.metrics` has ours).
The routes are one raw ASGI app, mounted at ``/v1`` and also BentoML's outermost middleware, which answers every request
itself: BentoML would redirect a mount at ``/metrics``, and its router takes no line break in a path, though an id may
have one.
"""

from __future__ import annotations

import os

# Before BentoML is imported: it reads these when it is.
os.environ["BENTOML_DO_NOT_TRACK"] = "True"
os.environ["DO_NOT_TRACK"] = "true"
os.environ["OTEL_SDK_DISABLED"] = "true"

import logging
import warnings
from datetime import UTC, datetime
from typing import Final

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # BentoML's, about a pattern of pathspec's
    from bentoml import asgi_app, on_shutdown, service

from features.errors import EbbtideError
from serving.api import Api, AsgiApp, Receive, Scope, Send
from serving.config import ENVIRONMENT_KEY, ServingConfig
from serving.handlers import Handlers
from serving.runtime import Runtime, freeze_memory, open_runtime

__all__ = ["EbbtideService"]

_LOG: Final = logging.getLogger("bentoml.ebbtide")


class _Worker:
    """What this worker process serves with; BentoML makes the service, so it cannot be handed to it."""

    def __init__(self) -> None:
        self.runtime: Runtime | None = None
        self.failure = ""
        self.api = Api(Handlers(lambda: self.runtime, lambda: self.failure).table())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.api(scope, receive, send)

    def open(self) -> None:
        """Open and warm up; a failure is told by /readyz, where whoever started the service looks."""
        try:
            config = ServingConfig.from_environment()
            self.runtime = open_runtime(config, lambda: datetime.now(UTC))
        except EbbtideError as error:
            self.failure = str(error)
            _LOG.error("%s", error)  # the message is for people; a traceback is not
            return
        self.api.admit(self.runtime)
        if not self.runtime.keys:
            _LOG.warning("no API key is set: whoever can reach %s may score, write and delete", config.host)
        freeze_memory()

    def close(self) -> None:
        """Close what was opened."""
        if self.runtime is not None:
            self.runtime.close()


_WORKER: Final = _Worker()


class _Front:
    """Middleware that answers everything but the lifespan, which is BentoML's."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:
            await _WORKER(scope, receive, send)


def _workers() -> int:
    return ServingConfig.from_environment().workers if os.environ.get(ENVIRONMENT_KEY) else 1


@service(
    name="ebbtide",
    workers=_workers(),
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
    tracing={"excluded_urls": ".*"},
)
@asgi_app(_WORKER, path="/v1")
class EbbtideService:
    """Scores of a shop's customers, now."""

    def __init__(self) -> None:
        _WORKER.open()

    def __is_ready__(self) -> bool:
        """Whether scores can be had; BentoML's own /readyz asks."""
        return _WORKER.runtime is not None and not _WORKER.runtime.why_not_ready()

    @on_shutdown  # type: ignore[untyped-decorator]  # BentoML is not typed there
    def close(self) -> None:
        """Write what is waiting and let go of the store."""
        _WORKER.close()


EbbtideService.add_asgi_middleware(_Front)  # type: ignore[attr-defined]  # the decorator made it a Service

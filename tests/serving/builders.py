"""A project's home with a small champion, and the app over it, called without sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from serving.api import Api
from serving.config import ServingConfig
from serving.handlers import Handlers
from serving.runtime import Runtime, open_runtime
from tests.training.bundle_builders import bundle
from training.bundle import Bundle, Pointer, bundle_folder, write_bundle, write_pointer
from training.estimator import Calibrator, MeanSpend
from training.labels import Target, TargetKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOW, HIGH = 0.2689414213699951, 0.8807970779778823
"""sigmoid(-1) and sigmoid(2): the stump's probabilities for a last purchase within 30 days, and for an older one."""

CHURN = Target(name="churn", kind=TargetKind.CHURN, event_types=("purchase",), active_within_days=60, horizon_days=28)
WINBACK = Target(
    name="winback",
    kind=TargetKind.CONVERSION,
    event_types=("purchase",),
    inactive_for_days=60,
    active_within_days=365,
    horizon_days=28,
)


def days_ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def purchase(days: float, **columns: object) -> dict[str, object]:
    return {"event_type": "purchase", "event_time": days_ago(days), **columns}


def promote(home: Path, made: Bundle, version: str = "1") -> Path:
    """Write a bundle as a registered version and point to it."""
    made = replace(made, version=version)
    folder = bundle_folder(home, made.target.name, version)
    folder.parent.mkdir(parents=True, exist_ok=True)
    checksum = write_bundle(made, folder)
    relative = f"bundles/{made.target.name}/{version}"
    write_pointer(home, Pointer(target=made.target.name, version=version, bundle=relative, checksum=checksum))
    return folder


def make_home(folder: Path, *targets: Target) -> Path:
    for target in targets or (CHURN,):
        promote(folder, bundle(target=target))
    return folder


@dataclass(frozen=True)
class Got:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problems(self) -> dict[str, tuple[str, str]]:
        return {p["path"]: (p["found"], p["expected"]) for p in self.json["error"]["problems"]}


class Client:
    """Calls an ASGI app; ``chunks`` sends the body in pieces without a length."""

    def __init__(self, app: Api, runtime: Runtime) -> None:
        self.app, self.runtime = app, runtime

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        chunks: Sequence[bytes] | None = None,
    ) -> Got:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json"} | (dict(headers) if headers else {})
        if chunks is None:
            given.setdefault("content-length", str(len(raw)))
        pieces = [raw] if chunks is None else list(chunks)
        messages = [
            {"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1}
            for at, piece in enumerate(pieces)
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(dict(message))

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(k.lower().encode(), v.encode()) for k, v in given.items() if v],
        }
        asyncio.run(self.app(scope, receive, send))
        start, end = sent
        names = {key.decode(): value.decode() for key, value in start["headers"]}
        return Got(start["status"], names, end["body"])

    def get(self, path: str, **more: Any) -> Got:
        return self.call("GET", path, **more)

    def post(self, path: str, body: object, **more: Any) -> Got:
        return self.call("POST", path, body, **more)

    def store(self, customer_id: str, *events: Mapping[str, object]) -> None:
        """Store events of a customer through the API."""
        answer = self.post("/v1/events", {"events": [{"customer_id": customer_id, **event} for event in events]})
        assert answer.json["accepted"] == len(events), answer.body

    def score(self, *customers: str | Mapping[str, object], **more: object) -> list[dict[str, Any]]:
        """Score, expecting an answer."""
        asked = [{"customer_id": c} if isinstance(c, str) else c for c in customers]
        answer = self.post("/v1/score", {"customers": asked, **more})
        assert answer.status == 200, answer.body
        results: list[dict[str, Any]] = answer.json["results"]
        return results


@contextmanager
def serving(home: Path, **config: Any) -> Iterator[Client]:
    """The app over a home; the clock stands at NOW and pointers are only looked at by hand."""
    settings = {"timezone": "Europe/Berlin", "poll_seconds": 3600.0, "store_url": "embedded:state?map_gb=1"}
    runtime = open_runtime(ServingConfig(home=str(home), **{**settings, **config}), lambda: NOW)
    app = Api(Handlers(lambda: runtime, lambda: "").table())
    app.admit(runtime)
    try:
        yield Client(app, runtime)
    finally:
        runtime.close()


def value_bundle() -> Bundle:
    target = Target(
        name="value", kind=TargetKind.VALUE, event_types=("purchase",), active_within_days=60, horizon_days=28
    )
    return bundle(MeanSpend(amount=17.5), target=target, calibrator=Calibrator(link="identity"))

"""A large body is read where it holds nobody up."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.serving.builders import Client, days_ago, make_home, serving


async def _call(client: Client, method: str, path: str, body: bytes = b"") -> float:
    """Seconds that an answer took; the calls share one event loop, as in a worker."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return messages.pop()

    async def send(message: Mapping[str, Any]) -> None:
        assert message.get("status", 200) == 200

    headers = [(b"content-type", b"application/json")]
    started = time.perf_counter()
    await client.app({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
    return time.perf_counter() - started


def test_histories_of_many_events_do_not_stop_the_world(tmp_path: Path) -> None:
    history = [{"event_type": "view", "event_time": days_ago(day / 100)} for day in range(1, 20_001)]
    body = json.dumps({"customers": [{"customer_id": c, "history": history} for c in "abc"]}).encode()

    async def both(client: Client) -> tuple[float, float]:
        large = asyncio.create_task(_call(client, "POST", "/v1/score", body))
        waits = []
        while not large.done():
            started = time.perf_counter()
            await _call(client, "GET", "/livez")
            await asyncio.sleep(0)  # the large request goes on
            waits.append(time.perf_counter() - started)
        return await large, max(waits, default=float("inf"))

    with serving(make_home(tmp_path)) as client:
        took, longest_wait = asyncio.run(both(client))
    assert longest_wait < took / 4

"""The raw ASGI app: routes, keys, limits, one error shape, and a number for every answer. No framework on the hot path.

Each request is: find the route, check the key, read the body, call the handler, send. Everything that is wrong with a
request comes back as an :class:`~serving.faults.ApiFault`; anything unforeseen becomes a 500 of the same shape whose
request id is logged with the exception's type and place, never with data.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final, Protocol

from features.errors import StateError
from serving.answers import Answer, Request
from serving.body import ClientGoneError, header, read_json_body
from serving.config import ServingConfig
from serving.faults import ApiFault, Problem
from serving.guard import Keys
from serving.metrics import Metrics
from serving.routes import CUSTOMER_PREFIX, ROUTES, Route
from serving.schema import MAX_TEXT

__all__ = ["Api", "AsgiApp", "Door", "Handler", "Receive", "Scope", "Send"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Handler = Callable[[Request], Awaitable[Answer]]

_LOG: Final = logging.getLogger("ebbtide.serving")
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_UNMATCHED: Final = "unmatched"
_CUSTOMER_PATH: Final = CUSTOMER_PREFIX + "{customer_id}"


class Door(Protocol):
    """What the app needs to let callers in; a :class:`~serving.runtime.Runtime` is one."""

    @property
    def config(self) -> ServingConfig:
        """Limits."""

    @property
    def keys(self) -> Keys:
        """Accepted keys."""

    @property
    def metrics(self) -> Metrics:
        """Where answers are counted."""


class Api:
    """ASGI app of all routes.

    Until :meth:`admit` was called nobody is let in but to the open routes (health, the OpenAPI document).

    Parameters
    ----------
    handlers : mapping of str to callable
        One for each route's name.
    """

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._routes: dict[str, dict[str, tuple[Route, Handler]]] = {}
        for route in ROUTES:
            self._routes.setdefault(route.path, {})[route.method] = (route, handlers[route.name])
        self._door: Door | None = None
        self._prefix = os.urandom(6).hex()
        self._counter = itertools.count(1)

    def admit(self, door: Door) -> None:
        """Let callers in, by these keys and limits."""
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; refuse a WebSocket."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        template = _UNMATCHED
        request_id = self._request_id(scope["headers"])
        try:
            template, route, handler, customer_id = self._find(scope["path"], scope["method"])
            body = b"" if route.open else await self._admitted(route, scope, receive)
            answer = await handler(Request(request_id, body, customer_id))
        except ClientGoneError:
            return
        except ApiFault as fault:
            answer = Answer(fault.status, fault.answer(request_id), headers=fault.headers)
        except StateError as error:
            answer = _refused(503, "store_unavailable", error.found, request_id)
        except Exception as error:  # noqa: BLE001 - the last resort: a caller is owed an answer and we a trace
            answer = self._unexpected(error, template, request_id)
        await _send(send, answer, request_id, with_body=scope["method"] != "HEAD")
        if self._door is not None:
            self._door.metrics.request(template, answer.status, time.perf_counter() - started)

    async def _admitted(self, route: Route, scope: Scope, receive: Receive) -> bytes:
        """Body of a request of an accepted key."""
        if self._door is None:
            raise ApiFault(503, "not_ready", "the service is starting", headers=[(b"retry-after", b"1")])
        headers = scope["headers"]
        if not self._door.keys.admits(header(headers, b"authorization")):
            raise _no_key()
        if route.request is None:
            return b""
        config = self._door.config
        return await read_json_body(headers, receive, limit=config.max_body_bytes, timeout=config.body_timeout_seconds)

    def _find(self, path: str, method: str) -> tuple[str, Route, Handler, str]:
        customer_id = ""
        template = path
        if path.startswith(CUSTOMER_PREFIX):
            template, customer_id = _CUSTOMER_PATH, path[len(CUSTOMER_PREFIX) :]
        methods = self._routes.get(template)
        if methods is None:
            raise ApiFault(404, "not_found", "there is no such route; GET /v1/openapi.json lists them")
        if method == "HEAD" and "GET" in methods:
            method = "GET"
        if method not in methods:
            allowed = ", ".join(sorted({*methods, "HEAD"} if "GET" in methods else methods))
            raise ApiFault(
                405,
                "method_not_allowed",
                f"this route answers {allowed}",
                [Problem("method", method[:20], allowed)],
                headers=[(b"allow", allowed.encode())],
            )
        if template == _CUSTOMER_PATH and not 1 <= len(customer_id) <= MAX_TEXT:
            problem = Problem("path", f"an id of {len(customer_id)} characters", f"1 to {MAX_TEXT} characters")
            raise ApiFault(422, "invalid_request", "the customer id in the path does not fit", [problem])
        route, handler = methods[method]
        return template, route, handler, customer_id

    def _request_id(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        given = header(headers, b"x-request-id")
        if given is not None and _REQUEST_ID.fullmatch(given):
            return given.decode()
        return f"{self._prefix}-{next(self._counter):x}"

    def _unexpected(self, error: Exception, template: str, request_id: str) -> Answer:
        if self._door is not None:
            self._door.metrics.count("ebbtide_unexpected_errors_total", template)
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        place = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame is not None else "?"
        _LOG.error("request %s to %s failed: %s at %s", request_id, template, type(error).__name__, place)
        return _refused(500, "internal_error", "something unforeseen went wrong; it was logged", request_id)


def _no_key() -> ApiFault:
    return ApiFault(
        401,
        "no_key",
        "this service needs an API key",
        [Problem("header Authorization", "no accepted key", "Bearer <key>")],
        headers=[(b"www-authenticate", b"Bearer")],
    )


def _refused(status: int, code: str, message: str, request_id: str) -> Answer:
    return Answer(status, ApiFault(status, code, message).answer(request_id))


async def _send(send: Send, answer: Answer, request_id: str, *, with_body: bool) -> None:
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", str(len(answer.body)).encode()),
        (b"x-request-id", request_id.encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})

"""Reading a request's body: JSON only, never more than the limit, never longer than the client is given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from serving.faults import ApiFault, Problem

__all__ = ["ClientGoneError", "header", "read_json_body"]

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Headers = Iterable[tuple[bytes, bytes]]

_DRAIN_FACTOR = 4
"""A body up to this many times the limit is read to its end and thrown away, so that the client sees the 413."""


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete; nobody is left to answer."""


def header(headers: Headers, name: bytes) -> bytes | None:
    """Value of a header by its lower-case name, or None.

    Examples
    --------
    >>> header([(b"content-type", b"application/json")], b"content-type")
    b'application/json'
    """
    for key, value in headers:
        if key == name:
            return value
    return None


async def read_json_body(headers: Headers, receive: Receive, *, limit: int, timeout: float) -> bytes:  # noqa: ASYNC109 - becomes a 408
    """Whole body of a request that says it is JSON.

    Parameters
    ----------
    headers : iterable of (bytes, bytes)
        Request headers, names in lower case.
    receive : callable
        ASGI's.
    limit : int
        Largest body in bytes.
    timeout : float
        Seconds the client may take.

    Raises
    ------
    ApiFault
        415 if the content is not JSON or is compressed, 413 if it is too large, 408 if it takes too long.
    ClientGoneError
        If the client went away.
    """
    _check_type(headers)
    announced = header(headers, b"content-length")
    declared = int(announced) if announced is not None and announced.isdigit() else 0
    if declared > limit * _DRAIN_FACTOR:
        raise _too_large(limit, f"{declared} bytes")
    try:
        async with asyncio.timeout(timeout):
            return await _read(receive, limit)
    except TimeoutError as error:
        raise ApiFault(
            408,
            "body_timeout",
            f"the body did not arrive within {timeout:g} seconds",
            headers=[(b"connection", b"close")],
        ) from error


async def _read(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit, f"{len(body)} bytes")
        return body
    chunks: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        elif size > limit * _DRAIN_FACTOR:
            raise _too_large(limit, f"more than {limit * _DRAIN_FACTOR} bytes")
        if not message.get("more_body", False):
            if size > limit:
                raise _too_large(limit, f"{size} bytes")
            return b"".join(chunks)
        message = await receive()
    raise ClientGoneError


def _check_type(headers: Headers) -> None:
    given = header(headers, b"content-type")
    kind = (given or b"").split(b";")[0].strip().lower()
    if kind != b"application/json":
        raise ApiFault(
            415,
            "unsupported_content_type",
            "the body must be sent as application/json",
            [Problem("header Content-Type", kind.decode("latin-1")[:100] or "nothing", "application/json")],
        )
    coding = header(headers, b"content-encoding")
    if coding is not None and coding.strip().lower() not in {b"", b"identity"}:
        raise ApiFault(
            415,
            "unsupported_content_encoding",
            "the body must not be compressed",
            [Problem("header Content-Encoding", coding.decode("latin-1")[:100], "identity")],
        )


def _too_large(limit: int, found: str) -> ApiFault:
    return ApiFault(
        413,
        "body_too_large",
        f"the body is larger than the limit of {limit} bytes; send fewer customers or events a request",
        [Problem("", found, f"at most {limit} bytes")],
        headers=[(b"connection", b"close")],
    )

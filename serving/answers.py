"""What a handler is given and what it gives back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

__all__ = ["JSON", "Answer", "Request", "json_answer"]

JSON: Final = b"application/json"
_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Request:
    """One request whose route was found and whose key was accepted.

    Parameters
    ----------
    request_id : str
        The caller's ``X-Request-Id`` if it is a plain one, else made up.
    body : bytes
        Whole body; empty for routes that take none.
    customer_id : str
        From the path; empty for routes without one.
    """

    request_id: str
    body: bytes = b""
    customer_id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Parameters
    ----------
    status : int
        HTTP status.
    body : bytes
        Whole body.
    content_type : bytes
        Its media type.
    headers : iterable of (bytes, bytes)
        Further headers.
    """

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: Iterable[tuple[bytes, bytes]] = field(default=())


def json_answer(record: object, status: int = 200) -> Answer:
    """Answer of a record as JSON.

    Examples
    --------
    >>> json_answer({"a": 1}).body
    b'{"a":1}'
    """
    return Answer(status, _ENCODER.encode(record))

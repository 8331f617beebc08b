"""One shape for every refusal: ``{"error": {"code", "message", "problems": [...], "request_id"}}``."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

__all__ = ["ApiFault", "ErrorAnswer", "ErrorBody", "Problem"]


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request.

    Parameters
    ----------
    path : str
        Where, such as ``customers[3].customer_id``; empty for the request as a whole.
    found : str
        What was found there (its kind or size, never a customer's data beyond the field itself).
    expected : str
        What belongs there.
    """

    path: str
    found: str
    expected: str


class ErrorBody(msgspec.Struct, frozen=True):
    """What is inside ``error``."""

    code: str
    message: str
    problems: list[Problem]
    request_id: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    """A refusal."""

    error: ErrorBody


class ApiFault(Exception):  # noqa: N818 - an HTTP answer on its way out, not an error of Ebbtide's tree
    """A request that is answered with a 4xx or 503.

    Parameters
    ----------
    status : int
        HTTP status.
    code : str
        Stable name of the kind of refusal, for programs.
    message : str
        A sentence for people.
    problems : iterable of Problem, optional
        Every single fault.
    headers : iterable of (bytes, bytes), optional
        Further response headers.

    Examples
    --------
    >>> fault = ApiFault(404, "not_found", "there is no such route")
    >>> fault.answer("r-1")
    b'{"error":{"code":"not_found","message":"there is no such route","problems":[],"request_id":"r-1"}}'
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        problems: Iterable[Problem] = (),
        *,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        self.status, self.code, self.message = status, code, message
        self.problems, self.headers = list(problems), tuple(headers)
        super().__init__(message)

    def answer(self, request_id: str) -> bytes:
        """JSON text of the refusal."""
        body = ErrorBody(code=self.code, message=self.message, problems=self.problems, request_id=request_id)
        return msgspec.json.encode(ErrorAnswer(error=body))

"""Every fault of a request, not only the first.

The strict decoder stops at the first fault it meets and is fast; when it refuses, the same types are walked again here
over the plainly decoded JSON, and everything that does not fit is listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import inspect

from features.errors import did_you_mean
from serving.faults import ApiFault, Problem

__all__ = ["MAX_PROBLEMS", "describe", "faults", "malformed", "parse_json"]

MAX_PROBLEMS: Final = 1_000
"""Most faults listed in one answer."""
_SHOWN: Final = 60
_SHOWN_BITS: Final = 64


def parse_json(body: bytes) -> object:
    """Plain values of a JSON text.

    Raises
    ------
    ApiFault
        400 if it is not JSON; NaN and Infinity are not.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise malformed(str(error)) from error


def malformed(reason: str) -> ApiFault:
    """Refusal of a body that is not JSON at all."""
    return ApiFault(
        400,
        "malformed_json",
        "the body is not JSON (RFC 8259: NaN and Infinity are not numbers)",
        [Problem("", reason, "a JSON object")],
    )


def faults(value: object, kind: type, path: str = "") -> list[Problem]:
    """List everything in a value that does not fit a record type.

    Parameters
    ----------
    value : object
        Plainly decoded JSON.
    kind : type
        A ``msgspec.Struct``.
    path : str
        Where the value stands.

    Returns
    -------
    list of Problem
        At most :data:`MAX_PROBLEMS`; empty if it fits.

    Examples
    --------
    >>> from serving.schema import ScoreIn
    >>> body = {"customers": [{"customer_id": ""}, {"customer_id": 7}], "reasons": True, "target": "churn"}
    >>> for problem in faults(body, ScoreIn):
    ...     print(problem.path, "|", problem.found, "|", problem.expected)
    target | an unknown key | no such key; did you mean 'targets'?
    customers[0].customer_id | an empty text | 1 to 9999 characters
    customers[1].customer_id | the number 7 | text
    reasons | true | a whole number
    """
    return list(islice(_walk(value, inspect.type_info(kind), path), MAX_PROBLEMS))


def describe(value: object) -> str:
    """Say what a JSON value is, shortened.

    Examples
    --------
    >>> describe("1"), describe(None), describe([1, 2]), describe("x" * 20_000)
    ('the text "1"', 'null', 'a list of 2', 'a text of 20000 characters')
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            if not value:
                return "an empty text"
            return f'the text "{value}"' if len(value) <= _SHOWN else f"a text of {len(value)} characters"
        case int() if value.bit_length() > _SHOWN_BITS:
            return f"a whole number of {value.bit_length()} bits"
        case int() | float():
            return f"the number {value}"
        case Mapping():
            return "an object"
        case Sequence():
            return f"a list of {len(value)}"
        case _:
            return f"a {type(value).__name__}"


def _walk(value: Any, info: inspect.Type, path: str) -> Iterator[Problem]:  # noqa: ANN401 - it is whatever JSON held
    if isinstance(info, inspect.Metadata):
        info = info.type
    if isinstance(info, inspect.UnionType):
        inner = [member for member in info.types if not isinstance(member, inspect.NoneType)]
        if value is not None:
            yield from _walk(value, inner[0], path)
    elif isinstance(info, inspect.StructType):
        yield from _object(value, info, path)
    elif isinstance(info, inspect.ListType):
        yield from _list(value, info, path)
    elif isinstance(info, inspect.StrType):
        yield from _text(value, info, path)
    elif isinstance(info, inspect.IntType | inspect.FloatType):
        yield from _number(value, info, path)


def _object(value: Any, info: inspect.StructType, path: str) -> Iterator[Problem]:  # noqa: ANN401 - see _walk
    if not isinstance(value, dict):
        yield Problem(path, describe(value), "an object")
        return
    at = f"{path}." if path else ""
    names = [field.encode_name for field in info.fields]
    for key in value:
        if key not in names:
            hint = did_you_mean(key[:_SHOWN], names)
            yield Problem(at + key[:_SHOWN], "an unknown key", f"no such key; {hint}")
    for field in info.fields:
        if field.encode_name in value:
            yield from _walk(value[field.encode_name], field.type, at + field.encode_name)
        elif field.required:
            yield Problem(at + field.encode_name, "nothing", "this key")


def _list(value: Any, info: inspect.ListType, path: str) -> Iterator[Problem]:  # noqa: ANN401 - see _walk
    if not isinstance(value, list):
        yield Problem(path, describe(value), "a list")
        return
    low, high = info.min_length or 0, info.max_length
    if len(value) < low or (high is not None and len(value) > high):
        yield Problem(path, describe(value), f"{low} to {high}")
        return
    for index, item in enumerate(value):
        yield from _walk(item, info.item_type, f"{path}[{index}]")


def _text(value: Any, info: inspect.StrType, path: str) -> Iterator[Problem]:  # noqa: ANN401 - see _walk
    if not isinstance(value, str):
        yield Problem(path, describe(value), "text")
    elif len(value) < (info.min_length or 0) or (info.max_length is not None and len(value) > info.max_length):
        yield Problem(path, describe(value), f"{info.min_length or 0} to {info.max_length} characters")


def _number(value: Any, info: inspect.IntType | inspect.FloatType, path: str) -> Iterator[Problem]:  # noqa: ANN401 - see _walk
    whole = isinstance(info, inspect.IntType)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or (whole and not isinstance(value, int)):
        yield Problem(path, describe(value), "a whole number" if whole else "a number")
    elif (info.ge is not None and value < info.ge) or (info.le is not None and value > info.le):
        yield Problem(path, describe(value), f"{info.ge:g} to {info.le:g}")

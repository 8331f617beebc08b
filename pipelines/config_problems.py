"""Mistakes in a configuration file, in words: where, what was found, what was expected, the nearest key."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Sequence
from typing import TypeAlias

from pydantic import BaseModel, ValidationError

from features.errors import did_you_mean

__all__ = ["Document", "Place", "problems", "value_at"]

Document: TypeAlias = dict[str, typing.Any]
Place: TypeAlias = Callable[[Document, Sequence[int | str]], tuple[str, str]]
_SHAPES: typing.Final = frozenset({"list_type", "model_type", "dict_type"})
_LISTS: typing.Final = frozenset({"events", "feature"})
"""Lists of tables, written in double brackets."""


def problems(error: ValidationError, document: Document, model: type[BaseModel], place: Place) -> list[str]:
    """Every problem in words: where, what, and the nearest key for an unknown one.

    Parameters
    ----------
    error : ValidationError
        Of the model.
    document : dict
        What was validated.
    model : type
        Of the whole document.
    place : callable
        Header and key of a pydantic location as they look in the file.
    """
    return [
        _sentence(document, model, item["loc"], item["type"], item["msg"], " ".join(place(document, item["loc"])))
        for item in error.errors(include_url=False)
    ]


def _sentence(
    document: Document, model: type[BaseModel], location: Sequence[int | str], kind: str, message: str, place: str
) -> str:
    label = place.strip()
    if kind == "missing":
        return f"{label}: missing"
    if kind == "extra_forbidden":
        return f"{label}: unknown key; {did_you_mean(str(location[-1]), _known_keys(model, location[:-1]))}"
    if location and location[-1] == "[key]":
        return f"{label}: the name {location[-2]!r} may hold only a-z, 0-9, `_` and `-`, at most 63 of them"
    if kind in _SHAPES:
        return f"{label}: {_shape_problem(tuple(location), kind)}"
    text = message.removeprefix("Value error, ")
    found = value_at(document, location)
    if not label:
        return text
    if kind == "value_error" or isinstance(found, dict | list):
        return f"{label}: {text}"
    return f"{label}: found {found!r}; {text[0].lower()}{text[1:]}"


def _shape_problem(location: tuple[int | str, ...], kind: str) -> str:
    """What to write where a table, or a list of tables, was expected."""
    header = ".".join(map(str, location))
    if kind == "list_type":
        return f"expected [[{header}]], in double brackets" if header in _LISTS else "expected a list"
    return "expected a table" if location[0] in _LISTS else f"expected one table, [{header}]"


def value_at(document: object, location: Sequence[int | str]) -> typing.Any:  # noqa: ANN401  # TOML holds anything
    """What stands at a location; None if nothing does."""
    value = document
    for part in location:
        match value:
            case dict() if part in value:
                value = value[part]
            case list() if isinstance(part, int) and part < len(value):
                value = value[part]
            case _:
                return None
    return value


def _known_keys(model: object, location: Sequence[int | str]) -> list[str]:
    """Keys that exist in the table at a location."""
    for part in location:
        fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
        if part in fields:  # anything else is a list index or the name of a target: its model is already in hand
            model = _inner(fields[str(part)].annotation)
    return sorted(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _inner(annotation: object) -> object:
    """Model inside ``X | None``, ``list[X]``, ``dict[str, X]`` or ``Annotated[X, …]``."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return _inner(next(part for part in typing.get_args(annotation) if part is not type(None)))
    if origin is typing.Annotated or origin is list:
        return _inner(typing.get_args(annotation)[0])
    if origin is dict:
        return _inner(typing.get_args(annotation)[1])
    return annotation

"""Read ``ebbtide.toml``: one pass, all mistakes at once, each with the nearest key that exists."""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from features.errors import ConfigError, UsageError, did_you_mean
from pipelines.settings import Settings

__all__ = ["parse_settings", "read_settings"]

_SHAPES: typing.Final = frozenset({"list_type", "model_type", "dict_type"})


def read_settings(path: Path) -> Settings:
    """Read and check a configuration file.

    Parameters
    ----------
    path : Path
        The ``ebbtide.toml``.

    Returns
    -------
    Settings

    Raises
    ------
    UsageError
        If there is no such file.
    ConfigError
        If it is not TOML, or has unknown keys or impossible values; all of them are listed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError(
            f"there is no configuration file {path}",
            remedy="run `ebbtide init` to write one, or name yours with `--config`",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", expected="a UTF-8 text file") from error
    return parse_settings(text, source=str(path))


def parse_settings(text: str, *, source: str = "ebbtide.toml") -> Settings:
    r"""Check the text of a configuration file.

    Examples
    --------
    >>> parse_settings("[project]\nnam = 'x'")
    Traceback (most recent call last):
        ...
    features.errors.ConfigError: 4 problems in ebbtide.toml:
      - [project] name: missing
      - [project] timezone: missing
      - [project] nam: unknown key; did you mean 'name'?
      - [[events]]: missing
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, [f"not TOML: {error}"]) from error
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise ConfigError(
            source, [_sentence(document, item["loc"], item["type"], item["msg"]) for item in found]
        ) from error


def _sentence(document: dict[str, typing.Any], location: Sequence[int | str], kind: str, message: str) -> str:
    """One problem in words: where, what, and the nearest key for an unknown one."""
    where, key = _place(document, location)
    label = f"{where} {key}".strip()
    if kind == "missing":
        return f"{label}: missing"
    if kind == "extra_forbidden":
        return f"{label}: unknown key; {did_you_mean(str(location[-1]), _known_keys(location[:-1]))}"
    if location and location[-1] == "[key]":
        return f"{label}: the name {location[-2]!r} may hold only a-z, 0-9, `_` and `-`, at most 63 of them"
    if kind in _SHAPES:
        return f"{label}: {_shape_problem(tuple(location), kind)}"
    text = message.removeprefix("Value error, ")
    found = _value_at(document, location)
    if not label:
        return text
    if kind == "value_error" or isinstance(found, dict | list):
        return f"{label}: {text}"
    return f"{label}: found {found!r}; {text[0].lower()}{text[1:]}"


def _shape_problem(location: tuple[int | str, ...], kind: str) -> str:
    """What to write where a table, or a list of tables, was expected."""
    header = ".".join(map(str, location))
    if kind == "list_type":
        return f"expected [[{header}]], in double brackets" if location == ("events",) else "expected a list"
    return "expected a table" if location[:1] == ("events",) else f"expected one table, [{header}]"


def _place(document: dict[str, typing.Any], location: Sequence[int | str]) -> tuple[str, str]:
    """TOML-like header and key of a pydantic location, blocks by their name."""
    parts = [part for part in location if part != "[key]"]
    if not parts:
        return "", ""
    if parts[0] == "events":
        if len(parts) == 1:
            return "[[events]]", ""
        block = _value_at(document, parts[:2])
        name = block.get("name") if isinstance(block, dict) else None
        label = f"[[events]] {name!r}" if isinstance(name, str) else f"[[events]] number {int(parts[1]) + 1}"
        return label, ".".join(map(str, parts[2:]))
    if parts[0] == "targets":
        return f"[{'.'.join(map(str, parts[:2]))}]", ".".join(map(str, parts[2:]))
    return f"[{parts[0]}]", ".".join(map(str, parts[1:]))


def _value_at(document: object, location: Sequence[int | str]) -> typing.Any:  # noqa: ANN401  # TOML holds anything
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


def _known_keys(location: Sequence[int | str]) -> list[str]:
    """Keys that exist in the table at a location."""
    model: object = Settings
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

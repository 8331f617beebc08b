"""Read ``ebbtide.toml``: one pass, all mistakes at once, each with the nearest key that exists."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from features.errors import ConfigError, UsageError
from pipelines.config_problems import problems, value_at
from pipelines.settings import Settings

__all__ = ["parse_settings", "read_settings"]


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
        raise ConfigError(source, problems(error, document, Settings, _place)) from error


def _place(document: dict[str, Any], location: Sequence[int | str]) -> tuple[str, str]:
    """TOML-like header and key of a pydantic location, blocks by their name."""
    parts = [part for part in location if part != "[key]"]
    if not parts:
        return "", ""
    if parts[0] == "events":
        if len(parts) == 1:
            return "[[events]]", ""
        block = value_at(document, parts[:2])
        name = block.get("name") if isinstance(block, dict) else None
        label = f"[[events]] {name!r}" if isinstance(name, str) else f"[[events]] number {int(parts[1]) + 1}"
        return label, ".".join(map(str, parts[2:]))
    if parts[0] == "targets":
        return f"[{'.'.join(map(str, parts[:2]))}]", ".".join(map(str, parts[2:]))
    return f"[{parts[0]}]", ".".join(map(str, parts[1:]))

"""Read a project's own event types and features: the file that ``[features] file`` names."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from features.errors import ConfigError, UsageError
from features.own_features import OwnFeatures
from pipelines.config_problems import Document, problems
from pipelines.settings_features import FeaturesFile

__all__ = ["parse_own_features", "read_own_features"]


def read_own_features(path: Path) -> OwnFeatures:
    """Read and check the file.

    Raises
    ------
    UsageError
        If there is no such file, or it cannot be read.
    ConfigError
        If it is not TOML, or says what the grammar cannot; every mistake is listed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError(
            f"there is no file {path}, which [features] file names", remedy="write it, or take the key out"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", expected="a UTF-8 text file") from error
    return parse_own_features(text, source=str(path))


def parse_own_features(text: str, *, source: str = "features.toml") -> OwnFeatures:
    r"""Check the text of the file.

    Examples
    --------
    >>> row = "family = 'engagement'\nreadout = 'value'\nbases = [{ aggregation = 'cuont', event_type = 'view' }]"
    >>> parse_own_features(f"[[feature]]\n{row}")
    Traceback (most recent call last):
        ...
    features.errors.ConfigError: 1 problem in features.toml:
      - [[feature]] number 1, base number 1 aggregation: there is no aggregation 'cuont'; did you mean 'count'?
    >>> parse_own_features(f"[[feature]]\n{row.replace('cuont', 'count')}").features[0].name
    'view_count_lifetime'
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, [f"not TOML: {error}"]) from error
    try:
        file = FeaturesFile.model_validate(document)
    except ValidationError as error:
        raise ConfigError(source, problems(error, document, FeaturesFile, _place)) from error
    return OwnFeatures(
        source=source, event_types=tuple(file.event_types), features=tuple(row.feature() for row in file.feature)
    )


def _place(_: Document, location: Sequence[int | str]) -> tuple[str, str]:
    """Header and key of a pydantic location: rows and aggregates have no names, so they are counted from 1."""
    match list(location):
        case ["feature", int(row), "bases", int(base), *keys]:
            return f"[[feature]] number {row + 1}, base number {base + 1}", ".".join(map(str, keys))
        case ["feature", int(row), *keys]:
            return f"[[feature]] number {row + 1}", ".".join(map(str, keys))
        case ["feature"]:
            return "[[feature]]", ""
        case keys:
            return "", ".".join(map(str, keys))

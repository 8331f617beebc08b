"""Which Java would be found, and what is said when it will not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import EngineError
from features.java import java_version, require_java


def fake_java(folder: Path, says: str, code: int = 0) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('java version "1.8.0_362"', 8),
        ("no such thing", None),
    ],
)
def test_the_version_is_read(tmp_path: Path, says: str, found: int | None) -> None:
    fake_java(tmp_path, says)
    assert java_version({"JAVA_HOME": str(tmp_path)}) == found


def test_java_home_counts_before_the_path(tmp_path: Path) -> None:
    fake_java(tmp_path / "home", 'openjdk version "21"')
    fake_java(tmp_path / "path", 'openjdk version "17"')
    on_path = {"PATH": str(tmp_path / "path" / "bin")}
    assert java_version(on_path) == 17
    assert java_version({"JAVA_HOME": str(tmp_path / "home"), **on_path}) == 21


def test_a_missing_or_broken_or_old_java_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"there is none; expected Java 17 or newer.*JAVA_HOME"):
        require_java({"PATH": str(tmp_path)})
    fake_java(tmp_path / "broken", "cannot start", code=1)
    with pytest.raises(EngineError, match="there is none"):
        require_java({"JAVA_HOME": str(tmp_path / "broken")})
    fake_java(tmp_path / "old", 'openjdk version "11.0.2"')
    with pytest.raises(EngineError, match=r"found Java 11; expected Java 17 or newer.*duckdb"):
        require_java({"JAVA_HOME": str(tmp_path / "old")})


def test_a_java_that_is_new_enough_is_silently_accepted(tmp_path: Path) -> None:
    fake_java(tmp_path, 'openjdk version "17.0.1"')
    require_java({"JAVA_HOME": str(tmp_path)})

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import UsageError
from pipelines.config import read_settings
from pipelines.init import init


def test_what_it_writes_is_a_configuration(tmp_path: Path) -> None:
    path = init(tmp_path / "My Shöp", timezone="Asia/Shanghai")
    settings = read_settings(path)
    assert settings.project.name == "my-sh-p"
    assert settings.project.timezone == "Asia/Shanghai"
    assert [block.name for block in settings.events] == ["orders"]
    assert settings.targets["churn"].horizon_days == 28


def test_every_commented_block_is_a_configuration_too(tmp_path: Path) -> None:
    path = init(tmp_path, name="shop")
    text = path.read_text(encoding="utf-8")
    uncommented = "\n".join(
        line.removeprefix("# ")
        if line.startswith(("# [", "# kind", "# event", "# name", "# path", "# customer_id")) or " = " in line[:30]
        else line
        for line in text.splitlines()
    )
    path.write_text(uncommented, encoding="utf-8")
    settings = read_settings(path)
    assert set(settings.targets) == {"churn", "winback", "value"}
    assert [block.name for block in settings.events] == ["orders", "visits"]
    assert settings.customers is not None


def test_it_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "ebbtide.toml"
    path.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        init(tmp_path)
    assert path.read_text() == "mine"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be made"):
        init(tmp_path / "file" / "project")


def test_an_unknown_time_zone_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'Europe/Berlin'"):
        init(tmp_path / "shop", timezone="Europe/Berln")
    assert not (tmp_path / "shop").exists()

"""One marketplace on disk, shared by the tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines.simulate.shops import write


@pytest.fixture(scope="session")
def marketplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "marketplace"
    write(folder, "marketplace", customers=3600, days=365, seed=11, truth_every=28)
    return folder


@pytest.fixture(scope="session")
def dirty_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "dirty"
    write(folder, "marketplace", customers=1500, days=190, seed=3, late=0.1, duplicates=0.02, dirty=0.01)
    return folder

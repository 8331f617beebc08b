"""The demo, twice, on the real log: minutes, so not in the default run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest


def demo(folder: Path) -> str:
    command = [str(Path(sys.executable).with_name("ebbtide")), "demo", "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_demo_twice(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    first = demo(folder)
    assert "1,491,196 events added, 0 quarantined" in first
    assert "churn: promoted, version 1" in first
    assert "conversion: promoted, version 1" in first
    scores = pq.read_table(folder / "scores" / "scores-2017-12-04.parquet")
    assert scores.num_rows == 2_249 + 2_057
    files = sorted(path.relative_to(folder) for path in folder.rglob("*.csv"))
    second = demo(folder)
    assert "1,491,196 rows read, 0 events added, 0 quarantined; the log holds 1,491,196 events" in second
    assert "churn: unchanged, version 1" in second
    assert "conversion: unchanged, version 1" in second
    assert pq.read_table(folder / "scores" / "scores-2017-12-04.parquet").equals(scores)
    assert sorted(path.relative_to(folder) for path in folder.rglob("*.csv")) == files
    assert (folder / "summary.txt").read_text(encoding="utf-8").strip() == second.strip()

"""Skip what needs Spark where Spark cannot run, and say why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from features.java import LEAST, java_version


def require_spark() -> None:
    """Skip the test, or all that use the fixture, where Spark cannot run."""
    if find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed")
    if (java_version() or 0) < LEAST:
        pytest.skip(f"no Java of {LEAST} or newer is installed")


@contextmanager
def local_spark(folder: Path) -> Iterator[None]:
    """Lend one session to everything within: starting one takes several seconds."""
    require_spark()
    from features.spark_engine import spark_session

    quick = {"spark.sql.shuffle.partitions": "2", "spark.sql.session.timeZone": "Asia/Kathmandu"}
    with spark_session("local[2]", properties=quick, scratch=folder):
        yield

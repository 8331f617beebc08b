"""What a Spark session of our own is told as it starts: quiet, without a web page, a local one on 127.0.0.1 only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["session_environment", "session_options"]

_LOGGING: Final = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = spark: %p %c{1}: %m%n%ex{short}
logger.shell.name = org.apache.spark.api.python.PythonGatewayServer
logger.shell.level = error
"""


def session_options(master: str, folder: Path) -> dict[str, str]:
    """Properties of a session.

    Parameters
    ----------
    master : str
        Spark's master URL.
    folder : Path
        For a local master's shuffle files, warehouse and logging configuration; the last is written into it.
    """
    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
        "spark.sql.session.timeZone": "UTC",
    }
    if not master.startswith("local"):
        return options
    logging = folder / "log4j2.properties"
    logging.write_text(_LOGGING, encoding="utf-8")
    return options | {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(folder),
        "spark.driver.extraJavaOptions": f'"-Dlog4j2.configurationFile={logging.as_uri()}" -XX:-UsePerfData',
        # Local workers import the packages that this process runs, wherever it found them.
        "spark.executorEnv.PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    }


@contextmanager
def session_environment(master: str) -> Iterator[None]:
    """Set, and afterwards restore, what Spark reads from the environment as it starts: which Python, which address."""
    wanted = {"PYSPARK_PYTHON": os.environ.get("PYSPARK_PYTHON", sys.executable)}
    if master.startswith("local"):
        wanted = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

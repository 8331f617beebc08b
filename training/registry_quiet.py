"""Import MLflow without its telemetry and without its chatter."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet_import"]


@contextmanager
def quiet_import() -> Iterator[None]:
    """Import ``mlflow`` modules inside this block; what the user has set in the environment is kept.

    MLflow 3.17 warns of its own type hints while it is imported, and SQLAlchemy 2.1 of MLflow's tables. Its telemetry
    looks at the environment once, when it is imported; only the word "true" switches it off.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

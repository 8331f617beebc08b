"""Writers of one home's registry take turns: a lock file, released by the operating system if its holder dies."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from features.errors import LockedError

__all__ = ["writers_turn"]

_PAUSE_SECONDS: Final = 0.05


@contextmanager
def writers_turn(home: Path, *, wait_seconds: float = 60.0) -> Iterator[None]:
    """Hold ``home/mlruns/.registry.lock`` for the length of the block.

    Two processes that create MLflow's database at once would break each other's migration, and two promotions at
    once could leave the alias and the pointer naming different versions.

    Parameters
    ----------
    home : Path
        Folder of the project; ``mlruns/`` is made if needed.
    wait_seconds : float
        How long to wait for the others.

    Raises
    ------
    LockedError
        If the others are not done by then.
    """
    path = home / "mlruns" / ".registry.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        for attempt in range(int(wait_seconds / _PAUSE_SECONDS) + 1):
            if attempt:
                time.sleep(_PAUSE_SECONDS)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            break
        else:
            raise LockedError(
                f"another process has been writing to the model registry of {home} for {wait_seconds:g} s",
                expected="the registry to be free",
                remedy="try again when it is done",
            )
        yield

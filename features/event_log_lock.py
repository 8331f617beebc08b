"""The lock of a log folder: one writer at a time, a second one waits or is told."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from features.durable import make_folder
from features.errors import LockedError

__all__ = ["lock", "silent"]

_NAME: Final = ".lock"
_PAUSE_SECONDS: Final = 0.1


def silent(message: str) -> None:
    """Say nothing: waiting in a library call."""


@contextmanager
def lock(folder: Path, *, wait_seconds: float = 0.0, say: Callable[[str], None] = silent) -> Iterator[None]:
    """Be the only writer of a log folder; the system frees the lock when the process ends, however it ends.

    Parameters
    ----------
    folder : Path
        The log's folder; made if missing.
    wait_seconds : float
        How long to wait for another writer; 0 does not wait.
    say : callable
        Told once that there is something to wait for.

    Raises
    ------
    LockedError
        If another process is still writing then.
    """
    make_folder(folder)
    with (folder / _NAME).open("a+", encoding="utf-8") as file:
        _acquire(file, folder, wait_seconds, say)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _acquire(file: IO[str], folder: Path, wait_seconds: float, say: Callable[[str], None]) -> None:
    deadline = time.monotonic() + wait_seconds
    waiting = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            found = f"{_owner(file)} is writing the event log in {folder}"
            left = deadline - time.monotonic()
            if left <= 0:
                raise LockedError(
                    found if not wait_seconds else f"{found}, still after {wait_seconds:g} s",
                    remedy="wait until it has finished, then try again (`ebbtide ingest --wait 600` waits by itself)",
                ) from error
            if not waiting:
                say(f"{found}; waiting up to {wait_seconds:g} s")
            waiting = True
            time.sleep(min(_PAUSE_SECONDS, left))
        else:
            return


def _owner(file: IO[str]) -> str:
    file.seek(0)
    number = file.read(20).strip()
    return f"another process ({number})" if number.isdecimal() else "another process"

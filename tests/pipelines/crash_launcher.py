"""Runs ``ebbtide`` in processes that die by SIGKILL at the durable step, or the moment, they are told to.

``python crash_launcher.py`` imports the command line once, then forks a process for every line of JSON on stdin and
answers with how it ended. The steps are caught where the program meets the system, so that none can be forgotten: every
fsync, rename, removal and new folder below ``root``, and every commit of the store. Nothing of it is in the product.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PATCHED = ("fsync", "replace", "rename", "unlink", "remove", "rmdir", "mkdir")


class Steps:
    """Counts durable steps below a folder, and does something just before one of them.

    Parameters
    ----------
    root : str
        Steps elsewhere do not count.
    before : callable
        Given number (from 1), name and path of each step before it is made.
    """

    def __init__(self, root: str, before: Callable[[int, str, str], None]) -> None:
        self._root, self._before = os.path.realpath(root), before
        self.count = 0

    def step(self, name: str, path: str) -> None:
        if path == self._root or path.startswith(self._root + os.sep):
            self.count += 1
            self._before(self.count, name, path)

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the steps of this process."""
        real = {name: getattr(os, name) for name in PATCHED}
        try:
            for name, function in real.items():
                setattr(os, name, self._wrapped(name, function))
            with self._commits():
                yield
        finally:
            for name, function in real.items():
                setattr(os, name, function)

    def _wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def made(target: Any, *more: Any, **named: Any) -> Any:
            if isinstance(target, int):
                path = str(Path(f"/proc/self/fd/{target}").readlink())
            elif (folder := named.get("dir_fd")) is not None:
                path = str(Path(f"/proc/self/fd/{folder}").readlink() / os.fspath(target))
            else:
                path = os.path.abspath(os.fspath(target))  # noqa: PTH100 - pathlib's would call what is patched
            if (name == "mkdir") != os.path.lexists(path):  # else it changes nothing: the folder is there, the file not
                self.step(name, path)
            return function(target, *more, **named)

        return made

    @contextlib.contextmanager
    def _commits(self) -> Iterator[None]:
        import lmdb

        real = lmdb.open
        lmdb.open = lambda path, **options: _Environment(real(path, **options), path, self)
        try:
            yield
        finally:
            lmdb.open = real


class _Environment:
    """An LMDB environment whose commits are steps."""

    def __init__(self, environment: Any, path: str, steps: Steps) -> None:
        self._environment, self._path, self._steps = environment, path, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._environment, name)

    def begin(self, *given: Any, write: bool = False, **named: Any) -> Any:
        transaction = self._environment.begin(*given, write=write, **named)
        return self._committed(transaction) if write else transaction

    @contextlib.contextmanager
    def _committed(self, transaction: Any) -> Iterator[Any]:
        with transaction as entered:
            yield entered
            self._steps.step("commit", os.path.realpath(self._path))


def killing(at: int | None, trace: int, *, torn: bool) -> Callable[[int, str, str], None]:
    """Write every step down; before the one numbered ``at`` die, ``torn``: with half of the file's bytes lost."""

    def before(number: int, name: str, path: str) -> None:
        kind = "folder" if Path(path).is_dir() else "file"
        os.write(trace, f"{json.dumps([name, kind, path])}\n".encode())
        if number == at:
            if torn:
                os.truncate(path, Path(path).stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    return before


def child(order: dict[str, Any]) -> None:
    """Be the command until it ends or is killed."""
    from pipelines.cli import main

    out = os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    trace = os.open(order["trace"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    sys.argv = ["ebbtide", *order["argv"]]
    steps = Steps(order["root"], killing(order["stop_at"], trace, torn=order["torn"]))
    with steps.caught():
        main()


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Fork, wait, and say how it ended."""
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            child(order)
            code = 0
        except SystemExit as error:
            code = int(error.code or 0)
        finally:
            sys.stdout.flush()
            os._exit(code)
    if order["after_seconds"] is not None:
        time.sleep(order["after_seconds"])
        os.kill(pid, signal.SIGKILL)  # it is not waited for yet, so the number is still its own
    _, status = os.waitpid(pid, 0)
    return {"exit": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - start}


def serve() -> None:
    """Answer one line for every line."""
    import pipelines.cli
    import pipelines.ingest
    import pipelines.project
    import pipelines.show  # noqa: F401 - all of it before the first fork
    from pipelines.warm import warm

    warm()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()

"""Start and stop the service as a child process: what `ebbtide serve`, the demo and the tests do.

The child runs ``python -m bentoml serve`` with the install folder as its working directory and first on its path, so
that a folder called ``features`` where the user stands (or on their ``PYTHONPATH``) cannot take our package's place.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Final, Self

from features.errors import ServiceError
from serving.config import ENVIRONMENT_KEY, ServingConfig
from serving.guard import check_bind, load_keys
from serving.ports import check_port, free_port

__all__ = ["INSTALL_FOLDER", "Service", "child_environment", "free_port", "serve", "start"]

INSTALL_FOLDER: Final = Path(__file__).resolve().parent.parent
"""The folder that holds our packages."""
_TAIL_LINES: Final = 12
_GRACE_SECONDS: Final = 20
_RELAY_SECONDS: Final = 0.5
_NO_KEYS: Final = (
    "no API key is set: whoever can log in to this machine may read, write, delete (see [serving] keys_file)"
)
_KEYS_WRITABLE: Final = "others on this machine may write the key file, and so let themselves in: chmod go-w it"
_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound


def start(config: ServingConfig, *, timeout_seconds: float = 90.0, wait: bool = True) -> Service:
    """Start the service and wait until it can score.

    Parameters
    ----------
    config : ServingConfig
        ``run_dir`` is set here.
    timeout_seconds : float
        How long it may take to become ready.
    wait : bool
        Whether to wait for ``/readyz``; otherwise the service may not be up yet, or may never be.

    Returns
    -------
    Service
        Running; close it, or use it as a context manager.

    Raises
    ------
    UsageError
        If the address is not one, or is not loopback and there are no keys.
    PortInUseError
        If the port is taken.
    ServiceError
        If the service ends, or is not ready in time; with its last lines.
    """
    if config.keys_file is not None:
        config = replace(config, keys_file=str(Path(config.keys_file).absolute()))
    keys = load_keys(config.keys_file)
    check_bind(config.host, keys)
    check_port(config.host, config.port)
    service = Service(config, notice=_notice(config.keys_file, has_keys=bool(keys)), asks_key=bool(keys))
    if wait:
        try:
            service.wait_ready(timeout_seconds)
        except BaseException:
            service.stop()
            raise
    return service


def serve(
    config: ServingConfig,
    *,
    on_ready: Callable[[Service], None],
    on_line: Callable[[str], object] = lambda line: sys.stderr.write(f"{line}\n"),
    timeout_seconds: float = 90.0,
) -> None:
    """Start the service and stay until it is told to end; what `ebbtide serve` does.

    It is told by Ctrl-C, SIGTERM, or SIGHUP (its terminal was closed; not under ``nohup``).

    Parameters
    ----------
    config : ServingConfig
    on_ready : callable
        Called with the service once it can score, such as to print its address and notice.
    on_line : callable
        Called with each line that the service logs from then on: its warnings and errors.
    timeout_seconds : float
        How long it may take to become ready.

    Raises
    ------
    ServiceError
        If the service ends by itself; and whatever :func:`start` raises.
    """
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN else [])]
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        with start(config, timeout_seconds=timeout_seconds) as service:
            service.new_lines()  # of its start: nobody needs them if it is ready
            on_ready(service)
            status = None
            while status is None:
                status = service.wait(_RELAY_SECONDS)
                for line in service.new_lines():
                    on_line(line)
            raise ServiceError(f"the service ended with status {status}; its last lines:\n{service.last_lines()}")
    except KeyboardInterrupt:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Service:
    """A running service; :func:`start` makes it.

    Attributes
    ----------
    url : str
        Such as ``http://127.0.0.1:3000``.
    notice : str
        What whoever starts it should know: that no key is needed, or may be changed by others; else empty.
    example : str
        A command line that asks for a score.
    pid : int
        Of the parent of the workers.
    """

    def __init__(self, config: ServingConfig, *, notice: str = "", asks_key: bool = False) -> None:
        self.notice = notice
        self._run_dir = Path(tempfile.mkdtemp(prefix="ebbtide-serve-"))
        config = replace(config, run_dir=str(self._run_dir))
        host = "127.0.0.1" if config.host == "localhost" else config.host
        reach = _LOOPBACK.get(host, host)
        self.url = f"http://[{reach}]:{config.port}" if ":" in reach else f"http://{reach}:{config.port}"
        key = ' -H "Authorization: Bearer $KEY"' if asks_key else ""
        body = """'{"customers": [{"customer_id": "YOUR-CUSTOMER-ID"}], "reasons": 3}'"""
        self.example = f"curl -s {self.url}/v1/score{key} -H 'Content-Type: application/json' -d {body}"
        self._log: IO[bytes] = (self._run_dir / "service.log").open("w+b")
        self._read_to = 0
        command = [sys.executable, "-m", "bentoml", "serve", "serving.service:EbbtideService"]
        command += ["--working-dir", str(INSTALL_FOLDER), "--host", host, "--port", str(config.port)]
        command += ["--timeout-graceful-shutdown", str(_GRACE_SECONDS // 2)]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and fixed arguments
            command,
            cwd=INSTALL_FOLDER,
            env=child_environment(config, self._run_dir, os.environ),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_ready(self, timeout_seconds: float) -> None:
        """Wait until ``/readyz`` says yes.

        Raises
        ------
        ServiceError
            If the service ends, or is not ready in time.
        """
        deadline = time.monotonic() + timeout_seconds
        reason = "it does not answer yet"
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServiceError(
                    f"the service ended with status {self._process.returncode}; its last lines:\n{self.last_lines()}"
                )
            status, reason = _ask(f"{self.url}/readyz")
            if status == "ready":
                return
            if status in {"failed", "not_ready"}:
                raise ServiceError(f"the service started but cannot score: {reason}")
            time.sleep(0.1)
        raise ServiceError(
            f"the service was not ready after {timeout_seconds:g} s: {reason}; its last lines:\n{self.last_lines()}",
            remedy="see the reason above; if there is no champion yet, run `ebbtide retrain` first",
        )

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait until the service ends by itself; its exit status, or None if it did not within ``seconds``."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def new_lines(self) -> list[str]:
        """What the service said since this was last asked, whole lines only, without traceback frames."""
        with contextlib.suppress(OSError), (self._run_dir / "service.log").open("rb") as log:
            log.seek(self._read_to)
            whole, end, _ = log.read().rpartition(b"\n")
            self._read_to += len(whole) + len(end)
            return list(_plain(whole.decode(errors="replace").splitlines()))
        return []

    def last_lines(self) -> str:
        """What the service said last, without traceback frames."""
        with contextlib.suppress(OSError, ValueError):
            self._log.flush()
            lines = (self._run_dir / "service.log").read_text(encoding="utf-8", errors="replace").splitlines()
            return "\n".join(f"  {line[:300]}" for line in list(_plain(lines))[-_TAIL_LINES:])
        return "  (nothing)"

    def stop(self) -> None:
        """Ask the service to end, let what is being answered finish, and clear up; idempotent."""
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
        self._signal(signal.SIGKILL)  # whatever of the group is still there
        self._process.wait()
        self._log.close()
        shutil.rmtree(self._run_dir, ignore_errors=True)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def child_environment(config: ServingConfig, run_dir: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """Environment of the service: ours first on the path, telemetry off, nothing written outside ``run_dir``."""
    for name in ("bentoml", "prometheus"):
        (run_dir / name).mkdir(exist_ok=True)
    path = os.pathsep.join(part for part in (str(INSTALL_FOLDER), inherited.get("PYTHONPATH", "")) if part)
    return {
        **{key: value for key, value in inherited.items() if not key.startswith(("BENTOML_", "OTEL_"))},
        ENVIRONMENT_KEY: config.to_json(),
        "PYTHONPATH": path,
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "BENTOML_HOME": str(run_dir / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "OTEL_SDK_DISABLED": "true",
        "PROMETHEUS_MULTIPROC_DIR": str(run_dir / "prometheus"),
    }


def _plain(lines: list[str]) -> Iterator[str]:
    """Leave out a traceback's frames, keep its last line."""
    inside = False
    for line in lines:
        if line.startswith("Traceback"):
            inside = True
        elif inside and line.startswith(" "):
            continue
        else:
            inside = False
            if line.strip():
                yield line


def _ask(url: str) -> tuple[str, str]:
    """Status and reason that ``/readyz`` gives; no status while nothing answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return "ready", answer.read(0).decode()
    except urllib.error.HTTPError as error:
        with error:
            return _health(error.read(10_000))
    except OSError as error:
        return "", str(error)


def _health(body: bytes) -> tuple[str, str]:
    try:
        answer = json.loads(body)
        return str(answer["status"]), str(answer["reason"])
    except (ValueError, KeyError, TypeError):
        return "", "it answers, but not as this service would"


def _notice(keys_file: str | None, *, has_keys: bool) -> str:
    if not has_keys:
        return _NO_KEYS
    if keys_file is not None and Path(keys_file).stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return _KEYS_WRITABLE
    return ""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

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
import socket
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

from features.errors import PortInUseError, ServiceError
from serving.config import ENVIRONMENT_KEY, ServingConfig
from serving.guard import check_bind, load_keys

__all__ = ["INSTALL_FOLDER", "Service", "child_environment", "free_port", "serve", "start"]

INSTALL_FOLDER: Final = Path(__file__).resolve().parent.parent
"""The folder that holds our packages."""
_TAIL_LINES: Final = 12
_GRACE_SECONDS: Final = 20
_NO_KEYS: Final = "no API key is set: whoever can log in to this machine may score, write and delete (--keys-file)"
_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound


def free_port(host: str = "127.0.0.1") -> int:
    """Some TCP port that is free now."""
    with socket.socket(_family(host)) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


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
    _check_port(config.host, config.port)
    service = Service(config, notice="" if keys else _NO_KEYS)
    if wait:
        try:
            service.wait_ready(timeout_seconds)
        except BaseException:
            service.stop()
            raise
    return service


def serve(config: ServingConfig, *, on_ready: Callable[[Service], None], timeout_seconds: float = 90.0) -> None:
    """Start the service and stay until it is told to end (Ctrl-C or SIGTERM); what `ebbtide serve` does.

    Parameters
    ----------
    config : ServingConfig
    on_ready : callable
        Called with the service once it can score, such as to print its address and notice.
    timeout_seconds : float
        How long it may take to become ready.

    Raises
    ------
    ServiceError
        If the service ends by itself; and whatever :func:`start` raises.
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with start(config, timeout_seconds=timeout_seconds) as service:
            on_ready(service)
            status = service.wait()
            raise ServiceError(f"the service ended with status {status}; its last lines:\n{service.last_lines()}")
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)


class Service:
    """A running service; :func:`start` makes it.

    Attributes
    ----------
    url : str
        Such as ``http://127.0.0.1:3000``.
    notice : str
        What whoever starts it should know: that no key is needed; else empty.
    pid : int
        Of the parent of the workers.
    """

    def __init__(self, config: ServingConfig, *, notice: str = "") -> None:
        self.notice = notice
        self._run_dir = Path(tempfile.mkdtemp(prefix="ebbtide-serve-"))
        config = replace(config, run_dir=str(self._run_dir))
        host = "127.0.0.1" if config.host == "localhost" else config.host
        reach = _LOOPBACK.get(host, host)
        self.url = f"http://[{reach}]:{config.port}" if ":" in reach else f"http://{reach}:{config.port}"
        self._log: IO[bytes] = (self._run_dir / "service.log").open("w+b")
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

    def wait(self) -> int:
        """Wait until the service ends by itself; its exit status."""
        return self._process.wait()

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


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _check_port(host: str, port: int) -> None:
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUseError(
                f"port {port} on {host} cannot be had: {error.strerror}",
                expected="a free port",
                remedy=f"stop what listens there, or choose another with --port, such as --port {free_port()}",
            ) from error

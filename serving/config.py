"""What the scoring service is told when it starts: one JSON text in the environment, read once.

``bentoml serve`` starts its workers itself, so nothing can be handed to them as an argument; ``EBBTIDE_SERVING`` is
the only way in, and :class:`ServingConfig` is all that may be in it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import msgspec

from features.clock import zone
from features.errors import UsageError, did_you_mean

__all__ = ["ENVIRONMENT_KEY", "ServingConfig"]

ENVIRONMENT_KEY: Final = "EBBTIDE_SERVING"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingConfig:
    """Everything the service needs to know.

    Parameters
    ----------
    home : str
        Absolute folder of the project: ``champions/``, ``bundles/``, ``state/``, ``predictions/`` are under it.
    timezone : str
        IANA name; times without an offset are read in it.
    currency : str
        The project's one currency, for sentences.
    targets : tuple of str
        Names of the configured targets; empty means whatever has a champion.
    store_url : str
        ``embedded:<folder under home>``, optionally ``?map_gb=<n>``.
    host : str
        Address to bind. Anything but loopback needs keys.
    port : int
        TCP port.
    workers : int
        Worker processes.
    keys_file : str or None
        File with one API key a line.
    prediction_log : bool
        Whether scores are written to ``predictions/``.
    max_body_bytes : int
        Largest request body that is read.
    body_timeout_seconds : float
        How long a client may take to send its body.
    poll_seconds : float
        How often a worker looks at the champion pointers.
    run_dir : str or None
        Private folder of this run, for what its workers share (counters); None when there is one process.

    Examples
    --------
    >>> config = ServingConfig(home="/srv/shop", timezone="Europe/Berlin", currency="EUR", targets=("churn",))
    >>> ServingConfig.from_json(config.to_json()) == config
    True
    """

    home: str
    timezone: str = "UTC"
    currency: str = "USD"
    targets: tuple[str, ...] = ()
    store_url: str = "embedded:state"
    host: str = "127.0.0.1"
    port: int = 3000
    workers: int = 1
    keys_file: str | None = None
    prediction_log: bool = True
    max_body_bytes: int = 32 * 1024 * 1024
    body_timeout_seconds: float = 30.0
    poll_seconds: float = 1.0
    run_dir: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65_535:
            raise UsageError(f"port {self.port}", expected="a port between 1 and 65535")
        if self.workers < 1:
            raise UsageError(f"{self.workers} workers", expected="at least 1")
        if not Path(self.home).is_absolute():
            raise UsageError(f"home {self.home!r} is not absolute", expected="the project's absolute folder")
        zone(self.timezone)

    @property
    def home_path(self) -> Path:
        """The project's folder."""
        return Path(self.home)

    def to_json(self) -> str:
        """JSON text that :meth:`from_json` reads back."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ServingConfig:
        """Read a configuration.

        Raises
        ------
        UsageError
            If the text is not JSON, or has unknown keys or values of the wrong type.
        """
        try:
            raw = json.loads(text)
            known = [field.name for field in fields(cls)]
            unknown = [key for key in raw if key not in known]
            if unknown:
                hints = "; ".join(f"{key!r}: {did_you_mean(key, known)}" for key in unknown)
                raise UsageError(f"unknown keys in {ENVIRONMENT_KEY}: {hints}")
            return msgspec.convert(raw, cls)
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"{ENVIRONMENT_KEY} cannot be read: {error}", expected="the JSON that `ebbtide serve` passes"
            ) from error

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> ServingConfig:
        """Read the configuration that the launcher left in the environment.

        Raises
        ------
        UsageError
            If it is not there, or cannot be read.
        """
        text = environment.get(ENVIRONMENT_KEY)
        if not text:
            raise UsageError(
                f"the environment has no {ENVIRONMENT_KEY}",
                expected="the service to be started by `ebbtide serve`",
                remedy="run `ebbtide serve` instead of `bentoml serve`",
            )
        return cls.from_json(text)

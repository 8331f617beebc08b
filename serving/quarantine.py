"""Live events that were rejected, kept with their reason until someone looks: ``log/live_quarantine/<day>.jsonl``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from features.errors import StateError

__all__ = ["LiveQuarantine", "Rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One rejected event.

    Parameters
    ----------
    index : int
        Its place in the request.
    reason : str
        Every fault, in a sentence.
    raw : bytes
        Its text as it came, which may not even be JSON.
    """

    index: int
    reason: str
    raw: bytes


class LiveQuarantine:
    """Append-only files of rejected live events, one a UTC day, shared by all workers.

    Parameters
    ----------
    folder : Path
        ``home/log/live_quarantine``; the log clears ``quarantine`` of what it does not know.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, rejected: Sequence[Rejected], *, request_id: str, now: datetime) -> None:
        """Write rejected events, durable on return; one write call, so that workers do not mix their lines.

        Raises
        ------
        StateError
            If they cannot be written.
        """
        moment = now.astimezone(UTC)
        lines = b"".join(
            msgspec.json.encode(
                {
                    "quarantined_at": moment,
                    "request_id": request_id,
                    "index": event.index,
                    "reason": event.reason,
                    "row": event.raw.decode(errors="replace"),
                }
            )
            + b"\n"
            for event in rejected
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            handle = os.open(self._folder / f"{moment:%Y-%m-%d}.jsonl", flags, 0o600)
            try:
                os.write(handle, lines)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise StateError(f"rejected events cannot be kept in {self._folder}: {error.strerror}") from error

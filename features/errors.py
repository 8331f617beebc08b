"""Every error Ebbtide raises on purpose, on one page.

Each message says what was found, what was expected and what to do next. ``exit_code`` is what the command line
returns (0 done, 1 failed: do not retry, 2 wrong usage, 3 finished but a gate said no, 75 try again) and
``retryable`` says whether the same call may succeed later without anyone changing anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

__all__ = [
    "BundleError",
    "ConfigError",
    "CutoffError",
    "DiskFullError",
    "EbbtideError",
    "EmptyLogError",
    "EngineError",
    "GateRefusedError",
    "HistoryError",
    "LockedError",
    "MappingError",
    "ModelNotFoundError",
    "OneClassError",
    "ParityError",
    "PortInUseError",
    "ServiceError",
    "SourceError",
    "StaleFeedError",
    "StateError",
    "UsageError",
    "close_names",
    "did_you_mean",
]


class EbbtideError(Exception):
    """Base of the tree.

    Parameters
    ----------
    found : str
        What was found, as a sentence without a full stop.
    expected : str, optional
        What was expected instead.
    remedy : str, optional
        What to do next.

    Examples
    --------
    >>> str(EbbtideError("the log has 0 events", expected="at least 1", remedy="run `ebbtide ingest`"))
    'the log has 0 events; expected at least 1. To mend it: run `ebbtide ingest`.'
    """

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, found: str, *, expected: str = "", remedy: str = "") -> None:
        self.found, self.expected, self.remedy = found, expected, remedy
        text = found + (f"; expected {expected}" if expected else "")
        super().__init__(text + (f". To mend it: {remedy}." if remedy else ""))


class UsageError(EbbtideError):
    """A command or call was given arguments that cannot work."""

    exit_code = 2


class ConfigError(EbbtideError):
    """``ebbtide.toml`` has mistakes; ``problems`` lists all of them.

    Examples
    --------
    >>> print(ConfigError("ebbtide.toml", ["[project] name is missing", "[store] ur: unknown key"]))
    2 problems in ebbtide.toml:
      - [project] name is missing
      - [store] ur: unknown key
    """

    exit_code = 2

    def __init__(self, source: str, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in {source}:{lines}")


class MappingError(EbbtideError):
    """An expression of an ``[[events]]`` block does not fit the table it reads."""

    exit_code = 2


class CutoffError(EbbtideError):
    """A cutoff cannot be used: unreadable, in the future, or too far from the newest event."""

    exit_code = 2


class DiskFullError(EbbtideError):
    """The disk has no room for what has to be written."""


class SourceError(EbbtideError):
    """A source table is missing, unreadable, or too bad to publish."""


class EmptyLogError(EbbtideError):
    """The event log has no events (yet)."""


class HistoryError(EbbtideError):
    """There is too little history, or too few customers, for what was asked."""


class OneClassError(EbbtideError):
    """Every label is the same, so there is nothing to learn."""


class BundleError(EbbtideError):
    """A model bundle is damaged, tampered with, or of a format this version cannot read."""


class ModelNotFoundError(EbbtideError):
    """No such model, version or alias."""


class StateError(EbbtideError):
    """A customer's packed state, or the store that holds it, is damaged or cannot answer."""


class ParityError(EbbtideError):
    """A customer's replayed state and the batch table disagree: a bug, and nothing is trained on such features."""


class EngineError(EbbtideError):
    """The batch engine cannot run: its extra or Java is missing, or it failed."""


class PortInUseError(EbbtideError):
    """The port to serve on is taken."""


class ServiceError(EbbtideError):
    """The scoring service did not start, or did not answer."""


class StaleFeedError(EbbtideError):
    """A source is older than its ``max_feed_age_hours``: scoring now would make everyone look churned."""

    exit_code = 3


class GateRefusedError(EbbtideError):
    """The challenger was not good enough; the champion stays."""

    exit_code = 3


class LockedError(EbbtideError):
    """Another process holds the lock."""

    exit_code = 75
    retryable = True


def did_you_mean(unknown: str, known: Iterable[str]) -> str:
    """Say which known names are close to an unknown one.

    Parameters
    ----------
    unknown : str
        The name that was given.
    known : iterable of str
        The names that exist.

    Returns
    -------
    str
        ``"did you mean 'x'?"``, or the list of what exists when nothing is close.

    Examples
    --------
    >>> did_you_mean("horizn_days", ["gap_days", "horizon_days"])
    "did you mean 'horizon_days'?"
    >>> did_you_mean("zzz", ["b", "a"])
    "known: 'a', 'b'"
    >>> did_you_mean("zzz", [])
    'there are none'
    """
    names = sorted(known)
    close = close_names(unknown, names)
    if close:
        return close
    return "known: " + ", ".join(f"'{name}'" for name in names) if names else "there are none"


def close_names(unknown: str, known: Iterable[str]) -> str:
    """Say which known names are close to an unknown one; empty if none is: for names too many to be listed.

    Examples
    --------
    >>> close_names("veiw", ["view", "purchase"]), close_names("zzz", ["a"])
    ("did you mean 'view'?", '')
    """
    close = get_close_matches(unknown, sorted(known), n=3, cutoff=0.6)
    return "did you mean " + " or ".join(f"'{name}'" for name in close) + "?" if close else ""

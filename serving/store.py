"""The online store's contract: one packed state a customer, and a durable spool of live events.

One test suite runs against every backend. What every backend promises: an accepted event is durable, in the customer's
state and in the spool, before :meth:`Store.apply_events` returns; filling from the log never loses an event that is
still in the spool; a damaged state is reported for that customer alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias
from urllib.parse import parse_qs

from features.errors import StateError, UsageError, did_you_mean
from features.state import EventRow, State

__all__ = ["Applied", "LiveEvent", "Store", "Stored", "open_store"]

Applied: TypeAlias = Literal["accepted", "duplicate"]
"""What became of a live event."""

Stored: TypeAlias = State | StateError | None
"""What is stored of a customer: a state, the error that says how it is damaged, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvent:
    """A live event that passed every check.

    Parameters
    ----------
    columns : mapping of str to object
        Columns of the event log that are not null, with ``event_id`` and ``received_at``; times are aware datetimes.
    row : EventRow
        The same event as the state takes it.
    """

    columns: Mapping[str, object]
    row: EventRow

    @property
    def customer_id(self) -> str:
        """Whose event it is."""
        return str(self.columns["customer_id"])

    @property
    def event_id(self) -> str:
        """Its identity."""
        return str(self.columns["event_id"])


class Store(Protocol):
    """Where customers' packed states live.

    All methods raise :class:`~features.errors.StateError` when the store as a whole cannot answer.
    """

    def get(self, customer_id: str) -> State | None:
        """State of one customer; raises StateError if it is damaged."""

    def get_many(self, customer_ids: Sequence[str]) -> list[Stored]:
        """What is stored of each customer, in their order; a damaged state stands as its error."""

    def put_many(self, states: Iterable[tuple[str, State]]) -> int:
        """Replace states in bulk (a fill from the log), with what is still in the spool applied on top; how many."""

    def replace_all(self, states: Iterable[tuple[str, State]]) -> int:
        """As ``put_many`` with the whole log's states: customers neither among them nor in the spool are forgotten."""

    def apply_events(self, events: Sequence[LiveEvent]) -> list[Applied]:
        """Add live events to states and spool, durable on return; in their order."""

    def delete(self, customer_id: str) -> tuple[bool, int]:
        """Remove a customer and their events in the spool: whether there was one, and how many such events."""

    def spool_read(self, most: int) -> tuple[list[dict[str, object]], int]:
        """Oldest events of the spool as columns of the log, and the position to drop them by (0 if there are none)."""

    def spool_drop(self, position: int) -> int:
        """Remove the spool's events up to a position that :meth:`spool_read` gave; how many."""

    def sizes(self) -> tuple[int, int]:
        """How many customers and how many events in the spool."""

    def mark_filled(self, facts: Mapping[str, str]) -> None:
        """Remember what the store was filled from, such as the log's version."""

    def filled(self) -> dict[str, str]:
        """What :meth:`mark_filled` was told; empty if it never was."""

    def close(self) -> None:
        """Let go of it."""


def open_store(url: str, home: Path) -> Store:
    """Open the store that a URL names.

    Parameters
    ----------
    url : str
        ``embedded:<folder relative to home>``, optionally ``?map_gb=<whole number>`` (the largest size in GiB; the
        file only takes what it holds).
    home : Path
        The project's home.

    Raises
    ------
    UsageError
        If there is no such kind of store, or its options are wrong.
    StateError
        If it cannot be opened.
    """
    kind, _, rest = url.partition(":")
    if kind != "embedded":
        raise UsageError(f"the store {url!r}", expected=did_you_mean(kind, ["embedded"]))
    from serving.embedded_store import DEFAULT_MAP_GB, EmbeddedStore  # it imports this file

    folder, _, query = rest.partition("?")
    options = parse_qs(query)
    size = options.pop("map_gb", [str(DEFAULT_MAP_GB)])[-1]
    if options or not folder or not size.isdecimal() or not 1 <= int(size) <= 65_536:  # TiBs
        raise UsageError(f"the store {url!r}", expected="embedded:<folder>, or embedded:<folder>?map_gb=<whole number>")
    return EmbeddedStore(home / folder, map_gb=int(size))

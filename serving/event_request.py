"""A batch of live events: a faulty envelope is refused, a faulty event is rejected alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

import msgspec

from serving.faults import ApiFault, Problem
from serving.live_events import CLOCK_SKEW, MomentError, columns_of, derived_ids, row_of
from serving.quarantine import Rejected
from serving.schema import EventsIn, LiveEventIn
from serving.store import LiveEvent
from serving.validate import faults, malformed, parse_json

__all__ = ["EventRequest", "read_event_request"]

_ENVELOPE: Final = msgspec.json.Decoder(EventsIn)
_EVENT: Final = msgspec.json.Decoder(LiveEventIn)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRequest:
    """Events to store and events that were rejected; ``indexes`` are the places of the former in the request.

    Parameters
    ----------
    events : sequence of LiveEvent
    indexes : sequence of int
    rejected : sequence of Rejected
    """

    events: Sequence[LiveEvent]
    indexes: Sequence[int]
    rejected: Sequence[Rejected]

    @property
    def size(self) -> int:
        """How many events the request had."""
        return len(self.events) + len(self.rejected)


def read_event_request(body: bytes, *, zone: tzinfo, now: datetime) -> EventRequest:
    """Read a batch of live events.

    Parameters
    ----------
    body : bytes
    zone : tzinfo
        For times without an offset.
    now : datetime
        When they are received.

    Raises
    ------
    ApiFault
        400 if it is not JSON, 422 with every fault if the envelope does not fit.
    """
    try:
        envelope = _ENVELOPE.decode(body)
    except msgspec.ValidationError as error:
        problems = faults(parse_json(body), EventsIn)
        raise ApiFault(
            422,
            "invalid_request",
            "the envelope of the events does not fit; nothing was stored",
            problems or [Problem("", str(error), "what /v1/openapi.json describes")],
        ) from error
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise malformed(str(error)) from error
    columns: list[dict[str, object]] = []
    indexes: list[int] = []
    rejected: list[Rejected] = []
    for index, raw in enumerate(envelope.events):
        row = _columns(bytes(raw), index, zone, now)
        if isinstance(row, Rejected):
            rejected.append(row)
        else:
            columns.append(row)
            indexes.append(index)
    derived_ids(columns)
    events = [LiveEvent(columns=row, row=row_of(row)) for row in columns]
    return EventRequest(events=events, indexes=indexes, rejected=rejected)


def _columns(raw: bytes, index: int, zone: tzinfo, now: datetime) -> dict[str, object] | Rejected:
    try:
        event = _EVENT.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return Rejected(index=index, reason=_reason(raw, str(error)), raw=raw)
    try:
        return columns_of(event, event.customer_id, zone, received_at=now, latest=now + CLOCK_SKEW)
    except MomentError as error:
        return Rejected(index=index, reason=f"event_time: {error}", raw=raw)


def _reason(raw: bytes, refusal: str) -> str:
    """Every fault of an event that the strict decoder refused; the decoder's own word if it is not even JSON."""
    try:
        found = faults(parse_json(raw), LiveEventIn)
    except ApiFault:
        found = []
    if not found:
        return refusal
    return "; ".join(
        f"{problem.path or 'the event'}: {problem.found}, expected {problem.expected}" for problem in found
    )

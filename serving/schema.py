"""What goes over the wire: requests decoded strictly, answers encoded from the same kind of records.

Strict means: no key that is not here, no ``"1"`` or ``true`` where a number belongs, no NaN or Infinity (they are not
JSON). The OpenAPI document is generated from these types, so neither can say what the other does not.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

__all__ = [
    "MAX_BATCH",
    "MAX_HISTORY",
    "MAX_MOMENT",
    "MAX_REASONS",
    "MAX_TEXT",
    "CustomerIn",
    "CustomerPage",
    "CustomerScores",
    "DeleteAnswer",
    "Event",
    "EventOutcome",
    "EventsAnswer",
    "EventsIn",
    "FeatureValue",
    "HealthAnswer",
    "LastEvent",
    "LiveEventIn",
    "ModelAnswer",
    "ModelEntry",
    "ReasonOut",
    "RefusedModel",
    "ScoreAnswer",
    "ScoreIn",
    "Segment",
    "Status",
    "StoreEntry",
    "TargetScore",
]

MAX_BATCH: Final = 1_000
"""Most customers or events a request."""
MAX_TEXT: Final = 9_999
"""Most characters of an identifier or any other text."""
MAX_HISTORY: Final = 20_000
"""Most events of one customer in a request; a stored customer keeps 4,096."""
MAX_MOMENT: Final = 64
"""Most characters of a date and time."""
MAX_REASONS: Final = 10
"""Most reasons a score."""

Identifier = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Moment = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_MOMENT,
        description="ISO 8601 date and time; without an offset it is read in the project's time zone.",
    ),
]
Amount = Annotated[float, Meta(ge=-1e12, le=1e12)]
Status = Literal["scored", "not_eligible", "unknown_customer", "stale"]
Segment = Literal["new", "active", "dormant", "churned"]


class Event(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One event of a customer: the event log's columns but for who and when it was received."""

    event_type: Identifier
    event_time: Moment
    event_id: Identifier | None = None
    kind: Text | None = None
    value: Amount | None = None
    amount: Amount | None = None
    discount: Amount | None = None
    quantity: Amount | None = None
    order_id: Text | None = None
    item_id: Text | None = None
    category: Text | None = None
    channel: Text | None = None
    source: Text | None = None
    device: Text | None = None
    page: Text | None = None
    campaign_id: Text | None = None
    coupon_id: Text | None = None
    content_id: Text | None = None
    session_id: Text | None = None
    live_id: Text | None = None
    host_id: Text | None = None
    related_customer_id: Text | None = None
    duration_seconds: Amount | None = None
    rating: Amount | None = None
    dimension: Text | None = None


class LiveEventIn(Event, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One live event, to be stored."""

    customer_id: Identifier


class CustomerIn(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One customer to score: by id, by id with fresh ``events`` on top, or by a full ``history`` of one's own."""

    customer_id: Identifier
    events: Annotated[list[Event], Meta(max_length=MAX_HISTORY)] | None = None
    history: Annotated[list[Event], Meta(max_length=MAX_HISTORY)] | None = None


class ScoreIn(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A scoring request."""

    customers: Annotated[list[CustomerIn], Meta(min_length=1, max_length=MAX_BATCH)]
    targets: Annotated[list[Identifier], Meta(min_length=1, max_length=100)] | None = None
    cutoff: Moment | None = None
    reasons: Annotated[int, Meta(ge=0, le=MAX_REASONS)] = 0


class EventsIn(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A batch of live events; each is judged on its own (see ``LiveEventIn``)."""

    events: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MAX_BATCH)]


class ReasonOut(Struct, frozen=True, kw_only=True):
    """One reason for a score."""

    code: str
    sentence: str
    direction: str
    share: float


class TargetScore(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One customer's score for one target. A probability is null unless the status is ``scored`` or ``stale``."""

    status: Status
    detail: str | UnsetType = UNSET
    probability: float | None
    expected_value: float | UnsetType | None = UNSET
    percentile: float | None
    band: str | None
    model_version: str
    fingerprint: str
    reasons: list[ReasonOut] | UnsetType = UNSET


class CustomerScores(Struct, frozen=True, kw_only=True):
    """One customer's scores; the status is ``scored`` if any target's is."""

    customer_id: str
    status: Status
    cutoff: str
    scores: dict[str, TargetScore]


class ScoreAnswer(Struct, frozen=True, kw_only=True):
    """The scores, in the order of the request's customers."""

    results: list[CustomerScores]


class EventOutcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one live event."""

    index: int
    status: Literal["accepted", "duplicate", "rejected"]
    event_id: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class EventsAnswer(Struct, frozen=True, kw_only=True):
    """What became of each live event, in the order they came."""

    accepted: int
    duplicates: int
    rejected: int
    results: list[EventOutcome]


class FeatureValue(Struct, frozen=True, kw_only=True):
    """A feature that weighs in a score, and the customer's value (null if undefined)."""

    name: str
    value: float | None


class LastEvent(Struct, frozen=True, kw_only=True):
    """One of the customer's newest events."""

    event_time: str
    event_type: str
    amount: float | None


class CustomerPage(Struct, frozen=True, kw_only=True):
    """All that is known about one stored customer."""

    customer_id: str
    status: Status
    cutoff: str
    lifecycle_segment: Annotated[
        Segment | None,
        Meta(
            description="By the churn target's days, the first that applies: churned (last activity older than "
            "active_within_days), dormant (older than horizon_days), new (first activity not older than "
            "active_within_days), active; null without a churn champion or before the first activity."
        ),
    ]
    scores: dict[str, TargetScore]
    key_features: dict[str, list[FeatureValue]]
    last_events: list[LastEvent]


class DeleteAnswer(Struct, frozen=True, kw_only=True):
    """What a deletion removed from the online store; the event log is ``ebbtide forget``'s business."""

    customer_id: str
    deleted: bool
    spooled_events_dropped: int


class ModelEntry(Struct, frozen=True, kw_only=True):
    """A champion as this service scores with it."""

    target: str
    kind: str
    version: str
    checksum: str
    fingerprint: str
    features: int
    loaded_at: str
    definition: dict[str, Any]
    quality: dict[str, Any]


class RefusedModel(Struct, frozen=True, kw_only=True):
    """A champion that was refused; the one before it, if any, goes on scoring."""

    target: str
    reason: str


class StoreEntry(Struct, frozen=True, kw_only=True):
    """The online store."""

    customers: int
    spooled_events: int
    filled: dict[str, str]


class ModelAnswer(Struct, frozen=True, kw_only=True):
    """The champions, what was refused, and the store."""

    timezone: str
    currency: str
    models: list[ModelEntry]
    refused: list[RefusedModel]
    without_champion: list[str]
    store: StoreEntry


class HealthAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the service lives, or is ready."""

    status: str
    reason: str | UnsetType = UNSET

"""Everything a log can have: each built-in event type with every column that makes sense for it.

What the documentation lists and the tests count; a project's log has a part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from features.catalogue.attributes import Attribute
from features.catalogue.posterior import Posterior
from features.catalogue.traits import TypeTraits
from features.events import EVENT_TYPES

__all__ = ["ATTRIBUTES", "CONVENTIONS", "POSTERIOR", "SEASON_DAYS", "VOCABULARY"]

_SEEN_ON: Final = ("channel", "device", "source", "session_id")
_ITEM: Final = ("item_id", "category")
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "signup": _SEEN_ON,
    "login": _SEEN_ON,
    "session": (*_SEEN_ON, "duration_seconds"),
    "view": (*_SEEN_ON, *_ITEM, "page", "duration_seconds"),
    "search": _SEEN_ON,
    "click": (*_SEEN_ON, "page"),
    "content_view": (*_SEEN_ON, "content_id", "duration_seconds"),
    "favorite": (*_SEEN_ON, *_ITEM),
    "cart": (*_SEEN_ON, *_ITEM, "quantity"),
    "cart_remove": (*_SEEN_ON, *_ITEM, "quantity"),
    "checkout": _SEEN_ON,
    "purchase": (
        *(*_SEEN_ON, *_ITEM, "amount", "discount", "quantity", "order_id", "campaign_id", "coupon_id", "live_id"),
    ),
    "refund": (*_ITEM, "amount", "order_id"),
    "return": (*_ITEM, "quantity", "order_id"),
    "delivered": ("kind", "order_id", "duration_seconds"),
    "coupon_received": ("coupon_id", "campaign_id", "duration_seconds"),
    "coupon_redeemed": ("coupon_id", "discount", "order_id"),
    "coupon_expired": ("coupon_id",),
    "points_earned": ("value",),
    "points_spent": ("value",),
    "points_expired": ("value",),
    "level_changed": ("value",),
    "task_done": ("value",),
    "lottery": ("kind", "value"),
    "share": ("content_id", "item_id", "related_customer_id"),
    "invite": ("kind", "related_customer_id"),
    "review": ("item_id", "rating"),
    "like": ("content_id", "item_id"),
    "comment": ("content_id", "item_id"),
    "follow": ("related_customer_id",),
    "live_watch": ("live_id", "host_id", "duration_seconds"),
    "live_interact": ("kind", "live_id", "host_id"),
    "message_sent": ("channel", "campaign_id"),
    "message_open": ("channel", "campaign_id"),
    "message_click": ("channel", "campaign_id"),
    "message_bounce": ("channel", "campaign_id"),
    "campaign_exposed": ("channel", "campaign_id"),
    "support_ticket": ("channel",),
    "ticket_closed": ("duration_seconds", "rating"),
    "survey": ("kind", "rating", "dimension"),
    "unsubscribe": ("channel",),
}
_MET: Final[Mapping[str, tuple[str, ...]]] = {
    "channel": ("app", "web"),
    "device": ("desktop", "mobile"),
    "source": ("ads", "organic"),
}
_SENT: Final[Mapping[str, tuple[str, ...]]] = {"channel": ("email", "push", "sms", "wecom")}
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "delivered": ("late", "on_time"),
    "invite": ("bought", "sent"),
    "live_interact": ("comment", "draw", "question", "vote"),
    "lottery": ("lost", "won"),
    "survey": ("csat", "nps"),
}


def _values(event_type: str) -> dict[str, tuple[str, ...]]:
    fields = _FIELDS.get(event_type, ())
    possible: dict[str, tuple[str, ...]] = dict(_MET if "device" in fields else _SENT)
    possible["kind"] = _KINDS.get(event_type, ())
    return {field: values for field, values in possible.items() if field in fields}


VOCABULARY: Final[Mapping[str, TypeTraits]] = {
    name: TypeTraits(fields=frozenset(_FIELDS.get(name, ())), values=_values(name)) for name in EVENT_TYPES
}
"""Event type → traits. The values of ``kind`` are those that features know; those of the rest are examples."""

SEASON_DAYS: Final = (0, 14)
POSTERIOR: Final = Posterior(r=0.5, alpha=30.0, a=0.5, b=2.0, event_type="purchase", horizon_days=28)
ATTRIBUTES: Final = (Attribute(name="age"), Attribute(name="tier", values=("gold", "silver")))
"""Examples of what a project may add."""

CONVENTIONS: Final = (
    "`coupon_received`: `duration_seconds` is how long the coupon is valid.",
    "`points_earned`, `points_spent`, `points_expired`: `value` is how many points, above 0 in all three.",
    "`level_changed`: `value` is the new level.",
    "`delivered`: `duration_seconds` is the time from order to delivery; the kind `late` came later than promised.",
    "`support_ticket`, `ticket_closed`: `duration_seconds` is the time until somebody replied.",
    "`invite`: the kind `bought` says that the invited customer bought.",
    "`survey`: ratings are told apart by `kind`, such as `nps` and `csat`.",
)
"""What the families take a column or a kind to mean; sentences in Markdown."""

"""What things are called in English sentences: event types and columns of the log, singular and plural."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ANY_EVENT", "FIELDS", "NOUNS", "an", "shown"]

NOUNS: Final[Mapping[str, tuple[str, str]]] = {
    "signup": ("sign-up", "sign-ups"),
    "login": ("login", "logins"),
    "session": ("visit", "visits"),
    "view": ("page view", "page views"),
    "search": ("search", "searches"),
    "click": ("click", "clicks"),
    "content_view": ("content view", "content views"),
    "favorite": ("favourite", "favourites"),
    "cart": ("cart addition", "cart additions"),
    "cart_remove": ("cart removal", "cart removals"),
    "checkout": ("checkout", "checkouts"),
    "purchase": ("purchase", "purchases"),
    "refund": ("refund", "refunds"),
    "return": ("return", "returns"),
    "delivered": ("delivery", "deliveries"),
    "coupon_received": ("coupon received", "coupons received"),
    "coupon_redeemed": ("coupon redemption", "coupon redemptions"),
    "coupon_expired": ("expired coupon", "expired coupons"),
    "points_earned": ("gain of points", "gains of points"),
    "points_spent": ("use of points", "uses of points"),
    "points_expired": ("loss of points", "losses of points"),
    "level_changed": ("level change", "level changes"),
    "checkin": ("check-in", "check-ins"),
    "task_done": ("finished task", "finished tasks"),
    "lottery": ("lottery draw", "lottery draws"),
    "share": ("share", "shares"),
    "invite": ("invitation", "invitations"),
    "review": ("review", "reviews"),
    "like": ("like", "likes"),
    "comment": ("comment", "comments"),
    "follow": ("follow", "follows"),
    "live_watch": ("live stream watched", "live streams watched"),
    "live_interact": ("live interaction", "live interactions"),
    "message_sent": ("message sent", "messages sent"),
    "message_open": ("opened message", "opened messages"),
    "message_click": ("message click", "message clicks"),
    "message_bounce": ("bounced message", "bounced messages"),
    "campaign_exposed": ("campaign contact", "campaign contacts"),
    "support_ticket": ("support ticket", "support tickets"),
    "ticket_closed": ("closed ticket", "closed tickets"),
    "survey": ("survey answer", "survey answers"),
    "unsubscribe": ("unsubscription", "unsubscriptions"),
}
"""Of each built-in event type."""

ANY_EVENT: Final = ("event", "events")

FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "amount": ("amount", "amounts"),
    "discount": ("discount", "discounts"),
    "quantity": ("quantity", "quantities"),
    "value": ("value", "values"),
    "rating": ("rating", "ratings"),
    "duration_seconds": ("duration", "durations"),
    "kind": ("kind", "kinds"),
    "channel": ("channel", "channels"),
    "source": ("source", "sources"),
    "device": ("device", "devices"),
    "page": ("page", "pages"),
    "category": ("category", "categories"),
    "item_id": ("item", "items"),
    "campaign_id": ("campaign", "campaigns"),
    "coupon_id": ("coupon", "coupons"),
    "content_id": ("piece of content", "pieces of content"),
    "session_id": ("visit", "visits"),
    "live_id": ("live stream", "live streams"),
    "host_id": ("host", "hosts"),
    "related_customer_id": ("person", "people"),
    "dimension": ("dimension", "dimensions"),
}
"""Of each column of the log that can be counted or added up."""

_LONGEST: Final = 40


def an(word: str) -> str:
    """The word behind its indefinite article.

    Examples
    --------
    >>> an("item"), an("purchase")
    ('an item', 'a purchase')
    """
    return f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"


def shown(text: str) -> str:
    """A value of the log inside a sentence: on one line, printable, cut short, without marks of Markdown or HTML.

    Examples
    --------
    >>> shown("e-mail"), shown("a | b"), len(shown(10_000 * "x"))
    ('e-mail', 'a b', 40)
    """
    plain = " ".join("".join(c if c.isprintable() and c not in "|`<>" else " " for c in text).split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"

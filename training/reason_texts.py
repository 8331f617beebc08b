"""Every word of the reasons, one table a language; a further language is one more entry of :data:`TEXTS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["TEXTS", "Texts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The words of one language.

    Parameters
    ----------
    nouns : mapping of str to (singular, plural)
        For each built-in event type.
    any_event : (singular, plural)
        For features over events of every type.
    plural_suffix : str
        Makes the plural of an event type that has no noun here.
    days : (less than one, one, more)
        With ``{n}``.
    templates : mapping of str to str
        By what is said; the placeholders are the same in every language.
    """

    nouns: Mapping[str, tuple[str, str]]
    any_event: tuple[str, str]
    plural_suffix: str
    days: tuple[str, str, str]
    templates: Mapping[str, str]


_ENGLISH: Final = Texts(
    nouns={
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
    },
    any_event=("activity", "activities"),
    plural_suffix="s",
    days=("less than a day", "{n} day", "{n} days"),
    templates={
        "silent": "No {event} for {days}",
        "silent_usual": "No {event} for {days}; their usual gap is {gap}",
        "lately": "Last {event} {days} ago",
        "lately_usual": "Last {event} {days} ago; their usual gap is {gap}",
        "never": "No {event} yet",
        "count": "{n} {events} in the last {window} days",
        "count_none": "No {events} in the last {window} days",
        "count_more": "{said}, {n} in the last {window} days",
        "count_life": "{n} {events} so far",
        "active_days": "Days with {events} in the last {window} days: {n}",
        "active_days_life": "Days with {events} so far: {n}",
        "spend": "{events} worth {money} in the last {window} days",
        "spend_life": "{events} worth {money} so far",
        "spend_none": "No {events} of any value in the last {window} days",
        "discount_none": "No discounts on {events} in the last {window} days",
        "discount": "Discounts of {money} on {events} in the last {window} days",
        "discount_life": "Discounts of {money} on {events} so far",
        "discount_share": "Discounts were {percent} % of the price of {events} in the last {window} days",
        "discount_share_life": "Discounts were {percent} % of the price of {events} so far",
        "mean_spend": "{money} on average for each {event} in the last {window} days",
        "mean_spend_life": "{money} on average for each {event} so far",
        "mean_discount": "A discount of {money} on average for each {event} in the last {window} days",
        "mean_discount_life": "A discount of {money} on average for each {event} so far",
        "lines": "{n} lines in the {events} of the last {window} days",
        "lines_life": "{n} lines in all {events} so far",
        "mean_lines": "{ratio} lines for each {event} in the last {window} days",
        "mean_lines_life": "{ratio} lines for each {event} so far",
        "mix": "{ratio} {events} for each {other} in the last {window} days",
        "mix_life": "{ratio} {events} for each {other} so far",
        "trend": "{events} in the last {window} days run at {percent} % of the pace of the last {longer} days",
        "trend_spend": (
            "Spend on {events} in the last {window} days runs at {percent} % of the pace of the last {longer} days"
        ),
        "trend_discount": (
            "Discounts on {events} in the last {window} days run at {percent} % of the pace of the last {longer} days"
        ),
        "rhythm_none": "Too few {events} to know their rhythm",
        "gap_mean": "Usually {days} between {events}",
        "gap_sd": "The time between {events} varies by {days} around its mean",
        "gap_variation": "The time between {events} varies by {percent} % of its mean",
        "gap_max": "The longest time between {events} was {days}",
        "first": "First {event} {days} ago",
        "span": "{days} between the first and the last of the {events}",
        "other": "{what}: {number} {unit}",
        "null": "{what}: not known ({why})",
    },
)

TEXTS: Final[Mapping[str, Texts]] = {"en": _ENGLISH}

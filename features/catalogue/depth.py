"""How much is asked of each event type, so that a log with all of them keeps a catalogue of a useful size."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from features.catalogue.traits import TypeTraits
from features.events import EVENT_TYPES

__all__ = ["Depth", "depth"]

_ACTIVE: Final = frozenset({"login", "session", "view", "checkin", "live_watch"})
_LEAN: Final = frozenset(
    {
        *("search", "click", "content_view", "favorite", "cart", "coupon_redeemed", "task_done", "lottery", "share"),
        *("invite", "review"),
    }
)
_BRIEF: Final = frozenset(
    {
        *(
            "cart_remove",
            "checkout",
            "delivered",
            "coupon_received",
            "points_earned",
            "points_spent",
            "like",
            "comment",
        ),
        *("live_interact", "message_sent", "message_open", "message_click", "campaign_exposed"),
    }
)
_BUILT_IN: Final = frozenset(EVENT_TYPES)


class Depth(StrEnum):
    """How much is asked of an event type besides what its own families ask."""

    FULL = "full"  # purchases, and what carries money or orders like them: every window, rhythm, moments
    ACTIVE = "active"  # what customers do often: windows, active days, rhythm
    LEAN = "lean"  # what they do now and then: three windows, trend, lifetime
    BRIEF = "brief"  # what has a family of its own: a month and a quarter
    RARE = "rare"  # what happens seldom: a quarter and the lifetime


def depth(event_type: str, traits: TypeTraits) -> Depth:
    """How much is asked of an event type.

    Examples
    --------
    >>> [str(depth(name, TypeTraits())) for name in ("purchase", "gym_visit", "like", "unsubscribe")]
    ['full', 'active', 'brief', 'rare']
    """
    if event_type == "purchase" or (traits.is_rich and event_type not in _BUILT_IN - {"coupon_redeemed"}):
        return Depth.FULL
    if event_type in _ACTIVE or event_type not in _BUILT_IN:
        return Depth.ACTIVE
    if event_type in _LEAN:
        return Depth.LEAN
    return Depth.BRIEF if event_type in _BRIEF else Depth.RARE

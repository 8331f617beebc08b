"""The texts of a simulated log: types, devices, sources, pages and the like, each a short list with a code."""

from __future__ import annotations

from typing import Final

from features.events import EVENT_TYPES

__all__ = [
    "CHANNELS",
    "CONTENTS",
    "DEVICES",
    "DIMENSIONS",
    "KINDS",
    "LEVELS",
    "PAGES",
    "SOURCES",
    "TYPES",
    "kind",
]

TYPES: Final = EVENT_TYPES
DEVICES: Final = ("web", "ios", "android", "mini-program")
CHANNELS: Final = ("web", "app", "email", "sms", "push", "wecom")
SOURCES: Final = ("direct", "search", "social", "referral", "ads", "email", "live")
PAGES: Final = ("home", "search", "product", "cart", "checkout", "payment", "account", "content", "live")
DIMENSIONS: Final = ("overall", "delivery", "service", "product")
LEVELS: Final = ("basic", "silver", "gold", "platinum")
CONTENTS: Final = tuple(f"content-{number:03d}" for number in range(200))
KINDS: Final = (
    *("comment", "question", "vote", "draw", "nps", "csat", "fixed", "percent", "shipping"),
    *("holdout", "message", "coupon", "treat", "profile", "share_task", "prize", "blank"),
    *("delivery", "payment", "product", "other", "damaged", "unwanted", "up", "down"),
)


def kind(name: str) -> int:
    """Code of a sub-type."""
    return KINDS.index(name)

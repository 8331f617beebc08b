"""Engagement: how long customers stay, what they answer, and whose streams they watch."""

from __future__ import annotations

from collections.abc import Iterator

from features.catalogue.forms import Types, distinct, has, kinds, mean, per, rows, top_share
from features.catalogue.traits import MIDDLE, SHORT, base, ratio, value
from features.definition import Aggregation, Family, Feature

__all__ = ["features"]

_TIMED = ("session", "view", "content_view", "live_watch")
_ANSWERS = ("message_open", "message_click", "message_bounce")


def features(types: Types) -> Iterator[Feature]:
    """List the family's features."""
    for name in _TIMED:
        if has(types, name, "duration_seconds"):
            for days in (SHORT, MIDDLE):
                yield value(Family.ENGAGEMENT, base(Aggregation.SUM, name, days, "duration_seconds"))
            yield from mean(Family.ENGAGEMENT, types, name, MIDDLE, "duration_seconds")
    yield from distinct(Family.ENGAGEMENT, types, "content_view", "content_id", days=MIDDLE)
    yield from _messages(types)
    yield from _live(types)


def _messages(types: Types) -> Iterator[Feature]:
    for name in _ANSWERS:
        yield from per(Family.ENGAGEMENT, types, name, "message_sent", (MIDDLE,))
    yield from per(Family.ENGAGEMENT, types, "message_click", "message_open", (MIDDLE,))
    sent_by = kinds(types, "message_sent", "channel")
    for name in _ANSWERS[:2]:
        for channel in kinds(types, name, "channel"):
            answered = rows(name, MIDDLE, "channel", channel)
            if channel in sent_by:
                yield ratio(Family.ENGAGEMENT, answered, rows("message_sent", MIDDLE, "channel", channel))
            else:
                yield value(Family.ENGAGEMENT, answered)


def _live(types: Types) -> Iterator[Feature]:
    yield from distinct(Family.ENGAGEMENT, types, "live_watch", "live_id", days=MIDDLE)
    yield from distinct(Family.ENGAGEMENT, types, "live_watch", "host_id", days=MIDDLE)
    yield from top_share(Family.ENGAGEMENT, types, "live_watch", "host_id", MIDDLE)
    yield from per(Family.ENGAGEMENT, types, "live_interact", "live_watch", (MIDDLE,))
    for kind in kinds(types, "live_interact"):
        yield value(Family.ENGAGEMENT, rows("live_interact", MIDDLE, "kind", kind))

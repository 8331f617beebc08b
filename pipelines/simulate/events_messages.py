"""Messages by channel, unsubscribing, and campaigns with randomised arms."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.clock import DAY_US, HOUR_US
from pipelines.simulate.buying import NOT_EXPOSED
from pipelines.simulate.draws import Flags, Ints, stream
from pipelines.simulate.plan import Plan
from pipelines.simulate.scene import Scene
from pipelines.simulate.vocabulary import CHANNELS, kind

__all__ = ["add_campaigns", "add_messages", "opt_ins"]

_SECOND: Final = 1_000_000
_SEND_HOUR: Final = 9


def opt_ins(plan: Plan, customers: int, chunk: int) -> Flags:
    """Which channels each customer allows, shape (n, channels of the messages)."""
    spec = plan.world.messages
    if spec is None:
        return np.zeros((customers, 0), dtype=np.bool_)
    return stream(plan.seed, "opt-ins", chunk).random((customers, len(spec.channels))) < np.asarray(spec.opt_in)


def add_messages(scene: Scene) -> None:
    """Sent on the channel's days until the customer unsubscribes from it; who is away opens seldom."""
    plan, spec = scene.plan, scene.plan.world.messages
    if spec is None:
        return
    draw = stream(plan.seed, "rows of messages", scene.latent.chunk)
    people = scene.latent.people
    allowed = opt_ins(plan, people.size, scene.latent.chunk)
    for place, name in enumerate(spec.channels):
        days = np.arange(3 + 2 * place, plan.days, spec.every_days[place])
        size = (people.size, days.size)
        state = _states(scene, days)
        sent = allowed[:, place, None] & (people.join_day[:, None] < days)
        bounced = draw.random(size) < spec.bounce_rate
        opened = sent & ~bounced & (draw.random(size) < spec.open_rate * np.array([1.0, 0.3, 0.02])[state])
        clicked = opened & (draw.random(size) < spec.click_rate)
        left = opened & (draw.random(size) < spec.unsubscribe_rate)
        still: Flags = np.cumsum(left, axis=1) - left == 0
        channel = CHANNELS.index(name)
        at = plan.start_us + days * DAY_US + (_SEND_HOUR + place) * HOUR_US
        # An answer comes the same day, at most eight hours later.
        after = np.minimum(draw.exponential(2.0, size), 8.0) * HOUR_US
        jitter = draw.integers(0, 60, size) * _SECOND
        for event_type, which, delay in (
            ("message_sent", sent, 0),
            ("message_bounce", sent & bounced, 5 * _SECOND),
            ("message_open", opened, 70 * _SECOND),
            ("message_click", clicked, 90 * _SECOND),
            ("unsubscribe", left, 120 * _SECOND),
        ):
            who, when = np.nonzero(which & still)
            time = at[when] + jitter[who, when] + delay
            if event_type in ("message_open", "message_click", "unsubscribe"):
                time = time + after[who, when].astype(np.int64)
            scene.rows.add(event_type, who, time, channel=channel)


def add_campaigns(scene: Scene) -> None:
    """Who was in which arm, and the message that treated customers got."""
    plan, spec, arms = scene.plan, scene.plan.world.campaigns, scene.latent.arms
    if spec is None:
        return
    first = scene.calendar.campaign_start
    customer, campaign = np.nonzero((arms != NOT_EXPOSED) & (first < plan.days))
    arm = arms[customer, campaign]
    time = plan.start_us + first[campaign] * DAY_US + 20 * _SECOND
    named = np.array([kind(name) for name in spec.arms])
    scene.rows.add("campaign_exposed", customer, time, campaign_id=campaign, kind=named[arm])
    treated = np.flatnonzero(arm > 0)
    scene.rows.add(
        "message_sent",
        customer[treated],
        time[treated] + 5 * _SECOND,
        campaign_id=campaign[treated],
        channel=CHANNELS.index("push"),
    )


def _states(scene: Scene, days: Ints) -> Ints:
    """State of every customer on each of the days."""
    spells, size = scene.latent.spells, scene.latent.people.size
    wide = int(spells.end.max(initial=0)) + 1
    key = spells.customer * wide + spells.first
    place = np.searchsorted(key, np.arange(size)[:, None] * wide + days[None, :], side="right") - 1
    return np.asarray(spells.state[np.maximum(place, 0)])

"""Random logs: every event is a few bytes, so that hundreds of logs are quick to draw and shrink to simple events."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st

from features.definition import Feature
from features.plan import Plan
from tests.features.oracle import Event, Sight, day
from tests.features.small_logs import every_base, plan_of

T = TypeVar("T")

CUSTOMERS = ("a", "b", "c'd é", " e ", "🛍", "x" * 300, "7", "007", "h", "i", "j", "k")
TYPES = ("purchase", "view", "purchase", "purchase", "view", "refund", "other", "")
ORDERS = (None, "o1", "o2", "o3", "o1", " o1", None, "🧾")
ANCHORS = {
    0: "UTC",
    59: "Asia/Kolkata",  # 29 February 2020
    63: "America/New_York",  # 02:00 becomes 03:00 on day 67
    84: "Asia/Beirut",  # midnight becomes 01:00 on day 88
    91: "America/Santiago",  # midnight becomes 23:00 on day 95
    294: "Asia/Beirut",  # midnight becomes 23:00 on day 298
    361: "Asia/Kathmandu",  # the year ends
}
"""Days around which a log lies, and a time zone in which something happens there."""
CUTOFFS = (0.25, 3, 5 + 5 / 24, 8, 10, 21.5)
"""Days after the anchor; the fractions are midnights somewhere, or no midnight."""
SHARE = float(os.environ.get("RANDOM_LOGS", "1"))
"""Of the examples of each test; the mutation check wants few, the slow run many."""


def random_logs(examples: int) -> Callable[[T], T]:
    """So many examples, or the share of them that the environment asks for; then always the same ones."""
    return settings(max_examples=max(1, round(examples * SHARE)), deadline=None, derandomize=SHARE < 1, database=None)


@dataclass
class Bytes:
    """Choices read off a string of bytes; zeros are the simplest."""

    left: bytes

    def byte(self) -> int:
        first, self.left = self.left[0], self.left[1:]
        return first

    def of(self, options: Sequence[T]) -> T:
        return options[self.byte() % len(options)]


EVENT_BYTES = 16
TEXTS = {
    "channel": ("web", "app", "web", "Web", "sms", "", "web", "web"),
    "kind": ("like", "gift", "like", "no such thing"),
    "source": ("ad", "mail"),
    "device": ("ios", "android"),
    "item_id": tuple(f"item {number}" for number in range(9)),
    "session_id": ("s1", "s2", "s3"),
}


def event_of(data: bytes, anchor: int) -> Event:
    """Decode one event."""
    take = Bytes(data)
    customer, event_type, order = take.of(CUSTOMERS), take.of(TYPES), take.of(ORDERS)
    at = _time(take, anchor) + timedelta(microseconds=take.of([0, 0, 0, 0, 0, 0, -1, 1]))
    delay = take.of([0.0, 0.0, 0.0, 0.0, 0.25, 3.0, 5.0, 30.0])
    numbers: dict[str, float] = {}
    cents, others = take.byte() * 256 + take.byte(), take.byte()
    if cents % 4:
        numbers["amount"] = (cents // 4 % 2_000 - 300) / 200  # halves of a hundredth, and negative ones
    if cents // 4 >= 16_000:
        numbers["amount"] = take.of([float("nan"), float("inf"), float("-inf")])
    if others % 3 == 1:
        numbers["rating"] = others % 5
    if others % 4 == 1:
        numbers["duration_seconds"] = (others // 4 - 8) * 21_600  # ends on the grid of the cutoffs
    if others % 8 == 2:
        numbers["quantity"], numbers["discount"] = others // 8 - 4, others // 8 / 10
    present = take.byte()
    texts = {name: take.of(TEXTS[name]) for bit, name in enumerate(("channel", "kind")) if present >> bit & 1}
    for bit, name in enumerate(("source", "device", "item_id", "session_id"), start=2):
        if present >> bit & 1:
            texts[name] = TEXTS[name][present % len(TEXTS[name])]
    return Event(
        at=at,
        customer=customer,
        type=event_type,
        order=order,
        received=at + timedelta(days=delay),
        numbers=numbers,
        texts=texts,
    )


def _time(take: Bytes, anchor: int) -> datetime:
    """On a grid of quarters or hours, so that there are ties, at windows' edges, at midnights and 400 days back."""
    grid, number = take.byte() % 16, take.byte()
    if grid < 9:
        return day(anchor + number % 81 / 4)
    if grid < 13:
        return day(anchor + 2 + number % 120 / 24)
    if grid < 15:
        return day(anchor + number % 41 - 410)
    return day(anchor - 450 - number)


@st.composite
def log_at(draw: st.DrawFn, anchor: int = 0, most: int = 80) -> list[Event]:
    """Up to so many events of twelve customers around a day, each event with an id."""
    count = draw(st.integers(0, most))
    drawn = draw(st.lists(st.binary(min_size=EVENT_BYTES, max_size=EVENT_BYTES), min_size=count, max_size=count))
    return [replace(event_of(data, anchor), id=f"id{number}") for number, data in enumerate(drawn)]


@st.composite
def a_log(draw: st.DrawFn, most: int = 80) -> tuple[int, list[Event]]:
    """An anchor, and a log around it."""
    anchor = draw(st.sampled_from(sorted(ANCHORS)))
    return anchor, draw(log_at(anchor, most))


@st.composite
def arrivals(draw: st.DrawFn, most: int = 40) -> tuple[int, list[tuple[Event, str]]]:
    """One customer's events in an order of arrival, some twice, and what is done to the state after each."""
    anchor, events = draw(a_log(most))
    events = [replace(event, customer="a") for event in events]
    jitter = draw(st.sampled_from([0, 0, 2, 1_000]))
    size = 4 * len(events)
    take = Bytes(draw(st.binary(min_size=size, max_size=size)))
    line = sorted(events, key=lambda event: event.at + timedelta(days=take.byte() % (jitter + 1)))
    for event in list(line):
        if take.byte() % 8 == 7:
            again = replace(event, received=event.received_at + timedelta(days=take.byte() % 3 - 1))
            line.insert(line.index(event) + take.byte() % 4, again)
    marks = draw(st.binary(min_size=len(line), max_size=len(line)))
    todo = ("", "", "", "", "pack", "compact")
    return anchor, [(event, todo[mark % len(todo)]) for event, mark in zip(line, marks, strict=True)]


def settled(events: Sequence[Event]) -> list[Event]:
    """What remains of events that came twice with the same content: the one that was received first."""
    kept: dict[str, Event] = {}
    for event in events:
        if event.id not in kept or event.received_at < kept[event.id].received_at:
            kept[event.id] = event
    return list(kept.values())


_PLANS: dict[tuple[str, int, int], Plan] = {}
PARTS = 4


def plan_for(anchor: int, max_events: int, part: int, features: Sequence[Feature] = ()) -> Plan:
    """Every so-many-th base aggregate that the grammar has, in the anchor's time zone."""
    key = ANCHORS[anchor], max_events, part
    if key not in _PLANS:
        _PLANS[key] = plan_of(
            *every_base()[part::PARTS], features=features, timezone=ANCHORS[anchor], max_events=max_events
        )
    return _PLANS[key]


def wanted_row(
    events: Sequence[Event], plan: Plan, cutoff: datetime, received_before: datetime | None = None
) -> list[int]:
    """Row of one customer at one cutoff, by nested loops."""
    sight = Sight(
        events, cutoff=cutoff, received_before=received_before, timezone=plan.timezone, max_events=plan.max_events
    )
    return [sight.value(wanted) for wanted in plan.extra]

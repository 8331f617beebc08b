"""What every base aggregate and outcome must be, by nested loops over plain objects; shares no code with the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from features.definition import Base
from features.outcome import Outcome

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
NULL = -(2**63)
DAY = 86_400_000_000
SCALE = {"amount": 100, "discount": 100, "rating": 1_000}


def day(number: float) -> datetime:
    """So many days after 2020-01-01T00:00Z."""
    return EPOCH + timedelta(days=number)


def us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line, as somebody would write it down."""

    at: datetime
    customer: str = "a"
    type: str = "purchase"
    order: str | None = None
    received: datetime | None = None
    id: str = ""
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def received_at(self) -> datetime:
        return self.at if self.received is None else self.received


def visible(events: Sequence[Event], cutoff: datetime, received_before: datetime | None) -> list[Event]:
    return [
        event
        for event in events
        if event.at < cutoff and (received_before is None or event.received_at < received_before)
    ]


def base_value(  # noqa: C901 (one case an aggregation, all in sight)
    events: Sequence[Event],
    base: Base,
    *,
    cutoff: datetime,
    received_before: datetime | None = None,
    timezone: str = "UTC",
    max_events: int = 4_096,
) -> int:
    """Value of one base aggregate of one customer."""
    what, event_type = str(base.aggregation), base.event_type
    seen = visible(events, cutoff, received_before)
    tail_start = cutoff - timedelta(days=400)
    times = sorted(event.at for event in seen)
    if len(times) >= max_events and times[-max_events] > tail_start:
        tail_start = times[-max_events]
    begin = datetime.min.replace(tzinfo=UTC)
    if base.window_days is not None:
        begin = max(tail_start, cutoff - timedelta(days=base.window_days))
    elif what in ("active_days", "gap_count", "gap_sum", "gap_squares", "gap_max"):
        begin = tail_start
    lines = [event for event in seen if event_type is None or event.type == event_type]
    orders: list[list[Event]] = []
    for line in lines:
        for order in orders:
            if event_type is not None and line.order is not None and order[0].order == line.order:
                order.append(line)
                break
        else:
            orders.append([line])
    counted = [order for order in orders if min(line.at for line in order) >= begin]
    begun = sorted(min(line.at for line in order) for order in counted)
    gaps = [(later - earlier) // timedelta(minutes=1) for earlier, later in pairwise(begun)]
    numbers = [line.numbers[base.field] for order in counted for line in order if base.field in line.numbers]
    lines = [line for line in lines if line.at >= begin]
    match what:
        case "count":
            return len(counted)
        case "lines":
            return len(lines)
        case "sum":
            return sum(round(number * SCALE[base.field]) for number in numbers)
        case "present":
            return len(numbers)
        case "active_days":
            return len({line.at.astimezone(ZoneInfo(timezone)).date() for line in lines})
        case "first":
            return us(begun[0]) if begun else NULL
        case "last":
            return us(begun[-1]) if begun else NULL
        case "gap_count":
            return len(gaps)
        case "gap_sum":
            return sum(gaps)
        case "gap_squares":
            return sum(gap * gap for gap in gaps)
        case "gap_max":
            return max(gaps) if gaps else NULL
    raise AssertionError(what)


def outcome_value(events: Sequence[Event], outcome: Outcome, cutoff: datetime) -> int:
    """Value of one outcome of one customer."""
    begin = cutoff + timedelta(days=outcome.start_days)
    end = cutoff + timedelta(days=outcome.end_days)
    orders: dict[object, list[Event]] = {}
    for number, event in enumerate(events):
        orders.setdefault((event.type, event.order or number), []).append(event)
    total = 0
    for (event_type, _), lines in orders.items():
        if event_type == "refund" and outcome.measure == "net_amount":
            total -= sum(round(line.numbers.get("amount", 0) * 100) for line in lines if begin <= line.at < end)
        elif event_type in outcome.event_types and begin <= min(line.at for line in lines) < end:
            before_end = [line for line in lines if line.at < end]
            total += (
                1
                if outcome.measure == "count"
                else sum(round(line.numbers.get("amount", 0) * 100) for line in before_end)
            )
    return total

"""What every base aggregate must be, by nested loops over plain objects; shares no code with the kernel."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from features.definition import Base, Where

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
NULL = -(2**63)
SCALE = {
    "amount": 100,
    "discount": 100,
    "quantity": 1_000,
    "value": 1_000,
    "rating": 1_000,
    "duration_seconds": 1_000,
}
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EVER = datetime.min.replace(tzinfo=UTC)
TAIL_ONLY = (
    *("active_days", "streak", "gap_count", "gap_sum", "gap_squares", "gap_max"),
    *("weekday_squares", "hour_squares", "weekend", "distinct", "top", "running_out"),
)


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
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def received_at(self) -> datetime:
        return self.at if self.received is None else self.received


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """What was known of a customer from some moment on."""

    valid_from: datetime
    values: dict[str, str | float]


@lru_cache(maxsize=100_000)
def rounded(number: float, scale: int) -> int | None:
    """Scaled integer, halves away from zero; None for what is not finite."""
    if not math.isfinite(number):
        return None
    return int(Decimal(number * scale).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def number_of(event: Event, name: str) -> int | None:
    return rounded(event.numbers[name], SCALE[name]) if name in event.numbers else None


def texts_of(base: Base, lines: Sequence[Event]) -> Counter[str]:
    """How many lines have each text."""
    return Counter(line.texts[base.field] for line in lines if base.field in line.texts)


@lru_cache(maxsize=100_000)
def local_day(at: datetime, timezone: str) -> date:
    """Local calendar day; where a clock goes back over midnight, the repeated minutes belong to the later day."""
    zone = ZoneInfo(timezone)
    before = [at - timedelta(seconds=30 * step) for step in range(2 * 60 * 2)]  # no clock goes back 2 hours
    return max(moment.astimezone(zone).date() for moment in before)


def visible(events: Sequence[Event], cutoff: datetime, received_before: datetime | None) -> list[Event]:
    return [
        event
        for event in events
        if event.at < cutoff and (received_before is None or event.received_at < received_before)
    ]


def passes(event: Event, event_type: str | None, where: Where | None) -> bool:
    if event_type is not None and event.type != event_type:
        return False
    return where is None or event.texts.get(where.field) == where.value


def orders_of(lines: Sequence[Event], *, by_row: bool) -> list[Order]:
    """Lines of each order; one without an order id, and one that stands for itself, is an order of its own."""
    orders: list[list[Event]] = []
    for line in lines:
        for order in orders:
            if not by_row and line.order is not None and order[0].order == line.order:
                order.append(line)
                break
        else:
            orders.append([line])
    return [Order(order, min(line.at for line in order)) for order in orders]


@dataclass(frozen=True)
class Order:
    """Lines that were bought together; the order began at the earliest."""

    lines: list[Event]
    begin: datetime


class Sight:
    """What can be seen of one customer at one cutoff."""

    def __init__(
        self,
        events: Sequence[Event],
        *,
        cutoff: datetime,
        received_before: datetime | None = None,
        timezone: str = "UTC",
        max_events: int = 4_096,
    ) -> None:
        self.cutoff, self.timezone = cutoff, timezone
        self.seen = visible(events, cutoff, received_before)
        self.tail_start = cutoff - 400 * DAY
        times = sorted(event.at for event in self.seen)
        if len(times) >= max_events:
            self.tail_start = max(self.tail_start, times[-max_events])
        self.streams: dict[object, tuple[list[Event], list[Order]]] = {}

    def stream(self, base: Base) -> tuple[list[Event], list[Order]]:
        """Lines and orders of an event type, perhaps filtered."""
        if (base.event_type, base.where) not in self.streams:
            lines = [event for event in self.seen if passes(event, base.event_type, base.where)]
            orders = orders_of(lines, by_row=base.event_type is None or base.where is not None)
            self.streams[base.event_type, base.where] = lines, orders
        return self.streams[base.event_type, base.where]

    def value(self, base: Base) -> int:
        """Value of one base aggregate; NULL is null."""
        begin = EVER
        if str(base.aggregation) == "running_out":
            begin = self.tail_start  # its window lies after the cutoff
        elif base.window_days is not None:
            begin = max(self.tail_start, self.cutoff - base.window_days * DAY)
        elif str(base.aggregation) in TAIL_ONLY:
            begin = self.tail_start
        lines, orders = self.stream(base)
        if str(base.aggregation).startswith("first_order"):
            return self.of_first_order(base, orders)
        lines = [line for line in lines if line.at >= begin]
        if base.last_lines is not None and len(lines) > base.last_lines:
            oldest = sorted(line.at for line in lines)[-base.last_lines]
            lines = [line for line in lines if line.at >= oldest]
        value = self.of_lines(base, lines)
        if value is None:
            value = self.of_orders(base, [order for order in orders if order.begin >= begin])
        return value

    def of_lines(self, base: Base, lines: Sequence[Event]) -> int | None:
        """Aggregations that go by each line's own time."""
        match str(base.aggregation):
            case "lines":
                return len(lines)
            case "active_days":
                return len({local_day(line.at, self.timezone) for line in lines})
            case "streak":
                return self.streak({local_day(line.at, self.timezone) for line in lines})
            case "last_number":
                having = [line for line in lines if number_of(line, str(base.field)) is not None]
                newest = max((line.at for line in having), default=None)
                return max(
                    (number_of(line, str(base.field)) or 0 for line in having if line.at == newest), default=NULL
                )
            case "distinct":
                return len(texts_of(base, lines))
            case "top":
                return max(texts_of(base, lines).values(), default=0)
            case "running_out":
                ends = [
                    line.at + timedelta(milliseconds=number)
                    for line in lines
                    if (number := number_of(line, str(base.field))) is not None
                ]
                return sum(self.cutoff <= end < self.cutoff + (base.window_days or 0) * DAY for end in ends)
        return None

    def streak(self, days: set[date]) -> int:
        today = local_day(self.cutoff, self.timezone)
        newest = max(days, default=None)
        if newest is None or (today - newest).days > 1:
            return 0
        length = 0
        while newest - length * DAY in days:
            length += 1
        return length

    def of_orders(self, base: Base, orders: Sequence[Order]) -> int:  # noqa: C901 (one case an aggregation, all in sight)
        """Aggregations that go by the time of an order's earliest line."""
        begun = sorted(order.begin for order in orders)
        gaps = [(later - earlier) // MINUTE for earlier, later in pairwise(begun)]
        zone, lines = ZoneInfo(self.timezone), [line for order in orders for line in order.lines]
        match str(base.aggregation):
            case "count":
                return len(orders)
            case "sum":
                return sum(number_of(line, str(base.field)) or 0 for line in lines)
            case "present":
                return sum(base.field in line.texts or number_of(line, str(base.field)) is not None for line in lines)
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
                return max(gaps, default=NULL)
            case "weekday_squares":
                of_weekday = Counter(local_day(at, self.timezone).weekday() for at in begun)
                return sum(count * count for count in of_weekday.values())
            case "hour_squares":
                return sum(count * count for count in Counter(at.astimezone(zone).hour for at in begun).values())
            case "weekend":
                return sum(local_day(at, self.timezone).weekday() >= 5 for at in begun)
        raise AssertionError(base.aggregation)

    def of_first_order(self, base: Base, orders: Sequence[Order]) -> int:
        """Aggregations over the lines of the order, or orders, that began first."""
        first = min((order.begin for order in orders), default=None)
        lines = [line for order in orders if order.begin == first for line in order.lines]
        if str(base.aggregation) == "first_order_sum":
            return sum(number_of(line, str(base.field)) or 0 for line in lines) if lines else NULL
        found = texts_of(base, lines)
        return int(set(found) == {base.value}) if found else NULL


def base_value(events: Sequence[Event], base: Base, *, cutoff: datetime, **options: object) -> int:
    """Value of one base aggregate of one customer; the options are those of :class:`Sight`."""
    return Sight(events, cutoff=cutoff, **options).value(base)  # type: ignore[arg-type]


def attribute_value(rows: Sequence[Attributes], base: Base, cutoff: datetime) -> int:
    """Value of one attribute of one customer; of rows valid from the same moment, the last given counts."""
    newest: Attributes | None = None
    for row in rows:
        if row.valid_from < cutoff and (newest is None or row.valid_from >= newest.valid_from):
            newest = row
    value = None if newest is None else newest.values.get(str(base.field))
    if base.value is not None:
        return NULL if value is None else int(value == base.value)
    number = rounded(value, 1_000) if isinstance(value, float | int) else None
    return NULL if number is None else number

"""Rows of the log while they are made: one part a family of events, put together column by column at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.simulate import vocabulary
from pipelines.simulate.calendar import Calendar
from pipelines.simulate.draws import Floats, Ints
from pipelines.simulate.plan import Plan
from pipelines.simulate.wallet import drop_starts

__all__ = ["CODED", "KEYS", "NUMBERS", "Frame", "Rows", "texts"]

NUMBERS: Final = ("value", "amount", "discount", "quantity", "duration_seconds", "rating")
CODED: Final = (
    *("event_type", "kind", "category", "channel", "source", "device", "page", "campaign_id", "coupon_id"),
    *("content_id", "live_id", "host_id", "dimension", "item_id"),
)
KEYS: Final = ("session_id", "order_id", "related_customer_id")
_ABSENT: Final = -1


@dataclass(slots=True)
class Frame:
    """Rows of one chunk: codes and keys as integers (-1: none), numbers (NaN: none), times in epoch microseconds."""

    customer: Ints
    time: Ints
    codes: dict[str, NDArray[np.int32]]
    numbers: dict[str, Floats]
    keys: dict[str, Ints]

    @property
    def size(self) -> int:
        """How many rows."""
        return int(self.time.size)

    def take(self, rows: Ints) -> Frame:
        """Some of the rows, in this order."""
        return Frame(
            customer=self.customer[rows],
            time=self.time[rows],
            codes={name: column[rows] for name, column in self.codes.items()},
            numbers={name: column[rows] for name, column in self.numbers.items()},
            keys={name: column[rows] for name, column in self.keys.items()},
        )


@dataclass(slots=True)
class Rows:
    """Parts of a chunk's log."""

    parts: list[tuple[Ints, Ints, dict[str, int | Ints | Floats]]] = field(default_factory=list)

    def add(self, event_type: str, customer: Ints, time: Ints, **columns: int | Ints | Floats) -> None:
        """Add events of one type; a column is a code, or one entry a row."""
        if customer.size:
            self.parts.append((customer, time, {"event_type": vocabulary.TYPES.index(event_type), **columns}))

    def frame(self, end_us: int) -> Frame:
        """Everything before the end, by time."""
        sizes = [part[0].size for part in self.parts]
        edges = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        total = int(edges[-1])
        customer, time = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
        for (who, when, _), first, end in zip(self.parts, edges[:-1], edges[1:], strict=True):
            customer[first:end], time[first:end] = who, when
        order = np.argsort(time, kind="stable")
        order = order[: np.searchsorted(time[order], end_us)]
        present = {name for part in self.parts for name in part[2]}
        frame = Frame(customer=customer[order], time=time[order], codes={}, numbers={}, keys={})
        for name in (one for one in (*CODED, *NUMBERS, *KEYS) if one in present):
            kind = np.int32 if name in CODED else np.float64 if name in NUMBERS else np.int64
            column = np.full(total, np.nan if name in NUMBERS else _ABSENT, dtype=kind)
            for (_, _, columns), first, end in zip(self.parts, edges[:-1], edges[1:], strict=True):
                if name in columns:
                    column[first:end] = columns[name]
            target = frame.codes if name in CODED else frame.numbers if name in NUMBERS else frame.keys
            target[name] = column[order]  # type: ignore[assignment]  # the three kinds of column
        return frame


def texts(plan: Plan, calendar: Calendar) -> dict[str, list[str]]:
    """Texts of every coded column."""
    funnel, live = plan.world.funnel, plan.world.live
    drops = [f"wallet-{number:03d}" for number in range(drop_starts(plan).size)]
    campaigns = [f"campaign-{number:03d}" for number in range(calendar.campaign_start.size)]
    return {
        "event_type": list(vocabulary.TYPES),
        "kind": list(vocabulary.KINDS),
        "category": [f"category-{number:02d}" for number in range(funnel.categories)],
        "channel": list(vocabulary.CHANNELS),
        "source": list(vocabulary.SOURCES),
        "device": list(vocabulary.DEVICES),
        "page": list(vocabulary.PAGES),
        "campaign_id": campaigns,
        "coupon_id": drops + [f"coupon-of-{name}" for name in campaigns],
        "content_id": list(vocabulary.CONTENTS),
        "live_id": [f"live-{number:05d}" for number in range(0 if calendar.live is None else calendar.live.day.size)],
        "host_id": [f"host-{number:02d}" for number in range(0 if live is None else live.hosts)],
        "dimension": list(vocabulary.DIMENSIONS),
        "item_id": [f"item-{number:05d}" for number in range(funnel.items)],
    }

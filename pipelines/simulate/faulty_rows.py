"""What goes wrong on the way to the log: logging breaks, late arrival, second deliveries, rows that are no events."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.clock import DAY_US, HOUR_US
from pipelines.simulate.draws import Flags, Ints, stream
from pipelines.simulate.injections import Injection
from pipelines.simulate.plan import Plan
from pipelines.simulate.rows import CODED, KEYS, Frame
from pipelines.simulate.vocabulary import TYPES

__all__ = ["DIRT", "Delivered", "break_logging", "deliver"]

DIRT: Final = (
    "event_time_missing",
    "event_time_out_of_range",
    "customer_id_missing",
    "number_not_finite",
    "number_too_large",
)
"""Reasons for which ``ingest`` quarantines the dirty rows, one a kind of dirt, drawn evenly."""
_SECOND: Final = 1_000_000
_LATEST: Final = 5 * DAY_US
_ADDED: Final = 1 << 31
_MISSING_TIME: Final = np.iinfo(np.int64).min


class Delivered(Frame):
    """A frame with ids and times of receipt, in order of receipt; time ``int64 min`` and customer -1 are null."""

    __slots__ = ("dirt", "number", "received", "second")

    def __init__(self, frame: Frame, number: Ints, received: Ints, dirt: Ints, second: int) -> None:
        super().__init__(frame.customer, frame.time, frame.codes, frame.numbers, frame.keys)
        self.number, self.received, self.dirt, self.second = number, received, dirt, second


def break_logging(plan: Plan, frame: Frame, number: Ints, chunk: int) -> tuple[Frame, Ints]:
    """Apply the injected breaks; the frame and the numbers of its rows."""
    for place, one in enumerate(plan.injections):
        if one.kind not in ("stops", "doubles", "loses", "flips"):
            continue
        draw = stream(plan.seed, f"break {place}", chunk)
        hit = (draw.random(frame.size) < one.strength) & (frame.time >= plan.start_us + plan.day(one.at) * DAY_US)
        frame, number = _break(one, frame, number, hit, place)
    return frame, number


def deliver(plan: Plan, frame: Frame, number: Ints, chunk: int) -> Delivered:
    """Rows as they arrive: most within seconds, some days late, some twice, and dirty copies of some under new ids."""
    draw = stream(plan.seed, "delivery", chunk)
    size = frame.size
    received = frame.time + draw.integers(0, 5 * _SECOND, size)
    late = draw.random(size) < plan.late
    delay = np.minimum(draw.exponential(0.5, size) * DAY_US + HOUR_US, _LATEST)
    received = np.where(late, frame.time + delay.astype(np.int64), received)
    again = np.flatnonzero(draw.random(size) < plan.duplicates)
    dirty = np.flatnonzero(draw.random(size) < plan.dirty)
    rows = np.concatenate([np.arange(size), again, dirty])
    later = draw.integers(0, DAY_US, again.size)
    whole = frame.take(rows)
    arrived = np.concatenate([received, received[again] + later, received[dirty]])
    numbers = np.concatenate([number, number[again], _ADDED + np.arange(dirty.size)])
    dirt = np.full(rows.size, -1)
    dirt[size + again.size :] = draw.integers(0, len(DIRT), dirty.size)
    _soil(whole, dirt)
    order = np.argsort(arrived, kind="stable")
    return Delivered(whole.take(order), numbers[order], arrived[order], dirt[order], int(again.size))


def _soil(frame: Frame, dirt: Ints) -> None:
    frame.time[dirt == 0] = _MISSING_TIME
    frame.time[dirt == 1] = -DAY_US  # before 1970
    frame.customer[dirt == 2] = -1
    amount = frame.numbers.setdefault("amount", np.full(frame.size, np.nan))
    amount[dirt == 3] = np.inf
    amount[dirt == 4] = 1e15


def _break(one: Injection, frame: Frame, number: Ints, hit: Flags, place: int) -> tuple[Frame, Ints]:
    types = frame.codes["event_type"]
    of = [types == TYPES.index(name) for name in (one.arguments[:1] if one.kind == "loses" else one.arguments)]
    match one.kind:
        case "stops":
            kept = np.flatnonzero(~(of[0] & hit))
            return frame.take(kept), number[kept]
        case "doubles":
            rows = np.concatenate([np.arange(frame.size), np.flatnonzero(of[0] & hit)])
            more = _ADDED // 4 * (place % 3 + 1) + np.arange(rows.size - frame.size)
            return frame.take(rows), np.concatenate([number, more])
        case "flips":
            types[of[0] & hit], types[of[1] & hit] = TYPES.index(one.arguments[1]), TYPES.index(one.arguments[0])
        case _:
            field = one.arguments[1]
            if field in CODED and field in frame.codes:
                frame.codes[field][of[0] & hit] = -1
            elif field in KEYS and field in frame.keys:
                frame.keys[field][of[0] & hit] = -1
            elif field in frame.numbers:
                frame.numbers[field][of[0] & hit] = np.nan
    return frame, number

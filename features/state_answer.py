"""A state's kept events in the form that the kernel reads."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled
from features.kernel_program import NULL, ORDER_BEGAN_BEFORE, ORDER_BEGAN_FIRST, Events, Ints
from features.plan import Plan
from features.state_events import code_of
from features.state_format import BEGAN_BEFORE, BEGAN_FIRST, TYPE_OF, Packed

__all__ = ["codes_of", "events_of"]


def events_of(content: Packed, names: tuple[str, ...], plan: Plan) -> Events:
    """Events of a state; ``names`` are its event types."""
    kept = content.numbers
    missing = np.full(content.time.size, NULL)
    columns = [kept.get(reading.column, missing) for reading in plan.readings]
    for at, reading in enumerate(plan.readings):
        if reading.how == "filter" and reading.column in kept:
            columns[at] = np.empty_like(missing)
            _which(kept[reading.column], codes_of(plan.filters.get(reading.column, ())), columns[at])
    numbers = np.concatenate(columns) if columns else missing[:0]
    kind, order = content.kind, content.order
    if content.carried_order.size:
        order = np.where(kind & BEGAN_BEFORE, ORDER_BEGAN_BEFORE, order)
        order = np.where(kind & BEGAN_FIRST, ORDER_BEGAN_FIRST, order)
        kind = np.bitwise_and(kind, TYPE_OF)
    return Events(
        time=content.time,
        received=content.received,
        kind=_classes(names, plan.event_types).take(kind),
        order=order,
        numbers=numbers.reshape(len(columns), missing.size),
    )


@lru_cache(maxsize=4_096)
def _classes(names: tuple[str, ...], event_types: tuple[str, ...]) -> NDArray[np.int16]:
    """Class of each of a state's event types; many customers have the same types."""
    known = {name: at for at, name in enumerate(event_types, 1)}
    return np.array([known.get(name, 0) for name in names], dtype=np.int16)


@lru_cache(maxsize=1_024)
def codes_of(values: tuple[str, ...]) -> Ints:
    """Codes of a filter's values, worked out once."""
    return np.array([code_of(value) for value in values], dtype=np.int64)


@compiled
def _which(codes: Ints, known: Ints, into: Ints) -> None:
    """Which of the known codes each is, 1 the first; 0: another one."""
    for event in range(codes.size):
        into[event] = NULL if codes[event] == NULL else 0
        for at in range(known.size):
            if codes[event] == known[at]:
                into[event] = at + 1

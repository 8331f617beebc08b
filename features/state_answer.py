"""A state's kept events in the form that the kernel reads."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from features.compiled import compiled
from features.kernel_program import NULL, ORDER_BEGAN_BEFORE, ORDER_BEGAN_FIRST, Events, Ints
from features.plan import Plan
from features.state_events import code_of
from features.state_format import BEGAN_BEFORE, BEGAN_FIRST, TYPE_OF, Packed

__all__ = ["codes_of", "events_of"]


def events_of(content: Packed, names: tuple[str, ...], plan: Plan) -> Events:
    """Events of a state; ``names`` are its event types."""
    classes = np.array([plan.classes.get(name, 0) for name in names], dtype=np.int16)
    numbers = np.empty((len(plan.readings), content.time.size), dtype=np.int64)
    for at, reading in enumerate(plan.readings):
        column = content.numbers.get(reading.column)
        if column is None:
            numbers[at] = NULL
        elif reading.how == "filter":
            _which(column, codes_of(plan.filters.get(reading.column, ())), numbers[at])
        else:
            numbers[at] = column
    order = content.order
    if content.carried_order.size:
        order = np.where(content.kind & BEGAN_BEFORE, ORDER_BEGAN_BEFORE, order)
        order = np.where(content.kind & BEGAN_FIRST, ORDER_BEGAN_FIRST, order)
    kind = classes[content.kind & TYPE_OF] if names else np.zeros(0, dtype=np.int16)
    return Events(time=content.time, received=content.received, kind=kind, order=order, numbers=numbers)


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

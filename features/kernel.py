"""The kernel: a customer's events in, aggregates and features at every cutoff out; the same in batch and online."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.carry_columns import CARRY_LINES
from features.compiled import compiled, inlined
from features.kernel_columns import add_carry, fill_attributes, fill_columns
from features.kernel_index import build_index
from features.kernel_outcome import fill_outcomes
from features.kernel_program import NULL, Attributes, Events, Ints, OutcomeProgram, Program
from features.kernel_readout import ReadoutProgram, fill_values
from features.kernel_time import lower_bound, onwards
from features.kernel_workspace import new_index, sized

__all__ = ["UNANSWERABLE", "Rows", "count_rows", "fill_one", "fill_rows"]

UNANSWERABLE = -1


class Rows(NamedTuple):
    """What is filled: a row a customer and cutoff."""

    customer: Ints
    cutoff: Ints
    base: Ints  # [row, kept base aggregate]
    outcomes: Ints  # [row, outcome]
    values: NDArray[np.float32]  # [row, feature]


@compiled
def count_rows(events: Events, offsets: Ints, cutoffs: Ints, received_before: Ints) -> Ints:
    """Row offsets of the base table: a customer has a row at each cutoff with at least one visible event."""
    rows = np.zeros(offsets.size, np.int64)
    for customer in range(offsets.size - 1):
        count = 0
        for at in range(cutoffs.size):
            for event in range(offsets[customer], offsets[customer + 1]):
                if events.time[event] >= cutoffs[at]:
                    break
                if events.received[event] < received_before[at]:
                    count += 1
                    break
        rows[customer + 1] = rows[customer] + count
    return rows


@compiled
def fill_rows(  # noqa: C901 (a branch for late events, a branch for room)
    program: Program,
    readouts: ReadoutProgram,
    outcome: OutcomeProgram,
    kept: Ints,
    events: Events,
    offsets: Ints,
    attributes: Attributes,
    first: int,
    last: int,
    cutoffs: Ints,
    received_before: Ints,
    rows: Ints,
    into: Rows,
) -> None:
    """Fill the rows of customers ``first:last``; ``rows`` is what :func:`count_rows` gave.

    ``kept`` says which base aggregates are wanted in the result besides the features.
    """
    index = new_index(program, cutoffs.size, 256, 256, 256)
    late, visible = new_index(program, 1, 0, 0, 0), _new_events(0, events.numbers.shape[0])
    newest = np.empty(256, np.int64)
    carried = np.zeros(program.by_row.size, np.int64)
    columns = np.empty((program.base_column.size + program.attribute_column.size, cutoffs.size), np.int64)
    column = np.empty((columns.shape[0], 1), np.int64)
    oldest, row_of = np.empty(cutoffs.size, np.int64), np.empty(cutoffs.size, np.int64)
    seen_of = np.empty(cutoffs.size, np.int64)
    for customer in range(first, last):
        row, start, stop = rows[customer], offsets[customer], offsets[customer + 1]
        if row == rows[customer + 1]:
            continue
        index = sized(index, program, events, start, stop)
        build_index(index, program, events, start, stop, carried)
        seen = 0
        for at in range(cutoffs.size):
            seen = onwards(events.time, start + seen, stop, cutoffs[at]) - start
            seen_of[at] = seen
            oldest[at] = _tail_from(events.time, start, seen, cutoffs[at], program.limits)
        fill_columns(index, program, events.numbers, cutoffs, oldest, columns)
        if newest.size < stop - start:
            newest = np.empty(2 * (stop - start), np.int64)
        _running_max(events.received, start, stop, newest)
        row = rows[customer]
        for at in range(cutoffs.size):
            seen = seen_of[at]
            if seen > 0 and newest[seen - 1] >= received_before[at]:
                if visible.time.size < seen:
                    visible = _new_events(stop - start, events.numbers.shape[0])
                seen = _copy_visible(events, start, start + seen, received_before[at], visible)
                if seen > 0:
                    late = sized(late, program, visible, 0, seen)
                    build_index(late, program, visible, 0, seen, carried)
                    oldest[at] = _tail_from(visible.time, 0, seen, cutoffs[at], program.limits)
                    fill_columns(late, program, visible.numbers, cutoffs[at : at + 1], oldest[at : at + 1], column)
                    columns[:, at] = column[:, 0]
            row_of[at] = row if seen > 0 else -1
            row += seen > 0
        fill_attributes(program, attributes, customer, cutoffs, columns)
        fill_values(readouts, columns, cutoffs, row_of, into.values)
        for at in range(cutoffs.size):
            row = row_of[at]
            if row >= 0:
                into.customer[row] = customer
                into.cutoff[row] = cutoffs[at]
                for place in range(kept.size):
                    into.base[row, place] = columns[kept[place], at]
                if outcome.start.size > 0:
                    fill_outcomes(index, outcome, cutoffs[at], into.outcomes[row])


@compiled
def fill_one(
    program: Program,
    readouts: ReadoutProgram,
    events: Events,
    carry: Ints,
    kept_from: int,
    attributes: Attributes,
    cutoff: int,
    received_before: int,
    columns: Ints,
    values: NDArray[np.float32],
) -> int:
    """Fill one row from one customer's kept events and carry (no rows: none); gives how many events were seen.

    ``columns`` is [base aggregate, 1], ``values`` [1, feature]. :data:`UNANSWERABLE` if events before ``kept_from``,
    which are gone into the carry, would be needed.
    """
    seen = lower_bound(events.time, 0, events.time.size, cutoff)
    visible = events
    if seen > 0 and events.received[:seen].max() >= received_before:
        visible = _new_events(seen, events.numbers.shape[0])
        seen = _copy_visible(events, 0, seen, received_before, visible)
    if carry.shape[0] > 0 and seen < program.limits[0] and cutoff - program.limits[1] < kept_from:
        return UNANSWERABLE
    carried = np.zeros(program.by_row.size, np.int64)
    if carry.shape[0] > 0:
        carried[:] = carry[:, CARRY_LINES] > 0
    index = sized(new_index(program, 1, 0, 0, 0), program, visible, 0, seen)
    build_index(index, program, visible, 0, seen, carried)
    cutoffs = np.full(1, cutoff)
    oldest = np.full(1, _tail_from(visible.time, 0, seen, cutoff, program.limits))
    fill_columns(index, program, visible.numbers, cutoffs, oldest, columns)
    if carry.shape[0] > 0:
        add_carry(program, carry, index, columns)
    fill_attributes(program, attributes, 0, cutoffs, columns)
    fill_values(readouts, columns, cutoffs, np.zeros(1, np.int64), values)
    return seen


@inlined
def _tail_from(time: Ints, start: int, seen: int, cutoff: int, limits: Ints) -> int:
    """Time from which on windows, gaps and active days look: the later of so many events ago and so long ago."""
    oldest: int = cutoff - limits[1]
    if seen >= limits[0]:
        oldest = max(oldest, time[start + seen - limits[0]])
    return oldest


@compiled
def _new_events(size: int, numbers: int) -> Events:
    return Events(
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int16),
        np.empty(size, np.int64),
        np.empty((numbers, size), np.int64),
    )


@compiled
def _copy_visible(events: Events, start: int, stop: int, received_before: int, into: Events) -> int:
    size = 0
    for event in range(start, stop):
        if events.received[event] < received_before:
            into.time[size] = events.time[event]
            into.received[size] = events.received[event]
            into.kind[size] = events.kind[event]
            into.order[size] = events.order[event]
            for number in range(events.numbers.shape[0]):
                into.numbers[number, size] = events.numbers[number, event]
            size += 1
    return size


@compiled
def _running_max(values: Ints, start: int, stop: int, into: Ints) -> None:
    highest = NULL
    for event in range(start, stop):
        highest = max(highest, values[event])
        into[event - start] = highest

"""The kernel: one customer's events in, base aggregates at every cutoff out; the same code for batch and online."""

from __future__ import annotations

import numpy as np

from features.compiled import compiled
from features.kernel_aggregate import add_carry, fill_base, find_windows, tail_from, tally
from features.kernel_index import Index, build_index, lower_bound, new_index
from features.kernel_program import NULL, Events, Ints, OutcomeProgram, Program

__all__ = ["UNANSWERABLE", "count_rows", "fill_one", "fill_rows"]

UNANSWERABLE = -1


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
def fill_rows(
    program: Program,
    outcome: OutcomeProgram,
    events: Events,
    offsets: Ints,
    first: int,
    last: int,
    cutoffs: Ints,
    received_before: Ints,
    rows: Ints,
    customer_of: Ints,
    cutoff_of: Ints,
    base: Ints,
    outcomes: Ints,
) -> None:
    """Fill the rows of customers ``first:last``; ``rows`` is what :func:`count_rows` gave."""
    most = 0
    for customer in range(first, last):
        most = max(most, offsets[customer + 1] - offsets[customer])
    index, late = new_index(program, most), new_index(program, most)
    visible = _new_events(most, events.numbers.shape[0])
    newest = np.empty(most, np.int64)
    for customer in range(first, last):
        row, start, stop = rows[customer], offsets[customer], offsets[customer + 1]
        if row == rows[customer + 1]:
            continue
        build_index(index, program, events, start, stop)
        _running_max(events.received, start, stop, newest)
        for at in range(cutoffs.size):
            cutoff, before = cutoffs[at], received_before[at]
            seen = lower_bound(events.time, start, stop, cutoff) - start
            if seen == 0:
                continue
            if newest[seen - 1] < before:
                oldest = tail_from(events.time, start, seen, cutoff, program.limits)
                find_windows(index, program, cutoff, oldest)
                fill_base(index, program, base[row])
            else:
                seen = _copy_visible(events, start, start + seen, before, visible)
                if seen == 0:
                    continue
                build_index(late, program, visible, 0, seen)
                oldest = tail_from(visible.time, 0, seen, cutoff, program.limits)
                find_windows(late, program, cutoff, oldest)
                fill_base(late, program, base[row])
            customer_of[row] = customer
            cutoff_of[row] = cutoff
            _fill_outcomes(index, outcome, cutoff, outcomes[row])
            row += 1


@compiled
def fill_one(
    program: Program,
    events: Events,
    carry: Ints,
    kept_from: int,
    cutoff: int,
    received_before: int,
    row: Ints,
) -> int:
    """Fill one row from one customer's kept events and carry (no rows: none); gives how many events were seen.

    :data:`UNANSWERABLE` if events before ``kept_from``, which are gone into the carry, would be needed.
    """
    visible = _new_events(events.time.size, events.numbers.shape[0])
    stop = lower_bound(events.time, 0, events.time.size, cutoff)
    seen = _copy_visible(events, 0, stop, received_before, visible)
    if carry.shape[0] > 0 and seen < program.limits[0] and cutoff - program.limits[1] < kept_from:
        return UNANSWERABLE
    index = new_index(program, seen)
    build_index(index, program, visible, 0, seen)
    find_windows(index, program, cutoff, tail_from(visible.time, 0, seen, cutoff, program.limits))
    fill_base(index, program, row)
    if carry.shape[0] > 0:
        add_carry(program, carry, row)
    return seen


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


@compiled
def _fill_outcomes(index: Index, outcome: OutcomeProgram, cutoff: int, row: Ints) -> None:
    for column in range(row.size):
        row[column] = 0
    for term in range(outcome.start.size):
        value = 0
        stream, slot = outcome.stream[term], outcome.slot[term]
        begin, end = cutoff + outcome.start[term], cutoff + outcome.end[term]
        first, stop = index.line_start[stream], index.order_stop[stream]
        line_high = lower_bound(index.line_time, first, index.line_start[stream + 1], end)
        order_low = lower_bound(index.order_time, first, stop, begin)
        order_high = lower_bound(index.order_time, first, stop, end)
        if slot < 0:
            value = order_high - order_low
        elif outcome.by_line[term]:
            line_low = lower_bound(index.line_time, first, line_high, begin)
            running = index.slot_start[slot] - first
            value = index.running[running + line_high] - index.running[running + line_low]
        elif order_low < order_high:
            value = tally(
                index.running[index.slot_start[slot] :],
                index.line_order[first:],
                index.stragglers[first + stream :],
                index.order_line[order_low],
                line_high - first,
                order_low - first,
            )
        row[outcome.column[term]] += outcome.sign[term] * value

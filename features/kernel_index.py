"""Index of one customer's events: per stream, running sums over the sorted lines and orders.

Everything is an exact integer, so what lies between two moments is the difference of two entries, whatever came
before. Results depend on the set of events only, never on the order of those with equal times.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.compiled import compiled, inlined
from features.kernel_program import NULL, ORDER_BEGAN_BEFORE, ORDER_OF_ITS_OWN, Events, Ints, Program

__all__ = ["Index", "build_index", "lower_bound", "new_index"]

_MINUTE_US = 60_000_000
_DAY_US = 86_400_000_000


class Index(NamedTuple):
    """Workspace; stream s has its lines at ``line_start[s]:line_start[s + 1]``, its orders from there on."""

    line_start: Ints  # [stream + 1]
    order_stop: Ints  # [stream]
    slot_start: Ints  # [slot + 1] into running
    line_source: Ints  # [line] the event
    line_time: Ints
    line_order: Ints  # ordinal of the line's order in its stream, -1: it began in the carry
    day_rank: Ints  # how many distinct days up to this line
    stragglers: Ints  # [line + 1 a stream] how many lines so far came after a later order had begun
    order_time: Ints  # [order] time of its earliest line
    order_line: Ints  # its number in the stream
    gap_sum: Ints  # [order] minutes between consecutive orders so far
    gap_squares: Ints
    running: Ints  # [line + 1 a slot] sums so far
    table_code: Ints  # hash table of order codes
    table_order: Ints
    line_end: Ints  # [stream] what a cutoff sees
    order_end: Ints
    pair_line: Ints  # [pair] where a window begins
    pair_order: Ints


@compiled
def new_index(program: Program, events: int) -> Index:
    """Workspace for customers of up to so many events."""
    streams, slots, pairs = program.by_row.size, program.slot_stream.size, program.pair_stream.size
    members = 0
    for kind in range(program.member_start.size - 1):
        members = max(members, program.member_start[kind + 1] - program.member_start[kind])
    lines = events * members
    size = 2
    while size < 2 * events:
        size *= 2
    return Index(
        np.zeros(streams + 1, np.int64),
        np.zeros(streams, np.int64),
        np.zeros(slots + 1, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines + streams, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty((events + 1) * slots, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.empty(streams, np.int64),
        np.empty(streams, np.int64),
        np.empty(pairs, np.int64),
        np.empty(pairs, np.int64),
    )


@inlined
def lower_bound(values: Ints, low: int, high: int, value: int) -> int:
    """First position in ``[low, high)`` whose value is not less; ``high`` if there is none."""
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def build_index(index: Index, program: Program, events: Events, start: int, stop: int) -> None:
    """Index the events ``start:stop`` of one customer."""
    _share_out(index, program, events, start, stop)
    for stream in range(program.by_row.size):
        if program.by_row[stream]:
            _rows_are_orders(index, stream)
        else:
            _number_orders(index, events, stream)
        if program.wants_gaps[stream]:
            _measure_gaps(index, stream)
        if program.wants_days[stream]:
            _rank_days(index, program, stream)
    at = 0
    for slot in range(program.slot_stream.size):
        index.slot_start[slot] = at
        at = _add_up(index, program, events, slot, at)


@compiled
def _share_out(index: Index, program: Program, events: Events, start: int, stop: int) -> None:
    streams = program.by_row.size
    for stream in range(streams + 1):
        index.line_start[stream] = 0
    for event in range(start, stop):
        kind = events.kind[event]
        for member in range(program.member_start[kind], program.member_start[kind + 1]):
            index.line_start[program.member_stream[member] + 1] += 1
    for stream in range(streams):
        index.line_start[stream + 1] += index.line_start[stream]
        index.line_end[stream] = index.line_start[stream]
    for event in range(start, stop):
        kind = events.kind[event]
        for member in range(program.member_start[kind], program.member_start[kind + 1]):
            stream = program.member_stream[member]
            line = index.line_end[stream]
            index.line_source[line] = event
            index.line_time[line] = events.time[event]
            index.line_end[stream] = line + 1


@compiled
def _rows_are_orders(index: Index, stream: int) -> None:
    first, last = index.line_start[stream], index.line_start[stream + 1]
    index.stragglers[first + stream] = 0
    for line in range(first, last):
        index.line_order[line] = line - first
        index.order_time[line] = index.line_time[line]
        index.order_line[line] = line - first
        index.stragglers[line + stream + 1] = 0
    index.order_stop[stream] = last


@compiled
def _number_orders(index: Index, events: Events, stream: int) -> None:
    first, last = index.line_start[stream], index.line_start[stream + 1]
    size = 2
    while size < 2 * (last - first):
        size *= 2
    for place in range(size):
        index.table_order[place] = -1
    orders, stragglers, previous, ordinal = 0, 0, ORDER_OF_ITS_OWN, -1
    index.stragglers[first + stream] = 0
    for line in range(first, last):
        code = events.order[index.line_source[line]]
        is_new = code == ORDER_OF_ITS_OWN
        if code == ORDER_BEGAN_BEFORE:
            ordinal = -1
        elif not is_new and code != previous:
            place = code & (size - 1)
            while index.table_order[place] >= 0 and index.table_code[place] != code:
                place = (place + 1) & (size - 1)
            is_new = index.table_order[place] < 0
            if is_new:
                index.table_code[place] = code
                index.table_order[place] = orders
            ordinal = index.table_order[place]
        previous = code
        if is_new:
            ordinal = orders
            index.order_time[first + orders] = index.line_time[line]
            index.order_line[first + orders] = line - first
            orders += 1
        index.line_order[line] = ordinal
        if ordinal < orders - 1:
            stragglers += 1
        index.stragglers[line + stream + 1] = stragglers
    index.order_stop[stream] = first + orders


@compiled
def _measure_gaps(index: Index, stream: int) -> None:
    first, last = index.line_start[stream], index.order_stop[stream]
    total, squares = 0, 0
    for order in range(first, last):
        if order > first:
            minutes = (index.order_time[order] - index.order_time[order - 1]) // _MINUTE_US
            total += minutes
            squares += minutes * minutes  # wraps beyond 2**63; differences within the tail come out right
        index.gap_sum[order] = total
        index.gap_squares[order] = squares


@compiled
def _rank_days(index: Index, program: Program, stream: int) -> None:
    first, last = index.line_start[stream], index.line_start[stream + 1]
    if first == last:
        return
    rows = program.zone_start.size
    row = lower_bound(program.zone_start, 0, rows, index.line_time[first] + 1) - 1
    rank, previous = 0, NULL
    for line in range(first, last):
        time = index.line_time[line]
        while row + 1 < rows and program.zone_start[row + 1] <= time:
            row += 1
        day = max((time + program.zone_offset[row]) // _DAY_US, program.zone_least[row])
        if day != previous:
            rank += 1
            previous = day
        index.day_rank[line] = rank


@compiled
def _add_up(index: Index, program: Program, events: Events, slot: int, at: int) -> int:
    stream, number = program.slot_stream[slot], program.slot_number[slot]
    counts = program.slot_counts[slot]
    total = 0
    index.running[at] = 0
    for line in range(index.line_start[stream], index.line_start[stream + 1]):
        value = events.numbers[number, index.line_source[line]]
        at += 1
        if value != NULL:
            total += 1 if counts else value
        index.running[at] = total
    return at + 1

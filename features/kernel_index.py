"""Index of one customer's events: per stream, running sums over the sorted lines and orders.

Everything is an exact integer, so what lies between two moments is the difference of two entries, whatever came
before. Results depend on the set of events only, never on the order of those with equal times.
"""

from __future__ import annotations

from features.compiled import in_place
from features.kernel_program import (
    NULL,
    ORDER_BEGAN_BEFORE,
    ORDER_BEGAN_FIRST,
    ORDER_OF_ITS_OWN,
    SLOT_FIRST_SUM,
    SLOT_FIRST_TEXT,
    Events,
    Ints,
    Program,
)
from features.kernel_running import add_up, add_up_first, clear_table, link_texts, place_of
from features.kernel_time import day_at, hour_of_week, offset_row
from features.kernel_workspace import Index

__all__ = ["build_index"]

_MINUTE_US = 60_000_000


@in_place
def build_index(index: Index, program: Program, events: Events, start: int, stop: int, carried: Ints) -> None:
    """Index the events ``start:stop`` after :func:`count_lines`; ``carried`` [stream]: 1 if the carry has lines."""
    _share_out(index, program, events, start, stop)
    line_start = index.line_start
    for stream in range(program.by_row.size):
        if line_start[stream] == line_start[stream + 1]:
            index.order_stop[stream] = line_start[stream]
            index.plain[stream] = 1
            continue
        plain = program.by_row[stream] == 1 or _all_own(index, events, stream)
        index.plain[stream] = plain
        if plain:
            index.order_stop[stream] = line_start[stream + 1]
        else:
            _number_orders(index, events, stream)
        if program.wants_gaps[stream]:
            _measure_gaps(index, stream)
        if program.wants_days[stream]:
            _rank_days(index, program, stream)
        if program.wants_clock[stream]:
            _read_clock(index, program, stream)
    for slot in range(program.slot_stream.size):
        if program.slot_mode[slot] in (SLOT_FIRST_SUM, SLOT_FIRST_TEXT):
            add_up_first(index, program, events, slot, carried)
        else:
            add_up(index, program, events, slot)
    for link in range(program.link_stream.size):
        link_texts(index, program, events, link)


@in_place
def _share_out(index: Index, program: Program, events: Events, start: int, stop: int) -> None:
    end, line_start, line_source, line_time = index.cursor, index.line_start, index.line_source, index.line_time
    kinds, times, numbers = events.kind, events.time, events.numbers
    member_start, member_stream = program.member_start, program.member_stream
    filter_row, filter_code = program.filter_row, program.filter_code
    for stream in range(end.size):
        end[stream] = line_start[stream]
    for event in range(start, stop):
        kind = kinds[event]
        for member in range(member_start[kind], member_start[kind + 1]):
            stream = member_stream[member]
            row = filter_row[stream]
            if row < 0 or numbers[row, event] == filter_code[stream]:
                line = end[stream]
                line_source[line] = event
                line_time[line] = times[event]
                end[stream] = line + 1


@in_place
def _all_own(index: Index, events: Events, stream: int) -> int:
    for line in range(index.line_start[stream], index.line_start[stream + 1]):
        if events.order[index.line_source[line]] != ORDER_OF_ITS_OWN:
            return 0
    return 1


@in_place
def _number_orders(index: Index, events: Events, stream: int) -> None:
    first, last = index.line_start[stream], index.line_start[stream + 1]
    size = clear_table(index.table_value, last - first)
    orders, stragglers, previous, ordinal = 0, 0, ORDER_OF_ITS_OWN, -1
    index.stragglers[first + stream] = 0
    for line in range(first, last):
        code = events.order[index.line_source[line]]
        is_new = code == ORDER_OF_ITS_OWN
        if code in (ORDER_BEGAN_BEFORE, ORDER_BEGAN_FIRST):
            ordinal = -1
        elif not is_new and code != previous:
            place = place_of(index.table_code, index.table_value, size, code)
            is_new = index.table_value[place] < 0
            if is_new:
                index.table_code[place] = code
                index.table_value[place] = orders
            ordinal = index.table_value[place]
        previous = code
        if is_new:
            ordinal = orders
            index.order_time[first + orders] = index.line_time[line]
            index.order_line[first + stream + orders] = line - first
            orders += 1
        index.line_order[line] = ordinal
        if ordinal < orders - 1:
            stragglers += 1
        index.stragglers[line + stream + 1] = stragglers
    index.order_stop[stream] = first + orders
    index.order_line[first + stream + orders] = last - first


@in_place
def _measure_gaps(index: Index, stream: int) -> None:
    first, last = index.line_start[stream], index.order_stop[stream]
    times = index.line_time if index.plain[stream] else index.order_time
    total, squares = 0, 0
    for order in range(first, last):
        if order > first:
            minutes = (times[order] - times[order - 1]) // _MINUTE_US
            total += minutes
            squares += minutes * minutes  # wraps beyond 2**63; differences within the tail come out right
        index.gap_sum[order] = total
        index.gap_squares[order] = squares


@in_place
def _rank_days(index: Index, program: Program, stream: int) -> None:
    first, last = index.line_start[stream], index.line_start[stream + 1]
    starts = program.zone_start
    row = offset_row(starts, index.line_time[first])
    rank, streak, previous, ranks = 0, 0, NULL, index.day_rank
    ranks[first + 2 * stream] = 0
    for line in range(first, last):
        time = index.line_time[line]
        while row + 1 < starts.size and starts[row + 1] <= time:
            row += 1
        day = day_at(program.zone_offset, program.zone_least, row, time)
        if day != previous:
            rank += 1
            streak = streak + 1 if rank > 1 and day == previous + 1 else 1
            previous = day
        ranks[line + 2 * stream + 1] = rank
        index.day_streak[line] = streak
    ranks[last + 2 * stream + 1] = rank  # read, not used, where a window is empty


@in_place
def _read_clock(index: Index, program: Program, stream: int) -> None:
    starts, times = program.zone_start, index.line_time if index.plain[stream] else index.order_time
    row = offset_row(starts, times[index.line_start[stream]])
    for order in range(index.line_start[stream], index.order_stop[stream]):
        time = times[order]
        while row + 1 < starts.size and starts[row + 1] <= time:
            row += 1
        index.order_clock[order] = hour_of_week(program.zone_offset, program.zone_least, row, time)

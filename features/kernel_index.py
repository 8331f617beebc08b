"""Index of one customer's events: per stream, running sums over the sorted lines and orders.

Everything is an exact integer, so what lies between two moments is the difference of two entries, whatever came
before. Results depend on the set of events only, never on the order of those with equal times.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.compiled import compiled, inlined
from features.kernel_program import (
    MIXED,
    NULL,
    ORDER_BEGAN_BEFORE,
    ORDER_BEGAN_FIRST,
    ORDER_OF_ITS_OWN,
    SLOT_FIRST_SUM,
    SLOT_FIRST_TEXT,
    SLOT_PRESENT,
    Events,
    Ints,
    Program,
)
from features.kernel_time import day_at, hour_of_week, offset_row

__all__ = ["NO_TEXT", "Index", "build_index", "new_index", "sized"]

_MINUTE_US = 60_000_000
NO_TEXT = -2
"""Link of a line that has no text; -1: the text was not there before."""


class Index(NamedTuple):
    """Workspace; stream s has its lines at ``line_start[s]:line_start[s + 1]``, its orders from there on."""

    line_start: Ints  # [stream + 1]
    order_stop: Ints  # [stream]
    plain: Ints  # [stream] 1: every line is an order, so lines and orders are the same
    slot_start: Ints  # [slot + 1] into running
    link_start: Ints  # [link + 1] into before
    cursor: Ints  # [stream] while lines are shared out
    line_end: Ints  # [cutoff] what each cutoff sees of the stream at hand
    order_end: Ints
    pair_line: Ints  # [pair, cutoff] where a window begins
    pair_order: Ints
    line_source: Ints  # [line] the event
    line_time: Ints
    line_order: Ints  # ordinal of the line's order in its stream, -1: it began in the carry
    day_rank: Ints  # how many distinct days up to this line
    day_streak: Ints  # how many of the last of them follow on each other
    stragglers: Ints  # [line + 1 a stream] how many lines so far came after a later order had begun
    order_time: Ints  # [order] time of its earliest line
    order_line: Ints  # its number in the stream
    order_clock: Ints  # hour of the local week
    gap_sum: Ints  # minutes between consecutive orders so far
    gap_squares: Ints
    running: Ints  # [line + 1 a slot] sums so far
    before: Ints  # [line a link] number of the last line with the same text, -1: none, NO_TEXT
    table_code: Ints  # hash table of codes
    table_value: Ints


@compiled
def new_index(program: Program, cutoffs: int, lines: int, running: int, links: int) -> Index:
    """Workspace for so many cutoffs, and customers of up to so many lines, entries of running sums and of links."""
    streams = program.by_row.size
    size = 64  # also scratch for counts by hour
    while size < 2 * lines:
        size *= 2
    return Index(
        np.zeros(streams + 1, np.int64),
        np.zeros(streams, np.int64),
        np.zeros(streams, np.int64),
        np.zeros(program.slot_stream.size + 1, np.int64),
        np.zeros(program.link_stream.size + 1, np.int64),
        np.zeros(streams, np.int64),
        np.zeros(cutoffs, np.int64),
        np.zeros(cutoffs, np.int64),
        np.zeros((program.pair_window.size, cutoffs), np.int64),
        np.zeros((program.pair_window.size, cutoffs), np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines + streams, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(running, np.int64),
        np.empty(links, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
    )


@compiled
def sized(index: Index, program: Program, events: Events, start: int, stop: int) -> Index:
    """Return the workspace, or a larger one, with room for the events ``start:stop`` and their lines counted."""
    count = index.line_start
    for stream in range(count.size):
        count[stream] = 0
    for event in range(start, stop):
        kind = events.kind[event]
        for member in range(program.member_start[kind], program.member_start[kind + 1]):
            stream = program.member_stream[member]
            row = program.filter_row[stream]
            if row < 0 or events.numbers[row, event] == program.filter_code[stream]:
                count[stream + 1] += 1
    running, links = 0, 0
    for slot in range(program.slot_stream.size):
        index.slot_start[slot] = running
        running += count[program.slot_stream[slot] + 1] + 1
    for link in range(program.link_stream.size):
        index.link_start[link] = links
        links += count[program.link_stream[link] + 1]
    for stream in range(1, count.size):
        count[stream] += count[stream - 1]
    lines = count[count.size - 1]
    fits = lines <= index.line_time.size and running <= index.running.size and links <= index.before.size
    if fits:
        return index
    larger = new_index(
        program,
        index.line_end.size,
        max(lines + lines // 4, index.line_time.size),
        max(running + running // 4, index.running.size),
        max(links + links // 4, index.before.size),
    )
    larger.line_start[:] = count
    larger.slot_start[:] = index.slot_start
    larger.link_start[:] = index.link_start
    return larger


@compiled
def build_index(index: Index, program: Program, events: Events, start: int, stop: int, carried: Ints) -> None:
    """Index the events ``start:stop`` of one customer after :func:`sized`; ``carried`` [stream]: lines in the carry."""
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
            _rows_are_orders(index, stream)
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
            _add_up_first(index, program, events, slot, carried)
        else:
            _add_up(index, program, events, slot)
    for link in range(program.link_stream.size):
        _link(index, program, events, link)


@compiled
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


@compiled
def _all_own(index: Index, events: Events, stream: int) -> int:
    for line in range(index.line_start[stream], index.line_start[stream + 1]):
        if events.order[index.line_source[line]] != ORDER_OF_ITS_OWN:
            return 0
    return 1


@compiled
def _rows_are_orders(index: Index, stream: int) -> None:
    first, last = index.line_start[stream], index.line_start[stream + 1]
    for line in range(first, last):
        index.order_time[line] = index.line_time[line]
    index.order_stop[stream] = last


@compiled
def _number_orders(index: Index, events: Events, stream: int) -> None:
    first, last = index.line_start[stream], index.line_start[stream + 1]
    size = _clear_table(index.table_value, last - first)
    orders, stragglers, previous, ordinal = 0, 0, ORDER_OF_ITS_OWN, -1
    index.stragglers[first + stream] = 0
    for line in range(first, last):
        code = events.order[index.line_source[line]]
        is_new = code == ORDER_OF_ITS_OWN
        if code in (ORDER_BEGAN_BEFORE, ORDER_BEGAN_FIRST):
            ordinal = -1
        elif not is_new and code != previous:
            place = _place(index.table_code, index.table_value, size, code)
            is_new = index.table_value[place] < 0
            if is_new:
                index.table_code[place] = code
                index.table_value[place] = orders
            ordinal = index.table_value[place]
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


@inlined
def _clear_table(table_value: Ints, lines: int) -> int:
    size = 2
    while size < 2 * lines:
        size *= 2
    for place in range(size):
        table_value[place] = -1
    return size


@inlined
def _place(table_code: Ints, table_value: Ints, size: int, code: int) -> int:
    place = code & (size - 1)
    while table_value[place] >= 0 and table_code[place] != code:
        place = (place + 1) & (size - 1)
    return place


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
    starts = program.zone_start
    row = offset_row(starts, index.line_time[first])
    rank, streak, previous = 0, 0, NULL
    for line in range(first, last):
        time = index.line_time[line]
        while row + 1 < starts.size and starts[row + 1] <= time:
            row += 1
        day = day_at(program.zone_offset, program.zone_least, row, time)
        if day != previous:
            rank += 1
            streak = streak + 1 if rank > 1 and day == previous + 1 else 1
            previous = day
        index.day_rank[line] = rank
        index.day_streak[line] = streak


@compiled
def _read_clock(index: Index, program: Program, stream: int) -> None:
    starts = program.zone_start
    row = offset_row(starts, index.order_time[index.line_start[stream]])
    for order in range(index.line_start[stream], index.order_stop[stream]):
        time = index.order_time[order]
        while row + 1 < starts.size and starts[row + 1] <= time:
            row += 1
        index.order_clock[order] = hour_of_week(program.zone_offset, program.zone_least, row, time)


@compiled
def _add_up(index: Index, program: Program, events: Events, slot: int) -> None:
    stream, number, counts = program.slot_stream[slot], program.slot_row[slot], program.slot_mode[slot] == SLOT_PRESENT
    running, at = index.running, index.slot_start[slot]
    total = 0
    running[at] = 0
    for line in range(index.line_start[stream], index.line_start[stream + 1]):
        value = events.numbers[number, index.line_source[line]]
        at += 1
        if value != NULL:
            total += 1 if counts else value
        running[at] = total


@compiled
def _add_up_first(index: Index, program: Program, events: Events, slot: int, carried: Ints) -> None:
    """Over the lines of the first order(s): a sum, or the one text they share (MIXED: they do not)."""
    stream, number, sums = program.slot_stream[slot], program.slot_row[slot], program.slot_mode[slot] == SLOT_FIRST_SUM
    first, last, plain = index.line_start[stream], index.line_start[stream + 1], index.plain[stream]
    running, at = index.running, index.slot_start[slot]
    orders = 0
    if not carried[stream]:
        while first + orders < index.order_stop[stream] and index.order_time[first + orders] == index.order_time[first]:
            orders += 1
    total = 0 if sums else NULL
    running[at] = total
    for line in range(first, last):
        source = index.line_source[line]
        value = events.numbers[number, source]
        ordinal = line - first if plain else index.line_order[line]
        at += 1
        if value != NULL and (0 <= ordinal < orders or events.order[source] == ORDER_BEGAN_FIRST):
            if sums:
                total += value
            else:
                total = value if total in (NULL, value) else MIXED
        running[at] = total


@compiled
def _link(index: Index, program: Program, events: Events, link: int) -> None:
    stream, number = program.link_stream[link], program.link_row[link]
    first, last = index.line_start[stream], index.line_start[stream + 1]
    size = _clear_table(index.table_value, last - first)
    start = index.link_start[link]
    for line in range(first, last):
        code = events.numbers[number, index.line_source[line]]
        before = NO_TEXT
        if code != NULL:
            place = _place(index.table_code, index.table_value, size, code)
            before = index.table_value[place]
            index.table_code[place] = code
            index.table_value[place] = line - first
        index.before[start + line - first] = before

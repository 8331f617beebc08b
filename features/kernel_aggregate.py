"""The aggregations: one small compiled function each, over an indexed stream between two positions."""

from __future__ import annotations

from features.compiled import compiled, inlined
from features.kernel_index import Index, lower_bound
from features.kernel_program import (
    ACTIVE_DAYS,
    CARRY_FIRST,
    CARRY_LAST,
    CARRY_LINES,
    CARRY_ORDERS,
    COUNT,
    FIRST,
    GAP_COUNT,
    GAP_MAX,
    GAP_SQUARES,
    GAP_SUM,
    LAST,
    LIFETIME,
    LINES,
    NULL,
    TAIL,
    TALLY,
    Ints,
    Program,
)

__all__ = ["add_carry", "fill_base", "find_windows", "tail_from", "tally"]


@inlined
def tail_from(time: Ints, start: int, seen: int, cutoff: int, limits: Ints) -> int:
    """Time from which on windows, gaps and active days look: the later of so many events ago and so long ago."""
    oldest: int = cutoff - limits[1]
    if seen >= limits[0]:
        oldest = max(oldest, time[start + seen - limits[0]])
    return oldest


@inlined
def tally(
    running: Ints,
    line_order: Ints,
    stragglers: Ints,
    begin: int,
    end: int,
    least: int,
) -> int:
    """Sum over the lines ``begin:end`` of a stream whose order is not before ``least``, each array the stream's own."""
    total: int = running[end] - running[begin]
    if stragglers[end] == stragglers[begin]:
        return total
    total = 0
    for line in range(begin, end):
        if line_order[line] >= least:
            total += running[line + 1] - running[line]
    return total


@inlined
def _active_days(day_rank: Ints, low: int, high: int) -> int:
    return day_rank[high - 1] - day_rank[low] + 1 if low < high else 0


@inlined
def _first(order_time: Ints, low: int, high: int) -> int:
    return order_time[low] if low < high else NULL


@inlined
def _last(order_time: Ints, low: int, high: int) -> int:
    return order_time[high - 1] if low < high else NULL


@inlined
def _gap_count(low: int, high: int) -> int:
    return max(high - low - 1, 0)


@inlined
def _difference(running: Ints, low: int, high: int) -> int:
    return running[high - 1] - running[low] if low < high else 0


@inlined
def _gap_max(gap_sum: Ints, low: int, high: int) -> int:
    longest = NULL
    for order in range(low + 1, high):
        longest = max(longest, gap_sum[order] - gap_sum[order - 1])
    return longest


@compiled
def find_windows(index: Index, program: Program, cutoff: int, oldest: int) -> None:
    """Find where each stream ends at the cutoff and where each window of it begins."""
    line_time, order_time, line_start, order_stop = (
        index.line_time,
        index.order_time,
        index.line_start,
        index.order_stop,
    )
    line_end, order_end, pair_line, pair_order = index.line_end, index.order_end, index.pair_line, index.pair_order
    pair_stream, pair_window = program.pair_stream, program.pair_window
    for stream in range(line_end.size):
        first = line_start[stream]
        line_end[stream] = lower_bound(line_time, first, line_start[stream + 1], cutoff)
        order_end[stream] = lower_bound(order_time, first, order_stop[stream], cutoff)
    for pair in range(pair_stream.size):
        stream, window = pair_stream[pair], pair_window[pair]
        first = line_start[stream]
        if window == LIFETIME:
            pair_line[pair] = first
            pair_order[pair] = first
        else:
            begin = oldest if window == TAIL else max(oldest, cutoff - window)
            pair_line[pair] = lower_bound(line_time, first, line_end[stream], begin)
            pair_order[pair] = lower_bound(order_time, first, order_end[stream], begin)


@compiled
def fill_base(index: Index, program: Program, row: Ints) -> None:  # noqa: C901 (one branch an aggregation, no more)
    """Fill one row of the base table, after :func:`find_windows`.

    The arrays are taken out of their tuples once: handing a tuple to a function in this loop costs more than the
    function itself.
    """
    pair_line, pair_order, pair_stream = index.pair_line, index.pair_order, program.pair_stream
    line_end, order_end, line_start = index.line_end, index.order_end, index.line_start
    order_time, gap_sum, gap_squares, day_rank = index.order_time, index.gap_sum, index.gap_squares, index.day_rank
    slot_start, order_line, line_order = index.slot_start, index.order_line, index.line_order
    aggregation, base_pair, base_slot = program.aggregation, program.base_pair, program.base_slot
    for base in range(aggregation.size):
        what, pair, slot = aggregation[base], base_pair[base], base_slot[base]
        stream = pair_stream[pair]
        line_low, line_high = pair_line[pair], line_end[stream]
        low, high = pair_order[pair], order_end[stream]
        value = NULL
        if what == COUNT:
            value = high - low
        elif what == LINES:
            value = line_high - line_low
        elif what == TALLY and program.pair_window[pair] == LIFETIME:
            value = index.running[slot_start[slot] + line_high - line_low]
        elif what == TALLY:
            value = 0
            if low < high:
                start = line_start[stream]
                running, stragglers = index.running[slot_start[slot] :], index.stragglers[start + stream :]
                value = tally(running, line_order[start:], stragglers, order_line[low], line_high - start, low - start)
        elif what == ACTIVE_DAYS:
            value = _active_days(day_rank, line_low, line_high)
        elif what == FIRST:
            value = _first(order_time, low, high)
        elif what == LAST:
            value = _last(order_time, low, high)
        elif what == GAP_COUNT:
            value = _gap_count(low, high)
        elif what == GAP_SUM:
            value = _difference(gap_sum, low, high)
        elif what == GAP_SQUARES:
            value = _difference(gap_squares, low, high)
        elif what == GAP_MAX:
            value = _gap_max(gap_sum, low, high)
        row[base] = value


@compiled
def add_carry(program: Program, carry: Ints, row: Ints) -> None:
    """Add what was compacted away, ``carry`` [stream, carry column], to the lifetime columns of a row."""
    for base in range(program.aggregation.size):
        pair = program.base_pair[base]
        stream = program.pair_stream[pair]
        if program.pair_window[pair] != LIFETIME or carry[stream, CARRY_LINES] == 0:
            continue
        what = program.aggregation[base]
        if what == COUNT:
            row[base] += carry[stream, CARRY_ORDERS]
        elif what == LINES:
            row[base] += carry[stream, CARRY_LINES]
        elif what == TALLY:
            row[base] += carry[stream, program.slot_carry[program.base_slot[base]]]
        elif what == FIRST:
            row[base] = carry[stream, CARRY_FIRST]  # the carry is older than anything kept
        elif what == LAST:
            row[base] = max(row[base], carry[stream, CARRY_LAST])

"""Base aggregates of one customer at its cutoffs: what lies in each window."""

from __future__ import annotations

from features import kernel_aggregate as aggregate
from features.carry_columns import CARRY_LINES
from features.compiled import in_place, inlined
from features.kernel_program import (
    ACTIVE_DAYS,
    COUNT,
    DISTINCT,
    FIRST,
    FIRST_ORDER_IS,
    FIRST_ORDER_SUM,
    GAP_COUNT,
    GAP_MAX,
    GAP_SQUARES,
    GAP_SUM,
    HOUR_SQUARES,
    LAST,
    LAST_NUMBER,
    LIFETIME,
    LINES,
    MIXED,
    NULL,
    RUNNING_OUT,
    STREAK,
    TALLY,
    TOP,
    WEEKDAY_SQUARES,
    WEEKEND,
    Attributes,
    Edges,
    Ints,
    Program,
)
from features.kernel_time import local_day_at, lower_bound
from features.kernel_windows import find_windows
from features.kernel_workspace import Index

__all__ = ["add_carry", "fill_attributes", "fill_columns"]


@in_place
def fill_columns(
    index: Index,
    program: Program,
    edges: Edges,
    origin: int,
    numbers: Ints,
    cutoffs: Ints,
    oldest: Ints,
    crowded: int,
    into: Ints,
) -> None:
    """Fill ``into`` [base aggregate, cutoff] for ascending cutoffs; windows are as :func:`find_windows` has them.

    Stream by stream, then aggregate by aggregate, so that what depends on neither cutoff nor window is done once.
    """
    for stream in range(program.by_row.size):
        if index.line_start[stream] == index.line_start[stream + 1]:
            for base in range(program.base_start[stream], program.base_start[stream + 1]):
                for at in range(cutoffs.size):
                    into[program.base_column[base], at] = program.base_default[base]
        else:
            find_windows(index, program, edges, origin, oldest, crowded, stream)
            _fill_stream(index, program, numbers, cutoffs, into, stream)


@inlined
def _fill_stream(  # noqa: C901 (one branch an aggregation, no more)
    index: Index, program: Program, numbers: Ints, cutoffs: Ints, into: Ints, stream: int
) -> None:
    first, plain = index.line_start[stream], index.plain[stream] == 1
    line_end, order_end = index.line_end, index.order_end
    line_time, line_source = index.line_time, index.line_source
    order_time = line_time if plain else index.order_time
    gap_sum, gap_squares, clock = index.gap_sum, index.gap_squares, index.order_clock
    day_rank, day_streak, scratch = index.day_rank, index.day_streak, index.table_code
    stragglers, order_line = index.stragglers, index.order_line
    line_low, order_low, all_running = index.pair_line, index.pair_order, index.running
    for base in range(program.base_start[stream], program.base_start[stream + 1]):
        what, slot, extra = program.aggregation[base], program.base_slot[base], program.base_extra[base]
        pair, column = program.base_pair[base], program.base_column[base]
        if what == COUNT:
            for at in range(cutoffs.size):
                into[column, at] = order_end[at] - order_low[pair, at]
        elif what == LINES:
            for at in range(cutoffs.size):
                into[column, at] = line_end[at] - line_low[pair, at]
        elif what == TALLY:
            zero = index.slot_start[slot] - first
            if plain or program.pair_window[pair] == LIFETIME:
                for at in range(cutoffs.size):
                    into[column, at] = all_running[zero + line_end[at]] - all_running[zero + line_low[pair, at]]
            elif stragglers[index.line_start[stream + 1] + stream] == 0:
                for at in range(cutoffs.size):
                    begin, end = order_line[order_low[pair, at] + stream] + first, line_end[at]
                    into[column, at] = all_running[zero + end] - all_running[zero + min(begin, end)]
            else:
                for at in range(cutoffs.size):
                    into[column, at] = 0
                    if order_low[pair, at] < order_end[at]:
                        into[column, at] = aggregate.tally(
                            all_running[index.slot_start[slot] :],
                            index.line_order[first:],
                            stragglers[first + stream :],
                            order_line[order_low[pair, at] + stream],
                            line_end[at] - first,
                            order_low[pair, at] - first,
                        )
        elif what == ACTIVE_DAYS:
            for at in range(cutoffs.size):
                low, end = line_low[pair, at], line_end[at]
                days = day_rank[end + 2 * stream] - day_rank[low + 2 * stream + 1] + 1
                into[column, at] = days if low < end else 0
        elif what == FIRST:
            for at in range(cutoffs.size):
                into[column, at] = aggregate.first(order_time, order_low[pair, at], order_end[at])
        elif what == LAST:
            for at in range(cutoffs.size):
                into[column, at] = aggregate.last(order_time, order_low[pair, at], order_end[at])
        elif what == GAP_COUNT:
            for at in range(cutoffs.size):
                into[column, at] = aggregate.gap_count(order_low[pair, at], order_end[at])
        elif what == GAP_SUM:
            for at in range(cutoffs.size):
                into[column, at] = aggregate.difference(gap_sum, order_low[pair, at], order_end[at])
        elif what == GAP_SQUARES:
            for at in range(cutoffs.size):
                into[column, at] = aggregate.difference(gap_squares, order_low[pair, at], order_end[at])
        elif what == GAP_MAX:
            for at in range(cutoffs.size):
                into[column, at] = aggregate.gap_max(gap_sum, order_low[pair, at], order_end[at])
        elif what == STREAK:
            zone_start, zone_offset, zone_least = program.zone_start, program.zone_offset, program.zone_least
            for at in range(cutoffs.size):
                low, end, cutoff = line_low[pair, at], line_end[at], cutoffs[at]
                into[column, at] = 0
                if low < end:
                    newest = local_day_at(zone_start, zone_offset, zone_least, line_time[end - 1])
                    if local_day_at(zone_start, zone_offset, zone_least, cutoff) - newest <= 1:
                        into[column, at] = aggregate.streak(day_rank[2 * stream + 1 :], day_streak, low, end)
        elif what == WEEKDAY_SQUARES:
            for at in range(cutoffs.size):
                into[column, at] = aggregate.spread_squares(clock, scratch, order_low[pair, at], order_end[at], 24, 7)
        elif what == HOUR_SQUARES:
            for at in range(cutoffs.size):
                into[column, at] = aggregate.spread_squares(clock, scratch, order_low[pair, at], order_end[at], 1, 24)
        elif what == WEEKEND:
            for at in range(cutoffs.size):
                into[column, at] = aggregate.weekend(clock, order_low[pair, at], order_end[at])
        elif what == LAST_NUMBER:
            running = all_running[index.slot_start[slot] :]
            for at in range(cutoffs.size):
                low, end = line_low[pair, at], line_end[at]
                into[column, at] = NULL
                if running[end - first] > running[low - first]:
                    into[column, at] = aggregate.last_number(numbers[extra], line_source, line_time, low, end)
        elif what == DISTINCT:
            before = index.before[index.link_start[slot] :]
            for at in range(cutoffs.size):
                into[column, at] = aggregate.distinct(before, line_low[pair, at] - first, line_end[at] - first)
        elif what == TOP:
            before = index.before[index.link_start[slot] :]
            for at in range(cutoffs.size):
                into[column, at] = aggregate.top(before, scratch, line_low[pair, at] - first, line_end[at] - first)
        elif what == RUNNING_OUT:
            for at in range(cutoffs.size):
                into[column, at] = aggregate.running_out(
                    numbers[slot], line_source, line_time, line_low[pair, at], line_end[at], cutoffs[at], extra
                )
        elif what == FIRST_ORDER_SUM:
            running = all_running[index.slot_start[slot] :]
            for at in range(cutoffs.size):
                into[column, at] = running[line_end[at] - first] if line_end[at] > first else NULL
        else:  # FIRST_ORDER_IS
            running = all_running[index.slot_start[slot] :]
            for at in range(cutoffs.size):
                text = running[line_end[at] - first]
                into[column, at] = NULL if text == NULL else 1 if text == extra else 0


@in_place
def add_carry(  # noqa: C901 (one branch an aggregation)
    program: Program, carry: Ints, index: Index, into: Ints
) -> None:
    """Add what was compacted away, ``carry`` [stream, carry column], to the lifetime aggregates at one cutoff."""
    row = into[:, 0]
    for stream in range(program.base_start.size - 1):
        if carry[stream, CARRY_LINES] == 0:
            continue
        for base in range(program.base_start[stream], program.base_start[stream + 1]):
            at = program.base_carry[base]
            if at < 0:
                continue
            what, column, old = program.aggregation[base], program.base_column[base], carry[stream, at]
            if what in (COUNT, LINES, TALLY):
                row[column] += old
            elif what == FIRST:
                row[column] = old  # the carry is older than anything kept
            elif what == LAST:
                row[column] = max(row[column], old)
            elif what == LAST_NUMBER:
                row[column] = old if row[column] == NULL else row[column]
            elif what == FIRST_ORDER_SUM:
                row[column] = old if row[column] == NULL else row[column] + old
            elif what == FIRST_ORDER_IS:
                slot, lines = program.base_slot[base], index.line_start[stream + 1] - index.line_start[stream]
                kept = index.running[index.slot_start[slot] + lines]
                code = old if kept in (NULL, old) else kept if old == NULL else MIXED
                row[column] = NULL if code == NULL else 1 if code == program.base_extra[base] else 0


@in_place
def fill_attributes(program: Program, attributes: Attributes, customer: int, cutoffs: Ints, into: Ints) -> None:
    """Fill the attributes: the newest that was valid from before each cutoff."""
    if program.attribute_column.size == 0:
        return
    start, stop = attributes.start[customer], attributes.start[customer + 1]
    for place in range(cutoffs.size):
        at = lower_bound(attributes.valid_from, start, stop, cutoffs[place]) - 1
        for attribute in range(program.attribute_column.size):
            value = attributes.values[attribute, at] if at >= start else NULL
            into[program.attribute_column[attribute], place] = value

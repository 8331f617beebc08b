"""One row of base aggregates: where the windows of a cutoff begin, and what lies in them."""

from __future__ import annotations

from features import kernel_aggregate as aggregate
from features.carry_columns import CARRY_LINES
from features.compiled import compiled
from features.kernel_index import Index
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
    TAIL,
    TALLY,
    TOP,
    WEEKDAY_SQUARES,
    WEEKEND,
    Attributes,
    Ints,
    Program,
)
from features.kernel_time import lower_bound, onwards

__all__ = ["add_carry", "fill_attributes", "fill_base"]


@compiled
def fill_base(  # noqa: C901 (one branch an aggregation, no more)
    index: Index, program: Program, numbers: Ints, cutoff: int, oldest: int, row: Ints
) -> None:
    """Fill one row of the base table, cutoff after cutoff in ascending order.

    The arrays are taken out of their tuples once: handing a tuple to a function in this loop costs more than the
    function itself.
    """
    line_start, line_time, order_time, order_stop = (
        index.line_start,
        index.line_time,
        index.order_time,
        index.order_stop,
    )
    line_end, order_end, pair_line, pair_order = index.line_end, index.order_end, index.pair_line, index.pair_order
    pair_start, pair_window, pair_lines = program.pair_start, program.pair_window, program.pair_lines
    base_start, column, default = program.base_start, program.base_column, program.base_default
    gap_sum, gap_squares, clock = index.gap_sum, index.gap_squares, index.order_clock
    day_rank, day_streak, line_source = index.day_rank, index.day_streak, index.line_source
    order_line, line_order, stragglers = index.order_line, index.line_order, index.stragglers
    slot_start, all_running = index.slot_start, index.running
    for stream in range(line_end.size):
        first = line_start[stream]
        end = onwards(line_time, line_end[stream], line_start[stream + 1], cutoff)
        line_end[stream] = end
        if end == first:
            for base in range(base_start[stream], base_start[stream + 1]):
                row[column[base]] = default[base]
            continue
        plain = index.plain[stream] == 1
        stop = end if plain else onwards(order_time, order_end[stream], order_stop[stream], cutoff)
        order_end[stream] = stop
        for pair in range(pair_start[stream], pair_start[stream + 1]):
            window = pair_window[pair]
            if window != LIFETIME:
                begin = oldest if window == TAIL else max(oldest, cutoff - window)
                lines = pair_lines[pair]
                if 0 < lines < end - first:
                    begin = max(begin, line_time[end - lines])
                pair_line[pair] = onwards(line_time, pair_line[pair], end, begin)
                pair_order[pair] = pair_line[pair] if plain else onwards(order_time, pair_order[pair], stop, begin)
        for base in range(base_start[stream], base_start[stream + 1]):
            what, pair, slot = program.aggregation[base], program.base_pair[base], program.base_slot[base]
            line_low, low = pair_line[pair], pair_order[pair]
            value = NULL
            if what == COUNT:
                value = stop - low
            elif what == LINES:
                value = end - line_low
            elif what == TALLY:
                running = all_running[slot_start[slot] :]
                if plain or pair_window[pair] == LIFETIME:
                    value = running[end - first] - running[line_low - first]
                elif low < stop:
                    value = aggregate.tally(
                        running,
                        line_order[first:],
                        stragglers[first + stream :],
                        order_line[low],
                        end - first,
                        low - first,
                    )
                else:
                    value = 0
            elif what == ACTIVE_DAYS:
                value = aggregate.active_days(day_rank, line_low, end)
            elif what == FIRST:
                value = aggregate.first(order_time, low, stop)
            elif what == LAST:
                value = aggregate.last(order_time, low, stop)
            elif what == GAP_COUNT:
                value = aggregate.gap_count(low, stop)
            elif what == GAP_SUM:
                value = aggregate.difference(gap_sum, low, stop)
            elif what == GAP_SQUARES:
                value = aggregate.difference(gap_squares, low, stop)
            elif what == GAP_MAX:
                value = aggregate.gap_max(gap_sum, low, stop)
            elif what == STREAK:
                value = aggregate.streak(
                    day_rank,
                    day_streak,
                    line_time,
                    line_low,
                    end,
                    cutoff,
                    program.zone_start,
                    program.zone_offset,
                    program.zone_least,
                )
            elif what == WEEKDAY_SQUARES:
                value = aggregate.spread_squares(clock, index.table_code, low, stop, 24, 7)
            elif what == HOUR_SQUARES:
                value = aggregate.spread_squares(clock, index.table_code, low, stop, 1, 24)
            elif what == WEEKEND:
                value = aggregate.weekend(clock, low, stop)
            elif what == LAST_NUMBER:
                running = all_running[slot_start[slot] :]
                if running[end - first] > running[line_low - first]:
                    of = numbers[program.base_extra[base]]
                    value = aggregate.last_number(of, line_source, line_time, line_low, end)
            elif what in (DISTINCT, TOP):
                before = index.before[index.link_start[slot] :]
                if what == DISTINCT:
                    value = aggregate.distinct(before, line_low - first, end - first)
                else:
                    value = aggregate.top(before, index.table_code, line_low - first, end - first)
            elif what == RUNNING_OUT:
                ahead = program.base_extra[base]
                value = aggregate.running_out(numbers[slot], line_source, line_time, line_low, end, cutoff, ahead)
            elif what == FIRST_ORDER_SUM:
                value = all_running[slot_start[slot] + end - first]
            elif what == FIRST_ORDER_IS:
                value = all_running[slot_start[slot] + end - first]
                if value != NULL:
                    value = 1 if value == program.base_extra[base] else 0
            row[column[base]] = value


@compiled
def add_carry(  # noqa: C901 (one branch an aggregation)
    program: Program, carry: Ints, index: Index, row: Ints
) -> None:
    """Add what was compacted away, ``carry`` [stream, carry column], to the lifetime columns of a row."""
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
                first, end = index.line_start[stream], index.line_end[stream]
                kept = index.running[index.slot_start[program.base_slot[base]] + end - first]
                code = old if kept in (NULL, old) else kept if old == NULL else MIXED
                row[column] = NULL if code == NULL else 1 if code == program.base_extra[base] else 0


@compiled
def fill_attributes(program: Program, attributes: Attributes, customer: int, cutoff: int, row: Ints) -> None:
    """Fill the attributes of a row: the newest that was valid from before the cutoff."""
    if program.attribute_column.size == 0:
        return
    start = attributes.start[customer]
    at = lower_bound(attributes.valid_from, start, attributes.start[customer + 1], cutoff) - 1
    for attribute in range(program.attribute_column.size):
        row[program.attribute_column[attribute]] = attributes.values[attribute, at] if at >= start else NULL

"""What happened after a cutoff, from the same index."""

from __future__ import annotations

from features.compiled import in_place
from features.kernel_aggregate import tally
from features.kernel_program import Ints, OutcomeProgram
from features.kernel_time import lower_bound
from features.kernel_workspace import Index

__all__ = ["fill_outcomes"]


@in_place
def fill_outcomes(index: Index, outcome: OutcomeProgram, cutoff: int, row: Ints) -> None:
    """Fill one row of outcomes."""
    for column in range(row.size):
        row[column] = 0
    for term in range(outcome.start.size):
        stream, slot = outcome.stream[term], outcome.slot[term]
        begin, end = cutoff + outcome.start[term], cutoff + outcome.end[term]
        first, stop, plain = index.line_start[stream], index.order_stop[stream], index.plain[stream] == 1
        order_time = index.line_time if plain else index.order_time
        line_high = lower_bound(index.line_time, first, index.line_start[stream + 1], end)
        order_low = lower_bound(order_time, first, stop, begin)
        order_high = lower_bound(order_time, first, stop, end)
        value = 0
        if slot < 0:
            value = order_high - order_low
        elif outcome.by_line[term] or plain:
            line_low = lower_bound(index.line_time, first, line_high, begin)
            running = index.slot_start[slot] - first
            value = index.running[running + line_high] - index.running[running + line_low]
        elif order_low < order_high:
            value = tally(
                index.running[index.slot_start[slot] :],
                index.line_order[first:],
                index.stragglers[first + stream :],
                index.order_line[order_low + stream],
                line_high - first,
                order_low - first,
            )
        row[outcome.column[term]] += outcome.sign[term] * value

"""The aggregations: one small compiled function each, over an indexed stream between two positions."""

from __future__ import annotations

from features.compiled import inlined
from features.kernel_program import NULL, Ints
from features.kernel_workspace import NO_TEXT

__all__ = [
    "difference",
    "distinct",
    "first",
    "gap_count",
    "gap_max",
    "last",
    "last_number",
    "running_out",
    "spread_squares",
    "streak",
    "tally",
    "top",
    "weekend",
]

_SATURDAY_HOUR = 120


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
def streak(day_rank: Ints, day_streak: Ints, low: int, high: int) -> int:
    """Local days in a row that end with the newest line's; not of what is before ``low``."""
    days: int = min(day_streak[high - 1], day_rank[high - 1] - day_rank[low] + 1)
    return days


@inlined
def first(order_time: Ints, low: int, high: int) -> int:
    """Time of the first order."""
    return order_time[low] if low < high else NULL


@inlined
def last(order_time: Ints, low: int, high: int) -> int:
    """Time of the last order."""
    return order_time[high - 1] if low < high else NULL


@inlined
def gap_count(low: int, high: int) -> int:
    """Gaps between consecutive orders."""
    return max(high - low - 1, 0)


@inlined
def difference(running: Ints, low: int, high: int) -> int:
    """What was added between two orders."""
    return running[high - 1] - running[low] if low < high else 0


@inlined
def gap_max(gap_sum: Ints, low: int, high: int) -> int:
    """Longest gap."""
    longest = NULL
    for order in range(low + 1, high):
        longest = max(longest, gap_sum[order] - gap_sum[order - 1])
    return longest


@inlined
def spread_squares(order_clock: Ints, counts: Ints, low: int, high: int, divisor: int, modulus: int) -> int:
    """Orders of each weekday, or of each hour of the day, squared, added up.

    ``clock // divisor % modulus`` says which; ``counts`` is scratch. The n-th order of a kind adds 2n - 1.
    """
    for kind in range(modulus):
        counts[kind] = 0
    total = 0
    for order in range(low, high):
        kind = order_clock[order] // divisor % modulus
        total += 2 * counts[kind] + 1
        counts[kind] += 1
    return total


@inlined
def weekend(order_clock: Ints, low: int, high: int) -> int:
    """Orders on a local Saturday or Sunday."""
    count = 0
    for order in range(low, high):
        count += order_clock[order] >= _SATURDAY_HOUR
    return count


@inlined
def last_number(numbers: Ints, line_source: Ints, line_time: Ints, low: int, high: int) -> int:
    """Number of the newest line that has it, of several at that time the largest; at least one line has it."""
    line = high - 1
    while line > low and numbers[line_source[line]] == NULL:
        line -= 1
    value: int = numbers[line_source[line]]
    time = line_time[line]
    while line > low and line_time[line - 1] == time:
        line -= 1
        value = max(value, numbers[line_source[line]])
    return value


@inlined
def distinct(before: Ints, low: int, high: int) -> int:
    """Different texts of the lines; ``before`` and the positions count from the stream's first line."""
    count = 0
    for line in range(low, high):
        count += NO_TEXT < before[line] < low
    return count


@inlined
def top(before: Ints, counts: Ints, low: int, high: int) -> int:
    """Lines with the most frequent text; ``counts`` is scratch of the same length as ``before``."""
    most = 0
    for line in range(low, high):
        if before[line] != NO_TEXT:
            counts[line] = counts[before[line]] + 1 if before[line] >= low else 1
            most = max(most, counts[line])
    return most


@inlined
def running_out(
    durations: Ints, line_source: Ints, line_time: Ints, low: int, high: int, cutoff: int, ahead: int
) -> int:
    """Lines whose duration (ms) ends in ``[cutoff, cutoff + ahead)``."""
    count = 0
    for line in range(low, high):
        duration = durations[line_source[line]]
        if duration != NULL:
            count += cutoff <= line_time[line] + duration * 1_000 < cutoff + ahead
    return count

# ruff: noqa: E501 (a line is a text of another file; broken in two it could not be compared)
"""What ``benchmarks/mutation_check.py`` breaks, one thing at a time: a text of a file, what it is replaced by, and why.

The text must occur exactly once in its file. When the code changes, change the text; when an aggregation or a readout is
added, add a line.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["MUTATIONS", "Mutation"]


class Mutation(NamedTuple):
    """One change of one file of ``features``."""

    file: str
    old: str
    new: str
    breaks: str


def _of(file: str, *changes: tuple[str, str, str]) -> tuple[Mutation, ...]:
    return tuple(Mutation(f"features/{file}.py", old, new, breaks) for breaks, old, new in changes)


# fmt: off
MUTATIONS: Final[tuple[Mutation, ...]] = (
    *_of(
        "kernel_columns",
        ("count", "into[column, at] = order_end[at] - order_low[pair, at]", "into[column, at] = line_end[at] - first"),
        ("lines", "= line_end[at] - line_low[pair, at]\n", "= order_end[at] - order_low[pair, at]\n"),
        ("sum: of all lines", "if plain or program.pair_window[pair] == LIFETIME:", "if True:"),
        ("sum: nothing in the window", "                    into[column, at] = 0\n                    if order", "                    if order"),
        ("sum: lines of orders in the window", "order_line[order_low[pair, at] + stream] + first, line_end[at]", "line_low[pair, at], line_end[at]"),
        ("sum: an order after the window", "all_running[zero + min(begin, end)]", "all_running[zero + begin]"),
        ("sum: late lines anywhere", "elif stragglers[index.line_start[stream + 1] + stream] == 0:", "elif True:"),
        ("active_days", "- day_rank[low + 2 * stream + 1] + 1", "- day_rank[low + 2 * stream + 1]"),
        ("active_days: its window", "- day_rank[low + 2 * stream + 1] + 1", "- day_rank[first + 2 * stream + 1] + 1"),
        ("active_days: none", "= days if low < end else 0", "= days if low <= end else 0"),
        ("streak: the right days", "day_rank[2 * stream + 1 :]", "day_rank[2 * stream :]"),
        ("first", "aggregate.first(order_time, order_low[pair, at],", "aggregate.first(order_time, first,"),
        ("streak: up to yesterday", "cutoff) - newest <= 1:", "cutoff) - newest <= 2:"),
        ("streak: yesterday counts", "cutoff) - newest <= 1:", "cutoff) - newest <= 0:"),
        ("weekday_squares", "order_end[at], 24, 7)", "order_end[at], 24, 6)"),
        ("hour_squares", "order_end[at], 1, 24)", "order_end[at], 1, 12)"),
        ("last_number: its window", "if running[end - first] > running[low - first]:", "if running[end - first] > 0:"),
        ("distinct: its window", "aggregate.distinct(before, line_low[pair, at] - first,", "aggregate.distinct(before, 0,"),
        ("top: its window", "aggregate.top(before, scratch, line_low[pair, at] - first,", "aggregate.top(before, scratch, 0,"),
        ("first_order_sum: nothing there", "if line_end[at] > first else NULL", "if line_end[at] > first else 0"),
        ("first_order_sum: visible lines", "= running[line_end[at] - first] if", "= running[running.size - 1] if"),
        ("first_order_is", "else 1 if text == extra else 0\n\n", "else 1 if text != 0 else 0\n\n"),
        ("a type that never happened", "into[program.base_column[base], at] = program.base_default[base]", "into[program.base_column[base], at] = 0"),
        ("carry: count, lines, sum", "                row[column] += old\n", "                row[column] += 0\n"),
        ("carry: first", "row[column] = old  # the carry", "row[column] = row[column]  # the carry"),
        ("carry: last", "row[column] = max(row[column], old)", "row[column] = row[column]"),
        ("carry: last_number", "row[column] = old if row[column] == NULL else row[column]\n", "row[column] = row[column]\n"),
        ("carry: first_order_sum", "row[column] = old if row[column] == NULL else row[column] + old", "row[column] = old"),
        ("carry: first_order_is", "else kept if old == NULL else MIXED", "else kept if old == NULL else old"),
        ("attribute", "attributes.valid_from, start, stop, cutoffs[place])", "attributes.valid_from, start, stop, cutoffs[place] + 1)"),
    ),
    *_of(
        "kernel_windows",
        ("tail: 400 days", "tail = program.limits[1]\n", "tail = program.limits[1] - 1\n"),
        ("window: its begin", "cutoffs[None, :] - back[:, None])", "cutoffs[None, :] - back[:, None] + 1)"),
        ("window: its end", "end[stream] = start[stream] + np.searchsorted(time, cutoffs)", "end[stream] = start[stream] + np.searchsorted(time, cutoffs) - 1"),
        ("window: lines at its edge", "line = onwards(line_time, line, last, origin + edge_time[edge])", "line = onwards(line_time, line, last, origin + edge_time[edge] + 1)"),
        ("window: orders at its edge", "onwards(order_time, order, order_last, origin + edge_time[edge])", "onwards(order_time, order, order_last, origin + edge_time[edge] + 1)"),
        ("a window of orders", "order = line if plain else onwards(", "order = line if True else onwards("),
        ("window: of a lifetime", "program.pair_window[pair] == LIFETIME or (", "("),
        ("tail: of one who did much", "(lines == 0 and not crowded)", "lines == 0"),
        ("tail: of one who did much, orders", "order = line if plain else lower_bound(", "order = pair_order[pair, at] if True else lower_bound("),
        ("last lines", "begin = max(begin, line_time[end - lines])", "begin = max(begin, line_time[end - lines] + 1)"),
        ("last lines: as many", "if 0 < lines < end - first:", "if 0 < lines < end - first - 1:"),
    ),
    *_of(
        "kernel_aggregate",
        ("sum: lines of orders before the window", "if line_order[line] >= least:", "if line_order[line] >= 0:"),
        ("sum: late lines", "if stragglers[end] == stragglers[begin]:", "if True:"),
        ("streak: its window", "min(day_streak[high - 1], day_rank[high - 1] - day_rank[low] + 1)", "day_streak[high - 1]"),
        ("first: null", "return order_time[low] if low < high else NULL", "return order_time[low] if low < high else 0"),
        ("last", "return order_time[high - 1] if low < high else NULL", "return order_time[low] if low < high else NULL"),
        ("gap_count", "max(high - low - 1, 0)", "max(high - low, 0)"),
        ("gap_sum, gap_squares", "running[high - 1] - running[low] if low < high else 0", "running[high - 1] if low < high else 0"),
        ("gap_max", "longest = max(longest, gap_sum[order] - gap_sum[order - 1])", "longest = gap_sum[order] - gap_sum[order - 1]"),
        ("squares", "total += 2 * counts[kind] + 1", "total += counts[kind] + 1"),
        ("squares: start anew", "        counts[kind] = 0\n", "        pass\n"),
        ("weekend", "order_clock[order] >= _SATURDAY_HOUR", "order_clock[order] > _SATURDAY_HOUR"),
        ("last_number: one that has it", "while line > low and numbers[line_source[line]] == NULL:", "while False:"),
        ("last_number: the largest at one time", "value = max(value, numbers[line_source[line]])", "value = numbers[line_source[line]]"),
        ("last_number: only the newest time", "while line > low and line_time[line - 1] == time:", "while line > low:"),
        ("distinct: a missing text", "count += NO_TEXT < before[line] < low", "count += before[line] < low"),
        ("distinct: each once", "count += NO_TEXT < before[line] < low", "count += NO_TEXT < before[line]"),
        ("top", "counts[before[line]] + 1 if before[line] >= low else 1", "counts[before[line]] + 1 if before[line] > low else 1"),
        ("top: a missing text", "if before[line] != NO_TEXT:", "if True:"),
        ("running_out: from the cutoff", "count += cutoff <= line_time", "count += cutoff < line_time"),
        ("running_out: before the window's end", "< cutoff + ahead", "<= cutoff + ahead"),
        ("running_out: milliseconds", "duration * 1_000 <", "duration * 1_001 <"),
        ("running_out: no duration", "        if duration != NULL:\n            count +=", "        if True:\n            count +="),
    ),
    *_of(
        "kernel_index",
        ("filter: which rows", "if row < 0 or numbers[row, event] == filter_code[stream]:", "if row < 0 or numbers[row, event] != NULL:"),
        ("orders: one id, one order", "is_new = index.table_value[place] < 0", "is_new = True"),
        ("orders: rows without an id", "is_new = code == ORDER_OF_ITS_OWN", "is_new = code == ORDER_OF_ITS_OWN and previous != code"),
        ("orders: late lines are marked", "            stragglers += 1", "            stragglers += 0"),
        ("orders: began in the carry", "if code in (ORDER_BEGAN_BEFORE, ORDER_BEGAN_FIRST):", "if code == ORDER_BEGAN_BEFORE:"),
        ("gaps: whole minutes", "times[order - 1]) // _MINUTE_US", "times[order - 1] + 1) // _MINUTE_US"),
        ("gap_squares", "squares += minutes * minutes", "squares += minutes"),
        ("days: change of the clock", "        while row + 1 < starts.size and starts[row + 1] <= time:\n            row += 1\n        day =", "        day ="),
        ("hours: change of the clock", "            row += 1\n        index.order_clock", "            pass\n            break\n        index.order_clock"),
        ("streak: in a row", "day == previous + 1 else 1", "day <= previous + 2 else 1"),
    ),
    *_of(
        "kernel_running",
        ("present", "total += 1 if counts else value", "total += value"),
        ("present, sum: missing ones", "        if value != NULL:\n            total +=", "        if True:\n            total +="),
        ("first order: those of one time", "and times[first + orders] == times[first]:", "and orders < 1:"),
        ("first order: not the second", "(0 <= ordinal < orders or", "(0 <= ordinal <= orders or"),
        ("first order: not if it is in the carry", "    if not carried[stream]:\n", "    if True:\n"),
        ("first order: late lines of one in the carry", "or events.order[source] == ORDER_BEGAN_FIRST)", "or False)"),
        ("first_order_is: the only value", "total = value if total in (NULL, value) else MIXED", "total = value"),
        ("distinct, top: the text before", "        if code != NULL:\n            place = place_of", "        if True:\n            place = place_of"),
    ),
    *_of(
        "kernel_time",
        ("a day never goes back", "max((time + offsets[row]) // _DAY_US, least[row])\n    return day\n\n\n@inlined\ndef local", "(time + offsets[row]) // _DAY_US\n    return day\n\n\n@inlined\ndef local"),
        ("weekdays", "(day + _THURSDAY) % 7", "(day + _THURSDAY + 1) % 7"),
        ("local hours", "+ (time + offsets[row]) % _DAY_US // _HOUR_US", "+ time % _DAY_US // _HOUR_US"),
        ("day_of_year: leap years", "return of_year + 60 + is_leap", "return of_year + 60"),
        ("day_of_year: the year's begin", "if of_year >= 306:", "if of_year > 306:"),
    ),
    *_of(
        "kernel",
        ("visibility: before the cutoff only", "if events.time[event] >= cutoffs[at]:", "if events.time[event] > cutoffs[at]:"),
        ("visibility: a row for what was received", "                if events.received[event] < received_before[at]:", "                if True:"),
        ("visibility: received in time", "    for event in range(start, stop):\n        if events.received[event] < received_before:", "    for event in range(start, stop):\n        if events.received[event] <= received_before:"),
        ("visibility: who was received late", "if seen > 0 and newest >= received_before[at]:", "if seen > 0 and events.received[start + seen - 1] >= received_before[at]:"),
        ("visibility online", "if seen > 0 and events.received[:seen].max() >= received_before:", "if False:"),
        ("tail: 400 days", "oldest[at] = cutoffs[at] - program.limits[1]\n", "oldest[at] = cutoffs[at]\n"),
        ("tail: so many events", "time[start + seen - program.limits[0]])", "time[start + seen - program.limits[0]] + 1)"),
        ("tail: exactly so many", "if seen >= program.limits[0]:", "if seen > program.limits[0] + 1:"),
        ("carry: unanswerable", "return UNANSWERABLE\n", "pass\n"),
    ),
    *_of(
        "kernel_readout",
        ("value: its unit", "value = float(x) / unit if x != NULL else math.nan", "value = float(x) if x != NULL else math.nan"),
        ("value: null", "value = float(x) / unit if x != NULL else math.nan", "value = float(x) / unit"),
        ("age_days", "float(cutoffs[at] - x) / _DAY_US if x != NULL", "float(cutoffs[at] - x) / 86_400_000_001.0 if x != NULL"),
        ("ratio: of nothing", "if x != NULL and y != NULL and y != 0:", "if x != NULL and y != NULL:"),
        ("trend, gap_mean_days: units", "value = (float(x) / unit) / (float(y) / other_unit)", "value = float(x) / unit / float(y)"),
        ("age_unanswered", "(y == NULL or y < x)", "(y == NULL or y <= x)"),
        ("age_unanswered: never answered", "(y == NULL or y < x)", "(y != NULL and y < x)"),
        ("span_days", "float(y - x) / _DAY_US", "float(x - y) / _DAY_US"),
        ("share", "float(x) / float(x + y) if x + y", "float(x) / float(y) if x + y"),
        ("difference", "x -= y * program.weight[feature, 0] + z *", "x -= y * program.weight[feature, 0] - z *"),
        ("spread", "float(x) * float(x) / float(y) if y", "float(x) / float(y) if y"),
        ("gap_sd_days", "float(count - 1)) / _DAY_MINUTES", "float(count)) / _DAY_MINUTES"),
        ("gap_sd_days: too few", "if count < 2:", "if count < 1:"),
        ("gap_variation", "(float(y) / float(z)) * _DAY_MINUTES if y > 0", "(float(y) / float(z)) if y > 0"),
        ("age_per_gap", "return (float(cutoff - x) / _MINUTE_US) /", "return (float(cutoff - x) / _DAY_US) /"),
        ("day_of_year: days ahead", "cutoffs[at] + ahead)", "cutoffs[at])"),
        ("posterior: repeat orders", "repeats, recency, age = float(count - 1)", "repeats, recency, age = float(count)"),
        ("posterior: null", "if count == 0:", "if count < 0:"),
        ("expected_orders: of those alive", "return alive * expected_orders(", "return expected_orders("),
    ),
    *_of(
        "kernel_posterior",
        ("p_alive", "gone = a / (b + repeats)", "gone = a / (b + repeats + 1.0)"),
        ("expected_orders", "top, other, bottom = shape + b - r, shape - 1.0,", "top, other, bottom = shape + b - r + 1.0, shape - 1.0,"),
    ),
    *_of(
        "kernel_outcome",
        ("outcome: its begin", "begin, end = cutoff + outcome.start[term],", "begin, end = cutoff + outcome.start[term] + 1,"),
        ("outcome: refunds are taken off", "+= outcome.sign[term] * value", "+= value"),
    ),
    *_of(
        "state_fold",
        ("compaction: orders in the carry", "of_first[named].astype(np.uint16) * np.uint16(BEGAN_FIRST)", "of_first[named].astype(np.uint16) * np.uint16(0)"),
        ("compaction: what was received last", "max(content.carry_received, int(content.received[:cut].max()))", "content.carry_received"),
        ("compaction: flags of later lines", "flags.get(pair, 0) for pair in later", "0 for pair in later"),
        ("compaction: kept from", "kept_from=keep_from,", "kept_from=content.kept_from,"),
    ),
    *_of(
        "state_carry",
        ("carry: orders", "row[CARRY_ORDERS] += begun.size", "row[CARRY_ORDERS] += lines.time.size"),
        ("carry: first order's text", "texts.pop() if len(texts) == 1 else MIXED", "texts.pop()"),
        ("carry: last number", "column[has_it & (lines.time == newest)].max()", "column[has_it][0]"),
        ("carry: first order's sum", "column[has_it & lines.of_first].sum()", "column[has_it].sum()"),
        ("carry: every type together", "total[CARRY_FIRST] = used[:, CARRY_FIRST].min()", "total[CARRY_FIRST] = used[:, CARRY_FIRST].max()"),
    ),
    *_of(
        "state",
        ("compaction: the tail's age", "- (TAIL_DAYS + SPARE_DAYS) * DAY_US", "- (SPARE_DAYS) * DAY_US"),
        ("compaction: the tail's events", "content.max_events + content.max_events // 8", "content.max_events // 2 + 1"),
        ("the oldest answerable cutoff", "content.max_events - 1]) + 1)", "content.max_events - 1]))"),
    ),
    *_of(
        "state_update",
        ("stale", "            stale = True\n", "            stale = False\n"),
        ("duplicates: the first receipt counts", "if old.same_as(line) and line.received < old.received:", "if False:"),
        ("duplicates", "statuses.append(Status.DUPLICATE)\n            continue", "statuses.append(Status.DUPLICATE)"),
        ("late events are sorted in", "by_time = np.argsort(time, kind=\"stable\")", "by_time = np.arange(time.size)"),
    ),
    *_of(
        "local_time",
        ("changes of the clock", "start.append(change)", "start.append(change + 3_600_000_000)"),
    ),
)
# fmt: on

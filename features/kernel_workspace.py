"""The kernel's workspace: room for the index of one customer after another."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from features.compiled import compiled, in_place
from features.kernel_program import Edges, Events, Ints, Program

__all__ = ["NO_TEXT", "Index", "count_lines", "larger_index", "new_index"]

NO_TEXT: Final = -2
"""Link of a line that has no text; -1: the text was not there before."""
_LINES: Final = 0
_RUNNING: Final = 1
_LINKS: Final = 2


class Index(NamedTuple):
    """Workspace; stream s has its lines at ``line_start[s]:line_start[s + 1]``, its orders from there on."""

    needed: Ints  # [3] lines, entries of running, entries of before that the customer at hand takes
    line_start: Ints  # [stream + 1]
    order_stop: Ints  # [stream]
    plain: Ints  # [stream] 1: every line is an order, so lines and orders are the same and order_time is not filled
    slot_start: Ints  # [slot + 1] into running
    link_start: Ints  # [link + 1] into before
    cursor: Ints  # [stream] while lines are shared out
    edge_line: Ints  # [edge] of the stream at hand: its first line that is not before it
    edge_order: Ints
    line_end: Ints  # [cutoff] what each cutoff sees of the stream at hand
    order_end: Ints
    pair_line: Ints  # [pair, cutoff] where a window begins
    pair_order: Ints
    line_source: Ints  # [line] the event
    line_time: Ints
    line_order: Ints  # ordinal of the line's order in its stream, -1: it began in the carry
    day_rank: Ints  # [line + 2 a stream] how many distinct days among so many lines
    day_streak: Ints  # how many of the last of them follow on each other
    stragglers: Ints  # [line + 1 a stream] how many lines so far came after a later order had begun
    order_time: Ints  # [order] time of its earliest line
    order_line: Ints  # [order + 1 a stream] its number in the stream; after the last order, how many lines there are
    order_clock: Ints  # hour of the local week
    gap_sum: Ints  # minutes between consecutive orders so far
    gap_squares: Ints
    running: Ints  # [line + 1 a slot] sums so far
    before: Ints  # [line a link] number of the last line with the same text, -1: none, NO_TEXT
    table_code: Ints  # hash table of codes
    table_value: Ints


@compiled
def new_index(program: Program, edges: Edges, lines: int, running: int, links: int) -> Index:
    """Workspace for customers of up to so many lines, entries of running sums and of links."""
    streams, pairs, cutoffs = program.by_row.size, program.pair_window.size, edges.begin.shape[1]
    size = 64  # also scratch for counts by hour
    while size < 2 * lines:
        size *= 2
    return Index(
        np.zeros(3, np.int64),
        np.zeros(streams + 1, np.int64),
        np.zeros(streams, np.int64),
        np.zeros(streams, np.int64),
        np.zeros(program.slot_stream.size + 1, np.int64),
        np.zeros(program.link_stream.size + 1, np.int64),
        np.zeros(streams, np.int64),
        np.zeros(edges.time.size, np.int64),
        np.zeros(edges.time.size, np.int64),
        np.zeros(cutoffs, np.int64),
        np.zeros(cutoffs, np.int64),
        np.zeros((pairs, cutoffs), np.int64),
        np.zeros((pairs, cutoffs), np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines + 2 * streams, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines + streams, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines + streams, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(lines, np.int64),
        np.empty(running, np.int64),
        np.empty(links, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
    )


@compiled
def larger_index(index: Index, program: Program, edges: Edges) -> Index:
    """Workspace with room for what was counted last and something more, and no less than there was."""
    lines, running, links = index.needed[_LINES], index.needed[_RUNNING], index.needed[_LINKS]
    return new_index(
        program,
        edges,
        max(lines + lines // 4, index.line_time.size),
        max(running + running // 4, index.running.size),
        max(links + links // 4, index.before.size),
    )


@in_place
def count_lines(index: Index, program: Program, events: Events, start: int, stop: int) -> bool:
    """Count the lines of each stream among the events ``start:stop``; tells whether the workspace has room for them."""
    count, kinds, numbers = index.line_start, events.kind, events.numbers
    member_start, member_stream = program.member_start, program.member_stream
    filter_row, filter_code = program.filter_row, program.filter_code
    for stream in range(count.size):
        count[stream] = 0
    for event in range(start, stop):
        kind = kinds[event]
        for member in range(member_start[kind], member_start[kind + 1]):
            stream = member_stream[member]
            row = filter_row[stream]
            if row < 0 or numbers[row, event] == filter_code[stream]:
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
    index.needed[_LINES], index.needed[_RUNNING], index.needed[_LINKS] = lines, running, links
    return lines <= index.line_time.size and running <= index.running.size and links <= index.before.size

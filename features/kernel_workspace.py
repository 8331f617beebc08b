"""The kernel's workspace: room for the index of one customer after another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.compiled import compiled
from features.kernel_program import Events, Ints, Program

__all__ = ["NO_TEXT", "Index", "new_index", "sized"]

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

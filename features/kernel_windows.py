"""Where windows begin and end in a stream: one sweep over its lines finds the windows of all cutoffs."""

from __future__ import annotations

import numpy as np

from features.compiled import inlined
from features.kernel_program import LIFETIME, NULL, TAIL, Edges, Ints, Program
from features.kernel_time import lower_bound, onwards
from features.kernel_workspace import Index

__all__ = ["find_windows", "lay_edges"]


def lay_edges(program: Program, cutoffs: Ints) -> Edges:
    """Distinct moments at which windows begin or end, stream by stream; cutoffs share most of them.

    ``cutoffs`` ascend. No window is longer than the tail.
    """
    tail = program.limits[1]
    streams, pairs = program.by_row.size, program.pair_window.size
    start, times = np.zeros(streams + 1, dtype=np.int64), []
    begin = np.empty((pairs, cutoffs.size), dtype=np.int64)
    end = np.empty((streams, cutoffs.size), dtype=np.int64)
    for stream in range(streams):
        mine = np.arange(program.pair_start[stream], program.pair_start[stream + 1])
        back = program.pair_window[mine]
        back = np.where(back == TAIL, tail, back)
        begins = np.where(program.pair_window[mine, None] == LIFETIME, NULL, cutoffs[None, :] - back[:, None])
        time = np.unique(np.concatenate([[NULL], begins.ravel(), cutoffs]))
        begin[mine] = start[stream] + np.searchsorted(time, begins)
        end[stream] = start[stream] + np.searchsorted(time, cutoffs)
        start[stream + 1] = start[stream] + time.size
        times.append(time)
    return Edges(start=start, time=np.concatenate([*times, np.zeros(0, dtype=np.int64)]), begin=begin, end=end)


@inlined
def find_windows(
    index: Index,
    program: Program,
    edges: Edges,
    origin: int,
    oldest: Ints,
    crowded: int,
    stream: int,
) -> None:
    """Fill ``line_end``, ``order_end``, and ``pair_line`` and ``pair_order`` of the stream's windows.

    ``origin`` is added to every edge. ``oldest`` [cutoff] is looked at only if ``crowded``: then a cutoff may see so
    many events that its tail begins later than its age alone would have it.
    """
    first, last, order_last = index.line_start[stream], index.line_start[stream + 1], index.order_stop[stream]
    line_time, order_time, plain = index.line_time, index.order_time, index.plain[stream] == 1
    edge_line, edge_order, edge_time = index.edge_line, index.edge_order, edges.time
    line_end, order_end, pair_line, pair_order = index.line_end, index.order_end, index.pair_line, index.pair_order
    head, tail = edges.start[stream], edges.start[stream + 1]
    edge_line[head] = edge_order[head] = line = order = first
    for edge in range(head + 1, tail):
        line = onwards(line_time, line, last, origin + edge_time[edge])
        edge_line[edge] = line
        order = line if plain else onwards(order_time, order, order_last, origin + edge_time[edge])
        edge_order[edge] = order
    for at in range(line_end.size):
        line_end[at] = edge_line[edges.end[stream, at]]
        order_end[at] = edge_order[edges.end[stream, at]]
    for pair in range(program.pair_start[stream], program.pair_start[stream + 1]):
        for at in range(line_end.size):
            pair_line[pair, at] = edge_line[edges.begin[pair, at]]
            pair_order[pair, at] = edge_order[edges.begin[pair, at]]
        lines = program.pair_lines[pair]
        if program.pair_window[pair] == LIFETIME or (lines == 0 and not crowded):
            continue
        for at in range(line_end.size):
            begin, end = oldest[at] if crowded else NULL, line_end[at]
            if 0 < lines < end - first:
                begin = max(begin, line_time[end - lines])
            line = lower_bound(line_time, pair_line[pair, at], end, begin)
            pair_line[pair, at] = line
            order = line if plain else lower_bound(order_time, pair_order[pair, at], order_end[at], begin)
            pair_order[pair, at] = order

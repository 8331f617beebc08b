"""The kernel: a customer's events in, aggregates and features at every cutoff out; the same in batch and online."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.carry_columns import CARRY_LINES
from features.compiled import compiled, in_place, inlined
from features.kernel_columns import add_carry, fill_attributes, fill_columns
from features.kernel_index import build_index
from features.kernel_outcome import fill_outcomes
from features.kernel_program import NULL, Attributes, Edges, Events, Ints, OutcomeProgram, Program
from features.kernel_readout import ReadoutProgram, fill_values
from features.kernel_time import lower_bound, onwards
from features.kernel_words import unpack_words
from features.kernel_workspace import Index, count_lines, larger_index, new_index

__all__ = ["UNANSWERABLE", "Job", "Rows", "count_rows", "fill_one", "fill_rows"]

UNANSWERABLE = -1


class Rows(NamedTuple):
    """What is filled: a row a customer and cutoff."""

    customer: Ints
    cutoff: Ints
    base: Ints  # [row, kept base aggregate]
    outcomes: Ints  # [row, outcome]
    values: NDArray[np.float32]  # [row, feature]


class Job(NamedTuple):
    """What is to be computed of every customer."""

    program: Program
    readouts: ReadoutProgram
    outcome: OutcomeProgram
    kept: Ints  # which base aggregates are wanted in the result besides the features
    edges: Edges  # of the cutoffs
    edges_of_one: Edges  # of a single cutoff at 0
    cutoffs: Ints  # ascending
    received_before: Ints  # [cutoff]


class _Work(NamedTuple):
    """Arrays for one customer at a time."""

    carried: Ints  # [stream] nothing: the whole log is there
    columns: Ints  # [base aggregate, cutoff]
    column: Ints  # [base aggregate, 1]
    oldest: Ints  # [cutoff] from when on windows look
    seen_of: Ints  # [cutoff] how many events are before it
    row_of: Ints  # [cutoff] row, -1: none
    late: Ints  # [1] events of the last customer of whom some came late


@compiled
def count_rows(events: Events, offsets: Ints, cutoffs: Ints, received_before: Ints) -> Ints:
    """Row offsets of the base table: a customer has a row at each cutoff with at least one visible event."""
    rows = np.zeros(offsets.size, np.int64)
    for customer in range(offsets.size - 1):
        count = 0
        for at in range(cutoffs.size):
            for event in range(offsets[customer], offsets[customer + 1]):
                if events.time[event] >= cutoffs[at]:
                    break
                if events.received[event] < received_before[at]:
                    count += 1
                    break
        rows[customer + 1] = rows[customer] + count
    return rows


@compiled
def fill_rows(
    job: Job,
    events: Events,
    offsets: Ints,
    attributes: Attributes,
    first: int,
    last: int,
    rows: Ints,
    into: Rows,
) -> None:
    """Fill the rows of customers ``first:last``; ``rows`` is what :func:`count_rows` gave."""
    program, cutoffs = job.program, job.cutoffs.size
    bases, numbers = program.base_column.size + program.attribute_column.size, events.numbers.shape[0]
    work = _Work(
        np.zeros(program.by_row.size, np.int64),
        np.empty((bases, cutoffs), np.int64),
        np.empty((bases, 1), np.int64),
        np.empty(cutoffs, np.int64),
        np.empty(cutoffs, np.int64),
        np.empty(cutoffs, np.int64),
        np.zeros(1, np.int64),
    )
    index, late = new_index(program, job.edges, 256, 256, 256), new_index(program, job.edges_of_one, 0, 0, 0)
    visible, customer = _new_events(0, numbers), first
    while True:
        customer = _fill_while_room(
            job, events, offsets, attributes, customer, last, rows, into, index, late, visible, work
        )
        if customer == last:
            return
        index, late = larger_index(index, program, job.edges), larger_index(late, program, job.edges_of_one)
        visible = _new_events(max(work.late[0], visible.time.size), numbers)


@in_place
def _fill_while_room(  # noqa: C901 (a branch for late events, one for each kind of room)
    job: Job,
    events: Events,
    offsets: Ints,
    attributes: Attributes,
    first: int,
    last: int,
    rows: Ints,
    into: Rows,
    index: Index,
    late: Index,
    visible: Events,
    work: _Work,
) -> int:
    """Fill rows up to the first customer for whom the workspace is too small; gives that one, or ``last``."""
    program, cutoffs, received_before = job.program, job.cutoffs, job.received_before
    outcome, kept, columns, column = job.outcome, job.kept, work.columns, work.column
    oldest, row_of, seen_of = work.oldest, work.row_of, work.seen_of
    for customer in range(first, last):
        row, start, stop = rows[customer], offsets[customer], offsets[customer + 1]
        if row == rows[customer + 1]:
            continue
        if not count_lines(index, program, events, start, stop):
            return customer
        build_index(index, program, events, start, stop, work.carried)
        crowded = _look_back(program, events.time, start, stop, cutoffs, seen_of, oldest)
        fill_columns(index, program, job.edges, 0, events.numbers, cutoffs, oldest, crowded, columns)
        newest, known = NULL, start
        for at in range(cutoffs.size):
            seen = seen_of[at]
            while known < start + seen:
                newest = max(newest, events.received[known])
                known += 1
            if seen > 0 and newest >= received_before[at]:
                work.late[0] = stop - start
                if visible.time.size < stop - start:
                    return customer
                seen = _copy_visible(events, start, start + seen, received_before[at], visible)
                if seen > 0:
                    if not count_lines(late, program, visible, 0, seen):
                        return customer
                    build_index(late, program, visible, 0, seen, work.carried)
                    cutoff = cutoffs[at : at + 1]
                    eldest = oldest[at : at + 1]
                    crowded = _look_back(program, visible.time, 0, seen, cutoff, seen_of[at : at + 1], eldest)
                    numbers, edges = visible.numbers, job.edges_of_one
                    fill_columns(late, program, edges, cutoff[0], numbers, cutoff, eldest, crowded, column)
                    for base in range(columns.shape[0]):
                        columns[base, at] = column[base, 0]
            row_of[at] = row if seen > 0 else -1
            row += seen > 0
        fill_attributes(program, attributes, customer, cutoffs, columns)
        fill_values(job.readouts, columns, cutoffs, row_of, into.values)
        for at in range(cutoffs.size):
            row = row_of[at]
            if row >= 0:
                into.customer[row] = customer
                into.cutoff[row] = cutoffs[at]
                for place in range(kept.size):
                    into.base[row, place] = columns[kept[place], at]
                if outcome.start.size > 0:
                    fill_outcomes(index, outcome, cutoffs[at], into.outcomes[row])
    return last


@compiled
def fill_one(
    words: Ints,
    events: Events,
    carry: Ints,
    kept_from: int,
    attributes: Attributes,
    cutoff: int,
    received_before: int,
    columns: Ints,
    values: NDArray[np.float32],
) -> int:
    """Fill one row from one customer's kept events and carry (no rows: none); gives how many events were seen.

    ``words`` is the plan, packed by :func:`~features.kernel_words.pack_words`; ``columns`` is [base aggregate, 1],
    ``values`` [1, feature]. :data:`UNANSWERABLE` if events before ``kept_from``, which are gone into the carry, would
    be needed.
    """
    program, edges_of_one, readouts = unpack_words(words)
    seen = lower_bound(events.time, 0, events.time.size, cutoff)
    visible = events
    if seen > 0 and events.received[:seen].max() >= received_before:
        visible = _new_events(seen, events.numbers.shape[0])
        seen = _copy_visible(events, 0, seen, received_before, visible)
    if carry.shape[0] > 0 and seen < program.limits[0] and cutoff - program.limits[1] < kept_from:
        return UNANSWERABLE
    carried = np.zeros(program.by_row.size, np.int64)
    if carry.shape[0] > 0:
        carried[:] = carry[:, CARRY_LINES] > 0
    index = new_index(program, edges_of_one, 512, 2_048, 512)
    if not count_lines(index, program, visible, 0, seen):
        index = larger_index(index, program, edges_of_one)
        count_lines(index, program, visible, 0, seen)
    build_index(index, program, visible, 0, seen, carried)
    cutoffs, oldest, row_of = np.full(1, cutoff), np.zeros(1, np.int64), np.zeros(1, np.int64)
    crowded = _look_back(program, visible.time, 0, seen, cutoffs, np.zeros(1, np.int64), oldest)
    fill_columns(index, program, edges_of_one, cutoff, visible.numbers, cutoffs, oldest, crowded, columns)
    if carry.shape[0] > 0:
        add_carry(program, carry, index, columns)
    fill_attributes(program, attributes, 0, cutoffs, columns)
    fill_values(readouts, columns, cutoffs, row_of, values)
    return seen


@inlined
def _look_back(program: Program, time: Ints, start: int, stop: int, cutoffs: Ints, seen_of: Ints, oldest: Ints) -> int:
    """Count the events before each cutoff, and say from when on windows, gaps and active days look.

    That is the later of so long ago and so many events ago; 1 if any cutoff sees as many as that.
    """
    seen, crowded = 0, 0
    for at in range(cutoffs.size):
        seen = onwards(time, start + seen, stop, cutoffs[at]) - start
        seen_of[at] = seen
        oldest[at] = cutoffs[at] - program.limits[1]
        if seen >= program.limits[0]:
            oldest[at] = max(oldest[at], time[start + seen - program.limits[0]])
            crowded = 1
    return crowded


@compiled
def _new_events(size: int, numbers: int) -> Events:
    return Events(
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int16),
        np.empty(size, np.int64),
        np.empty((numbers, size), np.int64),
    )


@in_place
def _copy_visible(events: Events, start: int, stop: int, received_before: int, into: Events) -> int:
    size = 0
    for event in range(start, stop):
        if events.received[event] < received_before:
            into.time[size] = events.time[event]
            into.received[size] = events.received[event]
            into.kind[size] = events.kind[event]
            into.order[size] = events.order[event]
            for number in range(events.numbers.shape[0]):
                into.numbers[number, size] = events.numbers[number, event]
            size += 1
    return size

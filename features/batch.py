"""Run the kernel over a batch of customers' events, in threads: what every batch engine does once it has the events."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from features.feature_table import FeatureTable
from features.kernel import Job, Rows, count_rows, fill_rows
from features.kernel_program import Attributes, Events, Ints
from features.kernel_windows import lay_edges
from features.layout import Layout, Reading
from features.outcome import Outcome, outcome_program
from features.plan import Plan

__all__ = ["Batch", "ReadableAttributes", "Task", "compute", "no_attributes"]


class ReadableAttributes(Protocol):
    """Where customers' attributes come from."""

    def of(self, customer_ids: NDArray[np.object_], wanted: Sequence[tuple[str, str | None]]) -> Attributes:
        """Attributes of customers, in their order; ``wanted`` are names, each with a text to look for or None."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Events of some customers; customer i has the events ``offsets[i]:offsets[i + 1]``, sorted by time."""

    customer_ids: NDArray[np.object_]
    offsets: Ints
    events: Events
    attributes: Attributes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What is to be computed for every batch: a plan, cutoffs in ascending order, and outcomes.

    ``event_types``, ``readings`` and ``filters`` say how :class:`Events` must be filled: class i + 1 is the i-th type,
    row i of its numbers the i-th reading; they may be more than the plan's own, for the outcomes.
    """

    plan: Plan
    job: Job
    outcomes: int
    event_types: tuple[str, ...]
    readings: tuple[Reading, ...]
    filters: dict[str, tuple[str, ...]]

    @staticmethod
    def of(plan: Plan, outcomes: Sequence[Outcome], *, cutoffs_us: Ints, received_before_us: Ints) -> Task:
        """Compile a plan together with outcomes."""
        layout = Layout(plan.base, timezone=plan.timezone, max_events=plan.max_events)
        outcome = outcome_program(outcomes, layout)
        program = layout.program()
        return Task(
            plan=plan,
            job=Job(
                program=program,
                readouts=plan.readout_program,
                outcome=outcome,
                kept=plan.kept,
                edges=lay_edges(program, cutoffs_us),
                edges_of_one=lay_edges(program, np.zeros(1, dtype=np.int64)),
                cutoffs=cutoffs_us,
                received_before=received_before_us,
            ),
            outcomes=len(outcomes),
            event_types=layout.event_types,
            readings=tuple(layout.readings),
            filters={column: tuple(values) for column, values in layout.filters.items()},
        )


def compute(task: Task, batch: Batch, *, threads: int) -> FeatureTable:
    """Feature table of a batch; threads share the customers, about the same number of events each."""
    events, offsets, job = batch.events, batch.offsets, task.job
    rows = count_rows(events, offsets, job.cutoffs, job.received_before)
    size = int(rows[-1])
    customer, cutoff = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    base = np.empty((size, len(task.plan.extra)), dtype=np.int64)
    outcomes = np.empty((size, task.outcomes), dtype=np.int64)
    values = np.empty((size, len(task.plan.features)), dtype=np.float32)

    def work(first: int, last: int) -> None:
        into = Rows(customer, cutoff, base, outcomes, values)
        fill_rows(job, events, offsets, batch.attributes, first, last, rows, into)

    shares = np.linspace(0, offsets[-1], max(threads, 1) + 1)[1:-1]
    edges = [0, *np.searchsorted(offsets, shares).tolist(), offsets.size - 1]
    with ThreadPoolExecutor(max_workers=max(threads, 1)) as pool:
        for future in [pool.submit(work, first, last) for first, last in pairwise(edges)]:
            future.result()
    return FeatureTable(
        customer_ids=batch.customer_ids,
        customer=customer,
        cutoff_us=cutoff,
        base=base,
        values=values,
        outcomes=outcomes,
    )


def no_attributes(customers: int) -> Attributes:
    """Attributes of customers that have none."""
    nothing = np.zeros(0, dtype=np.int64)
    return Attributes(np.zeros(customers + 1, dtype=np.int64), nothing, nothing.reshape(0, 0))

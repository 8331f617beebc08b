"""Run the kernel over a batch of customers' events, in threads: what every batch engine does once it has the events."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.feature_table import FeatureTable
from features.kernel import count_rows, fill_rows
from features.kernel_program import Events, Ints, OutcomeProgram, Program
from features.layout import Layout
from features.outcome import Outcome, outcome_program
from features.plan import Plan
from features.readout import readout

__all__ = ["Batch", "Task", "compute"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Events of some customers; customer i has the events ``offsets[i]:offsets[i + 1]``, sorted by time."""

    customer_ids: NDArray[np.object_]
    offsets: Ints
    events: Events


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What is to be computed for every batch: a plan, cutoffs in ascending order, and outcomes.

    ``event_types`` and ``numbers`` say how :class:`Events` must be filled: class i + 1 is the i-th type, row i the i-th
    number; they may be more than the plan's own, for the outcomes.
    """

    plan: Plan
    program: Program
    outcome: OutcomeProgram
    outcomes: int
    event_types: tuple[str, ...]
    numbers: tuple[str, ...]
    cutoffs_us: Ints
    received_before_us: Ints

    @staticmethod
    def of(plan: Plan, outcomes: Sequence[Outcome], *, cutoffs_us: Ints, received_before_us: Ints) -> Task:
        """Compile a plan together with outcomes."""
        layout = Layout(plan.base, timezone=plan.timezone, max_events=plan.max_events)
        outcome = outcome_program(outcomes, layout)
        return Task(
            plan=plan,
            program=layout.program(),
            outcome=outcome,
            outcomes=len(outcomes),
            event_types=layout.event_types,
            numbers=tuple(layout.numbers),
            cutoffs_us=cutoffs_us,
            received_before_us=received_before_us,
        )


def compute(task: Task, batch: Batch, *, threads: int) -> FeatureTable:
    """Feature table of a batch; threads share the customers, about the same number of events each."""
    events, offsets, cutoffs, before = batch.events, batch.offsets, task.cutoffs_us, task.received_before_us
    rows = count_rows(events, offsets, cutoffs, before)
    size = int(rows[-1])
    customer, cutoff = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    base = np.empty((size, len(task.plan.base)), dtype=np.int64)
    outcomes = np.empty((size, task.outcomes), dtype=np.int64)
    values = np.empty((size, len(task.plan.features)), dtype=np.float32)

    def work(first: int, last: int) -> None:
        asked = (task.program, task.outcome, events, offsets, first, last, cutoffs, before)
        fill_rows(*asked, rows, customer, cutoff, base, outcomes)
        part = slice(int(rows[first]), int(rows[last]))
        values[part] = readout(task.plan, base[part], cutoff[part])

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

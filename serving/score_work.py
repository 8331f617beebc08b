"""Scoring one request: each customer's state from wherever it comes, then the scores."""

from __future__ import annotations

from collections.abc import Sequence

from features.state import State
from serving.champions import Champions
from serving.faults import ApiFault, Problem
from serving.runtime import Runtime
from serving.schema import CustomerScores
from serving.score_request import ScoreRequest
from serving.scoring import BeforeStateError, iso, score_customers
from serving.store import Stored

__all__ = ["scores_of"]


def scores_of(runtime: Runtime, champions: Champions, asked: ScoreRequest) -> list[CustomerScores]:
    """Scores of a request's customers.

    Raises
    ------
    ApiFault
        422 if the cutoff lies before what a stored state can answer.
    StateError
        If the store cannot answer; never when every customer brings a full history.
    """
    ids = [customer.customer_id for customer in asked.customers]
    try:
        return score_customers(
            ids,
            _states(runtime, asked, ids),
            champions,
            targets=asked.targets,
            cutoff_us=asked.cutoff_us,
            reasons=asked.reasons,
        )
    except BeforeStateError as error:
        raise _before_state(error, asked.cutoff_us) from error


def _states(runtime: Runtime, asked: ScoreRequest, ids: Sequence[str]) -> list[Stored]:
    """Each customer's state: stored, stored with fresh events on top, or made of a history (no store needed)."""
    states: list[Stored] = [None] * len(ids)
    by_id = [index for index, rows in enumerate(asked.history) if rows is None]
    if by_id:
        for index, stored in zip(by_id, runtime.store.get_many([ids[index] for index in by_id]), strict=True):
            states[index] = stored
            if stored is not None and not isinstance(stored, State):
                runtime.metrics.count("ebbtide_damaged_states_total")
    for index, (fresh, history) in enumerate(zip(asked.events, asked.history, strict=True)):
        if history:
            states[index] = State.empty().update(history).state
        elif fresh:
            stored = states[index]
            if stored is None or isinstance(stored, State):
                states[index] = (stored or State.empty()).update(fresh).state
    return states


def _before_state(error: BeforeStateError, cutoff_us: int) -> ApiFault:
    return ApiFault(
        422,
        "cutoff_before_state",
        "the cutoff lies before what the stored state of a customer can answer",
        [
            Problem(f"customers[{index}]", f"the cutoff {iso(cutoff_us)}", f"{iso(oldest)} or later, or a full history")
            for index, oldest in error.oldest_us.items()
        ],
    )

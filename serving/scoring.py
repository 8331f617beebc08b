"""From states to scores: pure functions over loaded champions, the same for a request and for a whole batch.

One feature vector is computed for each distinct fingerprint, however many targets share it. Reasons are computed only
when asked for: they cost about sixty scores each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from features.clock import from_us
from features.errors import StateError
from features.plan import Plan
from features.state import State
from serving.champions import Champions, Group, LoadedModel
from serving.schema import CustomerScores, FeatureValue, ReasonOut, Status, TargetScore
from serving.store import Stored
from training.labels import Target, eligible, why_not
from training.predictor import Predictor

__all__ = ["BeforeStateError", "TableScores", "iso", "key_features", "score_customers", "score_table"]

_ORDER: Final[tuple[Status, ...]] = ("scored", "stale", "not_eligible", "unknown_customer")
KEY_FEATURES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableScores:
    """Scores of the eligible rows of a feature table.

    Parameters
    ----------
    rows : int64 array [m]
        Positions of the eligible rows, ascending.
    score : float64 array [m]
        Calibrated probability; for a value target the expected amount.
    percentile : float64 array [m]
        In [0, 100].
    band : list of str
        ``low``, ``medium`` or ``high``.
    """

    rows: NDArray[np.int64]
    score: NDArray[np.float64]
    percentile: NDArray[np.float64]
    band: list[str]


class BeforeStateError(StateError):
    """A cutoff lies before what stored states can answer.

    Parameters
    ----------
    oldest_us : mapping of int to int
        Which customers of the request → the earliest cutoff that each one's state can answer, epoch microseconds.
    """

    def __init__(self, oldest_us: Mapping[int, int]) -> None:
        self.oldest_us = oldest_us
        super().__init__("the cutoff lies before the stored state", expected=f"{iso(max(oldest_us.values()))} or later")


def score_table(
    predictor: Predictor,
    target: Target,
    plan: Plan,
    base: NDArray[np.int64],
    values: NDArray[np.float32],
    cutoffs_us: NDArray[np.int64],
) -> TableScores:
    """Score the eligible rows of a feature table for one target; `ebbtide score` and the API both come here.

    Parameters
    ----------
    predictor : Predictor
    target : Target
    plan : Plan
        Compiled with ``extra`` of at least ``target.bases()``.
    base : int64 array [n, b]
        Base aggregates.
    values : float32 array [n, f]
        Features in the plan's order.
    cutoffs_us : int64 array [n]
        Epoch microseconds.
    """
    mask = eligible(target, plan, base, cutoffs_us)
    rows = np.flatnonzero(mask)
    if not rows.size:
        nothing = np.empty(0)
        return TableScores(rows=rows, score=nothing, percentile=nothing, band=[])
    chosen = values if rows.size == len(values) else values[rows]
    score = predictor.probability(chosen)
    return TableScores(
        rows=rows, score=score, percentile=predictor.percentile(score), band=list(predictor.bands(score))
    )


def score_customers(
    customer_ids: Sequence[str],
    stored: Sequence[Stored],
    champions: Champions,
    *,
    targets: Collection[str],
    cutoff_us: int,
    reasons: int = 0,
    unknown_detail: str = "no event of this customer is stored",
) -> list[CustomerScores]:
    """Score customers for targets at one cutoff.

    Parameters
    ----------
    customer_ids : sequence of str
    stored : sequence
        Each customer's state, the error that says how it is damaged, or None if there is none.
    champions : Champions
    targets : collection of str
        Names of targets that have a champion.
    cutoff_us : int
        Epoch microseconds.
    reasons : int
        Most reasons a score.
    unknown_detail : str
        What is said of a customer without a state.

    Returns
    -------
    list of CustomerScores
        In the customers' order.

    Raises
    ------
    BeforeStateError
        If the cutoff lies before what one of the states can answer.
    """
    known = [index for index, state in enumerate(stored) if isinstance(state, State)]
    states = [state for state in stored if isinstance(state, State)]
    oldest = {index: state.oldest_answerable_us for index, state in zip(known, states, strict=True)}
    if too_old := {index: oldest_us for index, oldest_us in oldest.items() if cutoff_us < oldest_us}:
        raise BeforeStateError(too_old)
    scores: list[dict[str, TargetScore]] = [{} for _ in customer_ids]
    for group in champions.groups:
        models = [model for model in group.models if model.target.name in targets]
        if not models:
            continue
        for index, found in enumerate(stored):
            if not isinstance(found, State):
                status: Status = "unknown_customer" if found is None else "stale"
                detail = unknown_detail if found is None else f"the stored state is damaged: {found.found}"
                scores[index] |= {model.target.name: _without(model, status, detail) for model in models}
        if states:
            table = _Table(group, states, cutoff_us)
            for model in models:
                for index, score in zip(known, _of_model(model, table, states, reasons), strict=True):
                    scores[index][model.target.name] = score
    cutoff = iso(cutoff_us)
    return [
        CustomerScores(customer_id=customer_id, status=_overall(own), cutoff=cutoff, scores=own)
        for customer_id, own in zip(customer_ids, scores, strict=True)
    ]


def key_features(state: State, champions: Champions, cutoff_us: int) -> dict[str, list[FeatureValue]]:
    """The features that weigh most in a customer's score, by target, with the customer's values."""
    listed: dict[str, list[FeatureValue]] = {}
    for group in champions.groups:
        table = _Table(group, [state], cutoff_us)
        for model in group.models:
            weights = np.abs(model.predictor.contributions(table.values)[0, :-1])
            heaviest = [int(i) for i in np.argsort(-weights, kind="stable")[:KEY_FEATURES] if weights[i] > 0]
            names = model.predictor.feature_names
            listed[model.target.name] = [
                FeatureValue(name=names[i], value=_number(float(table.values[0, i]))) for i in heaviest
            ]
    return listed


def iso(microseconds: int) -> str:
    """UTC time as ISO 8601 text.

    Examples
    --------
    >>> iso(0)
    '1970-01-01T00:00:00Z'
    """
    return from_us(microseconds).isoformat().replace("+00:00", "Z")


class _Table:
    """Base aggregates and features of some states at one cutoff."""

    __slots__ = ("base", "cutoff_us", "cutoffs", "plan", "values")

    def __init__(self, group: Group, states: Sequence[State], cutoff_us: int) -> None:
        self.plan, self.cutoff_us = group.plan, cutoff_us
        answers = [state.answer(group.plan, cutoff_us) for state in states]
        self.base = np.stack([answer.base for answer in answers])
        self.values = np.stack([answer.values for answer in answers])
        self.cutoffs = np.full(len(states), cutoff_us, dtype=np.int64)


def _of_model(model: LoadedModel, table: _Table, states: Sequence[State], reasons: int) -> list[TargetScore]:
    target = model.target
    scored = score_table(model.predictor, target, table.plan, table.base, table.values, table.cutoffs)
    explained = _reasons(model, table.values[scored.rows], reasons) if reasons and scored.rows.size else []
    answers: dict[int, TargetScore] = {}
    for at, row in enumerate(scored.rows.tolist()):
        stale = states[row].stale
        amount = float(scored.score[at])
        answers[row] = TargetScore(
            status="stale" if stale else "scored",
            detail="an event older than the stored state came late; run `ebbtide ingest`" if stale else UNSET,
            probability=amount if target.is_binary else None,
            expected_value=UNSET if target.is_binary else amount,
            percentile=float(scored.percentile[at]),
            band=scored.band[at],
            model_version=model.version,
            fingerprint=model.fingerprint,
            reasons=explained[at] if explained else ([] if reasons else UNSET),
        )
    return [
        answers.get(row)
        or _without(model, "not_eligible", why_not(target, table.plan, table.base[row], table.cutoff_us))
        for row in range(len(states))
    ]


def _reasons(model: LoadedModel, values: NDArray[np.float32], most: int) -> list[list[ReasonOut]]:
    contributions = model.predictor.contributions(values)
    return [
        [
            ReasonOut(code=reason.code, sentence=reason.sentence, direction=reason.direction, share=reason.share)
            for reason in model.explainer.reasons(row, moved, n=most, directions=("raises", "lowers"))
        ]
        for row, moved in zip(values, contributions, strict=True)
    ]


def _without(model: LoadedModel, status: Status, detail: str) -> TargetScore:
    return TargetScore(
        status=status,
        detail=detail,
        probability=None,
        expected_value=UNSET if model.target.is_binary else None,
        percentile=None,
        band=None,
        model_version=model.version,
        fingerprint=model.fingerprint,
    )


def _overall(scores: dict[str, TargetScore]) -> Status:
    found = {score.status for score in scores.values()}
    return next(status for status in _ORDER if status in found)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value

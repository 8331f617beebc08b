"""Where a customer stands in their life with the shop, by the days of a churn target."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from features.clock import DAY_US
from features.definition import NULL_INT, Aggregation, Base
from features.plan import Plan, compile_plan
from training.labels import TargetKind

if TYPE_CHECKING:
    from features.state import State
    from serving.champions import Champions
    from serving.schema import Segment
    from training.labels import Target

__all__ = ["segment_of"]


def segment_of(state: State, champions: Champions, cutoff_us: int) -> Segment | None:
    """Lifecycle segment of a customer, by the first churn target (in order of names) that has a champion.

    An activity is what makes a customer eligible for that target, such as a purchase. The first that applies:
    ``churned``: the last activity is older than ``active_within_days``; ``dormant``: older than ``horizon_days``, so
    that the customer was silent for as long as churn is predicted ahead; ``new``: the first activity is not older
    than ``active_within_days``; else ``active``.

    Parameters
    ----------
    state : State
    champions : Champions
    cutoff_us : int
        Epoch microseconds.

    Returns
    -------
    str or None
        None without a churn champion, or before the first activity.

    Raises
    ------
    StateError
        If the cutoff lies before what the state can answer.
    """
    churn = next((model for model in champions.models.values() if model.target.kind is TargetKind.CHURN), None)
    if churn is None:
        return None
    target = churn.target
    plan = _plan(target, churn.predictor.bundle.timezone)
    times = state.answer(plan, cutoff_us).base.reshape(-1, 2)  # a row an event type: first, last
    seen = times[times[:, 0] != NULL_INT]
    if not seen.size:
        return None
    return _segment(target, int(seen[:, 0].min()), int(seen[:, 1].max()), cutoff_us)


def _segment(target: Target, first_us: int, last_us: int, cutoff_us: int) -> Segment:
    eligible_from = cutoff_us - target.active_within_days * DAY_US
    if last_us < eligible_from:
        return "churned"
    if last_us < cutoff_us - target.horizon_days * DAY_US:
        return "dormant"
    return "new" if first_us >= eligible_from else "active"


@lru_cache(maxsize=8)
def _plan(target: Target, timezone: str) -> Plan:
    bases = [
        Base(aggregation=aggregation, event_type=event_type)
        for event_type in target.activity_types
        for aggregation in (Aggregation.FIRST, Aggregation.LAST)
    ]
    return compile_plan((), timezone=timezone, extra=bases)

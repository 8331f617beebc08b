"""What is known about one stored customer."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from features.clock import to_us
from features.state import State
from serving.faults import ApiFault
from serving.runtime import Runtime
from serving.schema import CustomerPage, LastEvent
from serving.scoring import iso, key_features, score_customers
from serving.segment import segment_of

__all__ = ["page_of"]

_PAGE_REASONS: Final = 3
_LAST_EVENTS: Final = 20


def page_of(runtime: Runtime, customer_id: str, now: datetime) -> CustomerPage:
    """Scores with reasons, lifecycle segment, key features and newest events of one customer.

    Raises
    ------
    ApiFault
        404 if nothing is stored of them.
    StateError
        If the store cannot answer.
    """
    champions = runtime.champions
    stored = runtime.store.get_many([customer_id])[0]
    if stored is None:
        raise ApiFault(404, "unknown_customer", "no event of this customer is stored")
    cutoff_us = to_us(now)
    scores = score_customers(
        [customer_id], [stored], champions, targets=champions.models, cutoff_us=cutoff_us, reasons=_PAGE_REASONS
    )[0]
    state = stored if isinstance(stored, State) else None
    return CustomerPage(
        customer_id=customer_id,
        status=scores.status,
        cutoff=scores.cutoff,
        lifecycle_segment=segment_of(state, champions, cutoff_us) if state else None,
        scores=scores.scores,
        key_features=key_features(state, champions, cutoff_us) if state else {},
        last_events=_last_events(state) if state else [],
    )


def _last_events(state: State) -> list[LastEvent]:
    return [
        LastEvent(event_time=iso(event.event_time_us), event_type=event.event_type, amount=event.amount)
        for event in state.last_events(_LAST_EVENTS)
    ]

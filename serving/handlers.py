"""What each route does, between a request that was let in and an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import Final, TypeVar

import msgspec

from features.clock import to_us
from serving.answers import JSON, Answer, Request, json_answer
from serving.api import Handler
from serving.champions import Champions
from serving.customer_page import page_of
from serving.event_request import EventRequest, read_event_request
from serving.faults import ApiFault
from serving.openapi import document
from serving.prediction_rows import record
from serving.runtime import Runtime
from serving.schema import (
    CustomerScores,
    DeleteAnswer,
    EventOutcome,
    EventsAnswer,
    HealthAnswer,
    ModelAnswer,
    ModelEntry,
    RefusedModel,
    ScoreAnswer,
    StoreEntry,
)
from serving.score_request import read_score_request
from serving.score_work import scores_of
from serving.scoring import iso
from serving.store import Applied

__all__ = ["Handlers"]

_INLINE_CUSTOMERS: Final = 8
"""Up to so many customers by id, without reasons, are scored on the event loop: a thread would cost more."""
_INLINE_BYTES: Final = 32 * 1024
"""Longer bodies are read in a thread: 200,000 events in a request would hold up everyone else for seconds."""
_PROMETHEUS: Final = b"text/plain; version=0.0.4; charset=utf-8"
_Read = TypeVar("_Read")


class Handlers:
    """Handlers of all routes over one worker's runtime.

    Parameters
    ----------
    runtime : callable
        Gives the runtime, or None while there is none.
    failure : callable
        Says why there will be none, or nothing.
    """

    def __init__(self, runtime: Callable[[], Runtime | None], failure: Callable[[], str]) -> None:
        self._runtime, self._failure = runtime, failure
        self._openapi = msgspec.json.encode(document(version("ebbtide")))

    def table(self) -> dict[str, Handler]:
        """Handler of every route's name."""
        return {
            "score": self.score,
            "events": self.events,
            "customer": self.customer,
            "delete_customer": self.delete_customer,
            "model": self.model,
            "openapi": self.openapi,
            "livez": self.livez,
            "readyz": self.readyz,
            "metrics": self.metrics,
        }

    async def score(self, request: Request) -> Answer:
        """POST /v1/score."""
        runtime = self._ready()
        champions = runtime.champions
        now = runtime.now()
        read = partial(read_score_request, request.body, targets=champions.models, zone=runtime.zone, now=now)
        asked = await _read(runtime, request, read)
        with_events = any(rows is not None for rows in (*asked.events, *asked.history))
        if len(asked.customers) > _INLINE_CUSTOMERS or asked.reasons or with_events:
            loop = asyncio.get_running_loop()
            results = await loop.run_in_executor(runtime.scorers, scores_of, runtime, champions, asked)
        else:
            results = scores_of(runtime, champions, asked)
        record(runtime, request.request_id, "/v1/score", results, asked.cutoff_us, now)
        return json_answer(ScoreAnswer(results=results))

    async def events(self, request: Request) -> Answer:
        """POST /v1/events."""
        runtime = self._opened()
        now = runtime.now()
        read = partial(read_event_request, request.body, zone=runtime.zone, now=now)
        batch = await _read(runtime, request, read)
        loop = asyncio.get_running_loop()
        applied = await loop.run_in_executor(runtime.writer, _store, runtime, batch, request.request_id, now)
        answer = _outcomes(batch, applied)
        for result, count in (
            ("accepted", answer.accepted),
            ("duplicate", answer.duplicates),
            ("rejected", answer.rejected),
        ):
            if count:
                runtime.metrics.count("ebbtide_events_total", result, by=count)
        return json_answer(answer)

    async def customer(self, request: Request) -> Answer:
        """GET /v1/customers/{customer_id}."""
        runtime = self._ready()
        now = runtime.now()
        loop = asyncio.get_running_loop()
        page = await loop.run_in_executor(runtime.scorers, page_of, runtime, request.customer_id, now)
        scores = CustomerScores(
            customer_id=page.customer_id, status=page.status, cutoff=page.cutoff, scores=page.scores
        )
        record(runtime, request.request_id, "/v1/customers/{customer_id}", [scores], to_us(now), now)
        return json_answer(page)

    async def delete_customer(self, request: Request) -> Answer:
        """DELETE /v1/customers/{customer_id}."""
        runtime = self._opened()
        loop = asyncio.get_running_loop()
        deleted, dropped = await loop.run_in_executor(runtime.writer, runtime.store.delete, request.customer_id)
        return json_answer(
            DeleteAnswer(customer_id=request.customer_id, deleted=deleted, spooled_events_dropped=dropped)
        )

    async def model(self, request: Request) -> Answer:  # noqa: ARG002 - every handler takes the request
        """GET /v1/model."""
        runtime = self._opened()
        champions = runtime.champions
        customers, spooled = runtime.store.sizes()
        answer = ModelAnswer(
            timezone=runtime.config.timezone,
            currency=runtime.config.currency,
            models=_entries(champions),
            refused=[RefusedModel(target=target, reason=reason) for target, reason in champions.refused.items()],
            without_champion=[target for target in runtime.config.targets if target not in champions.models],
            store=StoreEntry(customers=customers, spooled_events=spooled, filled=runtime.store.filled()),
        )
        return json_answer(answer)

    async def openapi(self, request: Request) -> Answer:  # noqa: ARG002 - every handler takes the request
        """GET /v1/openapi.json."""
        return Answer(200, self._openapi, JSON)

    async def livez(self, request: Request) -> Answer:  # noqa: ARG002 - every handler takes the request
        """GET /livez."""
        return json_answer(HealthAnswer(status="alive"))

    async def readyz(self, request: Request) -> Answer:  # noqa: ARG002 - every handler takes the request
        """GET /readyz."""
        runtime = self._runtime()
        if runtime is None:
            failure = self._failure()
            status, reason = ("failed", failure) if failure else ("starting", "the service is starting")
            return json_answer(HealthAnswer(status=status, reason=reason), 503)
        if reason := runtime.why_not_ready():
            return json_answer(HealthAnswer(status="not_ready", reason=reason), 503)
        return json_answer(HealthAnswer(status="ready"))

    async def metrics(self, request: Request) -> Answer:  # noqa: ARG002 - every handler takes the request
        """GET /metrics."""
        runtime = self._opened()
        customers, spooled = runtime.store.sizes()
        gauges = {
            "ebbtide_ready": ("1 if scores can be had.", 0.0 if runtime.why_not_ready() else 1.0),
            "ebbtide_store_customers": ("Customers in the online store.", float(customers)),
            "ebbtide_spooled_events": ("Live events that are not in the event log yet.", float(spooled)),
        }
        return Answer(200, runtime.metrics.render(runtime.infos(), gauges).encode(), _PROMETHEUS)

    def _opened(self) -> Runtime:
        runtime = self._runtime()
        if runtime is None:
            raise ApiFault(503, "not_ready", "the service is starting", headers=[(b"retry-after", b"1")])
        return runtime

    def _ready(self) -> Runtime:
        runtime = self._opened()
        if not runtime.champions.models:
            raise ApiFault(503, "not_ready", runtime.why_not_ready())
        return runtime


async def _read(runtime: Runtime, request: Request, read: Callable[[], _Read]) -> _Read:
    """What a body says, read where it holds nobody up."""
    if len(request.body) <= _INLINE_BYTES:
        return read()
    return await asyncio.get_running_loop().run_in_executor(runtime.scorers, read)


def _store(runtime: Runtime, batch: EventRequest, request_id: str, now: datetime) -> list[Applied]:
    if batch.rejected:
        runtime.quarantine.keep(batch.rejected, request_id=request_id, now=now)
    return runtime.store.apply_events(batch.events) if batch.events else []


def _outcomes(batch: EventRequest, applied: Sequence[Applied]) -> EventsAnswer:
    outcomes = [EventOutcome(index=event.index, status="rejected", reason=event.reason) for event in batch.rejected]
    for index, event, result in zip(batch.indexes, batch.events, applied, strict=True):
        outcomes.append(EventOutcome(index=index, status=result, event_id=event.event_id))
    return EventsAnswer(
        accepted=sum(result == "accepted" for result in applied),
        duplicates=sum(result == "duplicate" for result in applied),
        rejected=len(batch.rejected),
        results=sorted(outcomes, key=lambda outcome: outcome.index),
    )


def _entries(champions: Champions) -> list[ModelEntry]:
    entries = []
    for name, model in champions.models.items():
        bundle = model.predictor.bundle
        entries.append(
            ModelEntry(
                target=name,
                kind=bundle.target.kind.value,
                version=model.version,
                checksum=bundle.checksum,
                fingerprint=bundle.fingerprint,
                features=len(bundle.features),
                loaded_at=iso(to_us(model.loaded_at)),
                definition=bundle.target.to_dict(),
                quality=dict(bundle.quality),
            )
        )
    return entries

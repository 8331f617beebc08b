"""The table of routes: what the app serves and what the OpenAPI document says, from one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from serving import schema

__all__ = ["CUSTOMER_PREFIX", "ROUTES", "Route"]

CUSTOMER_PREFIX: Final = "/v1/customers/"

_WHEN: Final = "2017-12-04T05:00:00Z"
_SCORED: Final[dict[str, Any]] = {
    "status": "scored",
    "probability": 0.8125,
    "percentile": 93.5,
    "band": "high",
    "model_version": "3",
    "fingerprint": "9f2c…",
    "reasons": [
        {
            "code": "recency",
            "sentence": "last purchase 31 days ago",
            "direction": "raises",
            "share": 0.42,
        }
    ],
}
_CUSTOMER: Final[dict[str, Any]] = {
    "customer_id": "2375",
    "status": "scored",
    "cutoff": _WHEN,
    "scores": {"churn": _SCORED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route.

    Parameters
    ----------
    method : str
        HTTP method.
    path : str
        Path, with ``{customer_id}`` for the rest of the path.
    name : str
        Operation id; also the handler's name.
    summary : str
        One sentence.
    answer : type or str
        Type of the 200 answer, or its media type if it is not JSON.
    example : object
        Example of the answer.
    request : type or None
        Type of the JSON body.
    request_example : object
        Example of the body.
    faults : tuple of int
        Statuses of refusals, besides 401 where a key is needed.
    open : bool
        Whether it is answered without a key.
    """

    method: Literal["GET", "POST", "DELETE"]
    path: str
    name: str
    summary: str
    answer: type | str
    example: Any
    request: type | None = None
    request_example: Any = None
    faults: tuple[int, ...] = ()
    open: bool = False


_BODY_FAULTS: Final = (400, 408, 413, 415, 422)

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/score",
        name="score",
        summary="Score 1 to 1,000 customers: by id, by id with fresh events, or by a full history.",
        request=schema.ScoreIn,
        request_example={
            "customers": [
                {"customer_id": "2375"},
                {
                    "customer_id": "1364",
                    "events": [{"event_type": "purchase", "event_time": "2017-12-03T18:20:00", "amount": 12.5}],
                },
            ],
            "targets": ["churn"],
            "cutoff": _WHEN,
            "reasons": 1,
        },
        answer=schema.ScoreAnswer,
        example={"results": [_CUSTOMER]},
        faults=(*_BODY_FAULTS, 503),
    ),
    Route(
        method="POST",
        path="/v1/events",
        name="events",
        summary="Store 1 to 1,000 live events; each is accepted, a duplicate, or rejected with a reason.",
        request=schema.EventsIn,
        request_example={
            "events": [
                {
                    "customer_id": "2375",
                    "event_type": "purchase",
                    "event_time": "2017-12-04T09:31:07-05:00",
                    "event_id": "order-88-1",
                    "order_id": "88",
                    "amount": 31.4,
                }
            ]
        },
        answer=schema.EventsAnswer,
        example={
            "accepted": 1,
            "duplicates": 0,
            "rejected": 0,
            "results": [{"index": 0, "status": "accepted", "event_id": "order-88-1"}],
        },
        faults=(*_BODY_FAULTS, 503),
    ),
    Route(
        method="GET",
        path="/v1/customers/{customer_id}",
        name="customer",
        summary="What is known about a stored customer: scores, reasons, segment, key features, newest events.",
        answer=schema.CustomerPage,
        example={
            **_CUSTOMER,
            "lifecycle_segment": "dormant",
            "key_features": {"churn": [{"name": "days_since_last_purchase", "value": 31.25}]},
            "last_events": [{"event_time": "2017-11-03T22:10:00Z", "event_type": "purchase", "amount": 54.02}],
        },
        faults=(404, 422, 503),
    ),
    Route(
        method="DELETE",
        path="/v1/customers/{customer_id}",
        name="delete_customer",
        summary="Remove one customer and their not yet ingested events from the online store, not from the event log.",
        answer=schema.DeleteAnswer,
        example={"customer_id": "2375", "deleted": True, "spooled_events_dropped": 0},
        faults=(422, 503),
    ),
    Route(
        method="GET",
        path="/v1/model",
        name="model",
        summary="The champions that are scoring, their quality, and what was refused.",
        answer=schema.ModelAnswer,
        example={
            "timezone": "America/New_York",
            "currency": "USD",
            "models": [
                {
                    "target": "churn",
                    "kind": "churn",
                    "version": "3",
                    "checksum": "5d41…",
                    "fingerprint": "9f2c…",
                    "features": 84,
                    "loaded_at": _WHEN,
                    "definition": {"event_types": ["purchase"], "active_within_days": 60, "horizon_days": 28},
                    "quality": {"auc": 0.857, "log_loss": 0.294},
                }
            ],
            "refused": [],
            "without_champion": [],
            "store": {"customers": 2469, "spooled_events": 0, "filled": {"log_version": "1"}},
        },
        faults=(503,),
    ),
    Route(
        method="GET",
        path="/v1/openapi.json",
        name="openapi",
        summary="This document.",
        answer="application/json",
        example={"openapi": "3.1.0", "info": {"title": "Ebbtide scoring API"}},
        open=True,
    ),
    Route(
        method="GET",
        path="/livez",
        name="livez",
        summary="Whether the process answers.",
        answer=schema.HealthAnswer,
        example={"status": "alive"},
        open=True,
    ),
    Route(
        method="GET",
        path="/readyz",
        name="readyz",
        summary="Whether it can score; 503 with the reason if it cannot.",
        answer=schema.HealthAnswer,
        example={"status": "ready"},
        faults=(503,),
        open=True,
    ),
    Route(
        method="GET",
        path="/metrics",
        name="metrics",
        summary="Counters and latency histograms in Prometheus' text format.",
        answer="text/plain",
        example='ebbtide_requests_total{route="/v1/score",status="2xx"} 1\n',
    ),
)
"""Everything the app answers; any other path is a 404 and any other method a 405."""

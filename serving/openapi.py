"""The OpenAPI 3.1 document, generated from the table of routes and the types they decode and encode."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from serving import schema
from serving.faults import ErrorAnswer
from serving.routes import ROUTES, Route

__all__ = ["document"]

_TEMPLATE: Final = "#/components/schemas/{name}"
_MEANINGS: Final = {
    400: "The body is not JSON.",
    401: "No accepted API key.",
    404: "There is no such customer.",
    408: "The body did not arrive in time.",
    413: "The body is larger than the limit.",
    415: "The body is not sent as application/json.",
    422: "The request does not fit; `problems` names every fault.",
    503: "The service or its store cannot answer now.",
}


def document(version: str) -> dict[str, Any]:
    """OpenAPI document of all routes.

    Parameters
    ----------
    version : str
        The distribution's version.

    Examples
    --------
    >>> sorted(document("0.1.0")["paths"])[:3]
    ['/livez', '/metrics', '/readyz']
    """
    types: set[type] = {ErrorAnswer, schema.LiveEventIn}
    types |= {kind for route in ROUTES for kind in (route.request, route.answer) if isinstance(kind, type)}
    _, schemas = msgspec.json.schema_components(sorted(types, key=lambda kind: kind.__name__), ref_template=_TEMPLATE)
    schemas["EventsIn"]["properties"]["events"]["items"] = {"$ref": _TEMPLATE.format(name="LiveEventIn")}
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ebbtide scoring API",
            "version": version,
            "description": "Churn, conversion and value scores of a shop's customers, now.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key; not needed when the service listens on localhost without keys.",
                }
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": route.name, "summary": route.summary}
    if "{customer_id}" in route.path:
        operation["parameters"] = [
            {
                "name": "customer_id",
                "in": "path",
                "required": True,
                "description": "The customer's id, percent-encoded.",
                "schema": {"type": "string", "minLength": 1, "maxLength": schema.MAX_TEXT},
            }
        ]
    if route.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _reference(route.request), "example": route.request_example}},
        }
    responses: dict[str, Any] = {"200": _answer(route)}
    for status in (*route.faults, *(() if route.open else (401,))):
        kind = schema.HealthAnswer if route.path == "/readyz" else ErrorAnswer
        responses[str(status)] = {
            "description": _MEANINGS[status],
            "content": {"application/json": {"schema": _reference(kind)}},
        }
    operation["responses"] = dict(sorted(responses.items()))
    operation["security"] = [{}] if route.open else [{"key": []}, {}]
    return operation


def _answer(route: Route) -> dict[str, Any]:
    if isinstance(route.answer, str):
        kind = {"type": "object"} if route.answer == "application/json" else {"type": "string"}
        content: dict[str, Any] = {route.answer: {"schema": kind}}
    else:
        content = {"application/json": {"schema": _reference(route.answer)}}
    if route.example is not None:
        next(iter(content.values()))["example"] = route.example
    return {"description": route.summary, "content": content}


def _reference(kind: type) -> dict[str, str]:
    return {"$ref": _TEMPLATE.format(name=kind.__name__)}

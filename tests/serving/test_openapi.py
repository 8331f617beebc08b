"""The OpenAPI document: sound in itself, and exactly what the app serves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from features.events import COLUMNS
from serving.openapi import document
from serving.routes import ROUTES, Route
from serving.schema import Event, LiveEventIn
from serving.validate import faults
from tests.serving.builders import make_home, serving

DOCUMENT = document("0.1.0")
METHODS = ("get", "post", "delete", "put", "patch")


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    used = {reference.removeprefix("#/components/schemas/") for reference in references(DOCUMENT)}
    assert used == set(DOCUMENT["components"]["schemas"])


def test_every_operation_is_whole() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    names = []
    for path, methods in DOCUMENT["paths"].items():
        assert path.startswith("/")
        for method, operation in methods.items():
            names.append(operation["operationId"])
            assert operation["summary"].endswith(".")
            assert "200" in operation["responses"]
            assert all(answer["description"] for answer in operation["responses"].values())
            parameters = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path" and p["required"]}
            assert ("{customer_id}" in path) == (parameters == {"customer_id"})
            assert ("requestBody" in operation) == (method == "post")
    assert len(names) == len(set(names)) == len(ROUTES)


def test_what_is_served_is_written_and_what_is_written_is_served(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        served = client.get("/v1/openapi.json").json
        assert served["paths"] == json.loads(json.dumps(DOCUMENT["paths"]))
        for path, operations in DOCUMENT["paths"].items():
            concrete = path.replace("{customer_id}", "nobody")
            answered = {m for m in METHODS if client.call(m.upper(), concrete, {}).status not in {404, 405}}
            unknown = {"get"} if "{" in path else set()  # an unknown customer is a 404 of its own
            assert answered | unknown == set(operations), path
        assert client.get("/docs").status == 404


@pytest.mark.parametrize("route", [route for route in ROUTES if isinstance(route.request, type)], ids=lambda r: r.name)
def test_request_examples_fit_and_are_answered(route: Route, tmp_path: Path) -> None:
    assert route.request is not None
    examples = route.request_example
    assert faults(examples, route.request) == []
    with serving(make_home(tmp_path)) as client:
        assert client.post(route.path, examples).status == 200


@pytest.mark.parametrize("route", [route for route in ROUTES if isinstance(route.answer, type)], ids=lambda r: r.name)
def test_answer_examples_fit_their_types(route: Route) -> None:
    assert isinstance(route.answer, type)
    msgspec.convert(route.example, route.answer)
    assert faults(route.example, route.answer) == []


def test_an_event_has_the_logs_columns() -> None:
    columns = {column.name for column in COLUMNS}
    assert set(Event.__struct_fields__) == columns - {"customer_id", "received_at"}
    assert set(LiveEventIn.__struct_fields__) == columns - {"received_at"}
    required = DOCUMENT["components"]["schemas"]["LiveEventIn"]["required"]
    assert set(required) == {"customer_id", "event_type", "event_time"}

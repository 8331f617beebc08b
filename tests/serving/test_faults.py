"""Bad input: every fault named, in one shape, and never a 500."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.answers import Answer, Request
from serving.api import Api
from serving.handlers import Handlers
from tests.serving.builders import Client, days_ago, make_home, purchase, serving


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(make_home(tmp_path_factory.mktemp("home")), max_body_bytes=100_000) as made:
        yield made


def one(**more: object) -> dict[str, object]:
    return {"customers": [{"customer_id": "a", **more}]}


def event(**columns: object) -> dict[str, object]:
    return one(events=[{"event_type": "purchase", "event_time": days_ago(1), **columns}])


INVALID: list[tuple[str, object, str, str, str]] = [
    # what, body, path, found, expected (a part of each)
    ("not an object", [1], "", "a list of 1", "an object"),
    ("no customers key", {}, "customers", "nothing", "this key"),
    ("no customers", {"customers": []}, "customers", "a list of 0", "1 to 1000"),
    (
        "too many",
        {"customers": [{"customer_id": str(i)} for i in range(1001)]},
        "customers",
        "a list of 1001",
        "1 to 1000",
    ),
    ("customers as text", {"customers": "a"}, "customers", 'the text "a"', "a list"),
    ("customer as text", {"customers": ["a"]}, "customers[0]", 'the text "a"', "an object"),
    ("id as a number", {"customers": [{"customer_id": 1}]}, "customers[0].customer_id", "the number 1", "text"),
    ("id as true", {"customers": [{"customer_id": True}]}, "customers[0].customer_id", "true", "text"),
    ("id as null", {"customers": [{"customer_id": None}]}, "customers[0].customer_id", "null", "text"),
    ("empty id", {"customers": [{"customer_id": ""}]}, "customers[0].customer_id", "an empty text", "1 to 9999"),
    (
        "long id",
        {"customers": [{"customer_id": "x" * 10_000}]},
        "customers[0].customer_id",
        "10000 characters",
        "1 to 9999",
    ),
    ("reasons with a fraction part", {**one(), "reasons": 1.0}, "reasons", "the number 1.0", "a whole number"),
    ("duplicate", {"customers": [{"customer_id": "a"}] * 2}, "customers[1].customer_id", "as in customers[0]", "once"),
    ("extra key", one(churn=1), "customers[0].churn", "an unknown key", "no such key"),
    ("extra key at the top", {**one(), "target": ["churn"]}, "target", "unknown key", "did you mean 'targets'?"),
    ("unknown target", {**one(), "targets": ["chrn"]}, "targets[0]", 'the text "chrn"', "did you mean 'churn'?"),
    ("target twice", {**one(), "targets": ["churn", "churn"]}, "targets[1]", "again", "once"),
    ("no targets", {**one(), "targets": []}, "targets", "a list of 0", "1 to 100"),
    ("reasons as text", {**one(), "reasons": "1"}, "reasons", 'the text "1"', "a whole number"),
    ("reasons as true", {**one(), "reasons": True}, "reasons", "true", "a whole number"),
    ("half a reason", {**one(), "reasons": 0.5}, "reasons", "the number 0.5", "a whole number"),
    ("negative reasons", {**one(), "reasons": -1}, "reasons", "the number -1", "0 to 10"),
    ("unreadable cutoff", {**one(), "cutoff": "yesterday"}, "cutoff", 'the text "yesterday"', "ISO 8601"),
    ("cutoff as a number", {**one(), "cutoff": 1512345600}, "cutoff", "the number 1512345600", "text"),
    (
        "cutoff ahead",
        {**one(), "cutoff": days_ago(-1)},
        "cutoff",
        "which has not come yet",
        "at most 2026-03-01T12:05:00Z",
    ),
    ("cutoff before 1970", {**one(), "cutoff": "1901-01-01"}, "cutoff", "1901-01-01", "since 1970"),
    ("cutoff beyond the calendar", {**one(), "cutoff": "0001-01-01T00:00:00+14:00"}, "cutoff", "0001", "ISO 8601"),
    ("amount as text", event(amount="1"), "customers[0].events[0].amount", 'the text "1"', "a number"),
    ("amount as true", event(amount=True), "customers[0].events[0].amount", "true", "a number"),
    ("huge amount", event(amount=1e13), "customers[0].events[0].amount", "the number 1", "-1e+12 to 1e+12"),
    ("unknown column", event(amont=1), "customers[0].events[0].amont", "unknown key", "did you mean 'amount'"),
    ("no time", one(events=[{"event_type": "cart"}]), "customers[0].events[0].event_time", "nothing", "this key"),
    ("a date", event(event_time="2026-02-01"), "customers[0].events[0].event_time", "without a time", "date and time"),
    ("time ahead", event(event_time=days_ago(-1)), "customers[0].events[0].event_time", "not come yet", "at most"),
    ("empty type", event(event_type=""), "customers[0].events[0].event_type", "an empty text", "1 to 9999"),
    ("both", one(events=[], history=[]), "customers[0]", "both events and history", "one of them"),
]


@pytest.mark.parametrize(("body", "path", "found", "expected"), [c[1:] for c in INVALID], ids=[c[0] for c in INVALID])
def test_a_request_that_does_not_fit_is_told_where_and_what(
    client: Client, body: object, path: str, found: str, expected: str
) -> None:
    got = client.post("/v1/score", body)
    assert (got.status, got.json["error"]["code"]) == (422, "invalid_request"), got.body
    assert list(got.problems) == [path]
    assert found in got.problems[path][0]
    assert expected in got.problems[path][1]
    assert got.json["error"]["request_id"] == got.headers["x-request-id"]


def test_every_fault_is_named_at_once(client: Client) -> None:
    body: dict[str, Any] = {
        "customers": [
            {"customer_id": "", "events": [{"event_type": 1, "amount": "x", "event_time": "noon"}]},
            {"customer_id": "b"},
            {"customer_id": "b", "colour": "red"},
        ],
        "targets": ["nope", "churn"],
        "cutoff": "soon",
        "reasons": "many",
    }
    got = client.post("/v1/score", body)
    assert set(got.problems) == {
        "customers[0].customer_id",
        "customers[0].events[0].event_type",
        "customers[0].events[0].amount",
        "customers[0].events[0].event_time",
        "customers[2].colour",
        "customers[2].customer_id",
        "targets[0]",
        "cutoff",
        "reasons",
    }
    assert "9 faults" in got.json["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/score", "/v1/events"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"customers":[{"customer_id":"a"}],"reasons":NaN}',
        b'{"customers":[{"customer_id":"a"}],"reasons":Infinity}',
        b'{"customers":[{"customer_id":"a"}],"reasons":-Infinity}',
        b'{"events":[{"amount":NaN}]}',
        b"\xff\xfe",
        b'{"customers":[{"customer_id":"\\ud800"}]}',
        b"[" * 50_000,
        b'{"customers":[]} extra',
        b'{"customers":[{"customer_id":"a",}]}',
    ],
    ids=str,
)
def test_what_is_not_json_is_refused(client: Client, path: str, body: bytes) -> None:
    got = client.post(path, body)
    assert (got.status, got.json["error"]["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("number", ["1e999", "9" * 100, "9" * 500, "9" * 6000, "-" + "9" * 6000, "1e-9999"])
def test_numbers_beyond_a_double_are_refused_or_rejected(client: Client, number: str) -> None:
    raw = number.encode()
    score = client.post("/v1/score", b'{"customers":[{"customer_id":"a"}],"reasons":' + raw + b"}")
    assert score.status in {400, 422}
    fresh = b'{"customers":[{"customer_id":"a","events":[{"event_type":"cart","event_time":"2026-01-01T00:00","amount":'
    assert client.post("/v1/score", fresh + raw + b"}]}]}").status in {200, 400, 422}
    live = b'{"events":[{"customer_id":"a","event_type":"cart","event_time":"2026-01-01T00:00","amount":'
    assert client.post("/v1/events", live + raw + b"}]}").status in {200, 400}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/score", 405, "method_not_allowed"),
        ("PUT", "/v1/customers/a", 405, "method_not_allowed"),
        ("POST", "/readyz", 405, "method_not_allowed"),
        ("GET", "/v1/scores", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1/customers/", 422, "invalid_request"),
        ("GET", "/v1/customers/" + "x" * 10_000, 422, "invalid_request"),
        ("GET", "/v1/customers/nobody", 404, "unknown_customer"),
    ],
)
def test_wrong_routes_and_methods(client: Client, method: str, path: str, status: int, code: str) -> None:
    got = client.call(method, path)
    assert (got.status, got.json["error"]["code"]) == (status, code)
    if status == 405:
        assert got.headers["allow"] in {"POST", "DELETE, GET, HEAD", "GET, HEAD"}


@pytest.mark.parametrize("path", ["/livez", "/v1/model", "/v1/nothing"])
def test_head_is_get_without_the_body(client: Client, path: str) -> None:
    head, get = client.call("HEAD", path), client.get(path)
    assert (head.status, head.headers["content-length"]) == (get.status, str(len(get.body)))
    assert head.body == b""


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_another_content_type_is_refused(client: Client, kind: str) -> None:
    got = client.post("/v1/score", one(), headers={"content-type": kind})
    assert (got.status, got.json["error"]["code"]) == (415, "unsupported_content_type")


def test_json_with_a_charset_is_json_and_compressed_json_is_not(client: Client) -> None:
    assert client.post("/v1/score", one(), headers={"content-type": "Application/JSON; charset=utf-8"}).status == 200
    got = client.post("/v1/score", one(), headers={"content-encoding": "gzip"})
    assert (got.status, got.json["error"]["code"]) == (415, "unsupported_content_encoding")


@pytest.mark.parametrize("path", ["/v1/score", "/v1/events"])
def test_the_body_limit_holds_for_announced_and_for_chunked_bodies(client: Client, path: str) -> None:
    announced = client.post(path, b" " * 100_001)
    chunked = client.post(path, None, chunks=[b" " * 30_000] * 4)
    endless = client.post(path, None, chunks=[b" " * 100_000] * 50)
    for got in (announced, chunked, endless):
        assert (got.status, got.json["error"]["code"]) == (413, "body_too_large")
    huge = client.post(path, b"", headers={"content-length": "10000000000"})
    assert huge.status == 413


def test_a_chunked_body_within_the_limit_is_read_whole(client: Client) -> None:
    raw = b'{"customers":[{"customer_id":"chunked"}]}'
    got = client.post("/v1/score", None, chunks=[raw[:10], raw[10:11], b"", raw[11:]])
    assert got.json["results"][0]["customer_id"] == "chunked"


def test_a_plain_request_id_is_kept_and_another_is_not(client: Client) -> None:
    assert client.get("/livez", headers={"x-request-id": "order-7.a"}).headers["x-request-id"] == "order-7.a"
    assert client.get("/livez", headers={"x-request-id": "a b\n"}).headers["x-request-id"] != "a b\n"


def test_something_unforeseen_is_a_500_of_the_same_shape_logged_without_data(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(request: Request) -> Answer:
        raise RuntimeError(f"secret of {request.body!r}")

    table = Handlers(lambda: client.runtime, lambda: "").table()
    app = Api({**table, "score": broken})
    app.admit(client.runtime)
    got = Client(app, client.runtime).post("/v1/score", one())
    assert (got.status, got.json["error"]["code"]) == (500, "internal_error")
    assert got.json["error"]["request_id"] in caplog.text
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text + got.body.decode()


def test_before_the_runtime_is_open_only_health_and_the_document_answer(client: Client) -> None:
    app = Api(Handlers(lambda: None, lambda: "").table())
    early = Client(app, client.runtime)
    assert early.get("/livez").status == 200
    assert early.get("/readyz").json == {"status": "starting", "reason": "the service is starting"}
    assert early.post("/v1/score", one()).status == 503
    assert early.get("/v1/openapi.json").status == 200
    failed = Client(Api(Handlers(lambda: None, lambda: "the store is gone").table()), client.runtime).get("/readyz")
    assert (failed.status, failed.json) == (503, {"status": "failed", "reason": "the store is gone"})


def test_nothing_above_was_counted_as_an_unexpected_error(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        for _, body, *_ in INVALID:
            client.post("/v1/score", body)
        client.store("a", purchase(1))
        text = client.get("/metrics").body.decode()
    assert "ebbtide_unexpected_errors_total{" not in text
    assert f'ebbtide_requests_total{{route="/v1/score",status="4xx"}} {len(INVALID)}' in text

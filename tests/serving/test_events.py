"""POST /v1/events: accepted, duplicate or rejected, durable, and never lost on the way to the log."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from features.event_log import EventLog
from tests.serving.builders import LOW, NOW, days_ago, make_home, purchase, serving


def live(customer_id: str = "a", days: float = 1, **columns: object) -> dict[str, object]:
    return {"customer_id": customer_id, **purchase(days), **columns}


def test_each_event_is_judged_alone_and_the_rejected_are_kept(tmp_path: Path) -> None:
    bad = {"customer_id": 7, "event_type": "purchase", "amont": 1}
    with serving(make_home(tmp_path)) as client:
        got = client.post("/v1/events", {"events": [live(event_id="e1"), bad, live(event_id="e1"), "x"]})
        assert client.score("a")[0]["scores"]["churn"]["probability"] == LOW
        text = client.get("/metrics").body.decode()
    answer = got.json
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (1, 1, 2)
    assert [(r["index"], r["status"]) for r in answer["results"]] == [
        (0, "accepted"),
        (1, "rejected"),
        (2, "duplicate"),
        (3, "rejected"),
    ]
    reason = answer["results"][1]["reason"]
    assert "customer_id: the number 7, expected text" in reason
    assert "event_time: nothing, expected this key" in reason
    assert "amont: an unknown key, expected no such key; did you mean 'amount'?" in reason
    kept = [json.loads(line) for line in (tmp_path / "log/live_quarantine/2026-03-01.jsonl").read_text().splitlines()]
    assert [(k["index"], json.loads(k["row"])) for k in kept] == [(1, bad), (3, "x")]
    assert kept[0]["reason"] == reason
    assert kept[0]["request_id"] == got.headers["x-request-id"]
    assert 'ebbtide_events_total{result="rejected"} 2\n' in text


def test_the_same_request_again_is_all_duplicates_even_without_ids(tmp_path: Path) -> None:
    lines = [live(order_id="7", amount=2.5), live(order_id="7", amount=2.5), live(order_id="7", amount=4)]
    with serving(make_home(tmp_path)) as client:
        first = client.post("/v1/events", {"events": lines}).json
        again = client.post("/v1/events", {"events": lines}).json
        spool, _ = client.runtime.store.spool_read(10)
    assert (first["accepted"], again["accepted"], again["duplicates"]) == (3, 0, 3)
    ids = [result["event_id"] for result in first["results"]]
    assert len(set(ids)) == 3
    assert [result["event_id"] for result in again["results"]] == ids
    assert [row["event_id"] for row in spool] == ids


@pytest.mark.parametrize(
    ("event_time", "status", "reason"),
    [
        ((NOW + timedelta(minutes=5)).isoformat(), "accepted", ""),
        ((NOW + timedelta(minutes=5, seconds=1)).isoformat(), "rejected", "which has not come yet"),
        ("2026-03-01T13:05:00", "accepted", ""),  # local: 12:05 UTC
        ("2026-03-01T13:05:01", "rejected", "which has not come yet"),
        ("2026-02-28", "rejected", "without a time"),
        ("1969-12-31T23:59:59Z", "rejected", "since 1970"),
        ("28.02.2026 10:00", "rejected", "ISO 8601"),
    ],
)
def test_event_times(tmp_path: Path, event_time: str, status: str, reason: str) -> None:
    with serving(make_home(tmp_path)) as client:
        result = client.post("/v1/events", {"events": [live(event_time=event_time)]}).json["results"][0]
    assert result["status"] == status
    assert reason in result.get("reason", "")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "events"),
        ({"events": []}, "events"),
        ({"events": [{}] * 1001}, "events"),
        ({"events": {"customer_id": "a"}}, "events"),
        ({"events": [live()], "dry_run": True}, "dry_run"),
        ([live()], ""),
    ],
)
def test_a_fault_of_the_envelope_stores_nothing(tmp_path: Path, body: object, path: str) -> None:
    with serving(make_home(tmp_path)) as client:
        got = client.post("/v1/events", body)
        assert client.runtime.store.sizes() == (0, 0)
    assert (got.status, list(got.problems)) == (422, [path])


@pytest.mark.parametrize(
    "raw",
    [b'{"customer_id":"\xff\xfe"}', b"[" * 900 + b"]" * 900, b'{"a":\n1}', b"1e999"],
    ids=str,
)
def test_an_event_that_cannot_even_be_read_is_rejected_alone(tmp_path: Path, raw: bytes) -> None:
    with serving(make_home(tmp_path)) as client:
        got = client.post("/v1/events", b'{"events":[' + json.dumps(live()).encode() + b"," + raw + b"]}")
    assert [result["status"] for result in got.json["results"]] == ["accepted", "rejected"]
    assert len((tmp_path / "log/live_quarantine/2026-03-01.jsonl").read_text().splitlines()) == 1


def test_what_was_accepted_survives_and_reaches_the_log_once(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(2, order_id="1", amount=9.99, item_id="tea", page=""), purchase(1, quantity=2))
        assert client.post("/v1/events", {"events": ["rejected"]}).json["rejected"] == 1
    log = EventLog(tmp_path / "log")
    with serving(tmp_path) as client:  # as after a restart
        store = client.runtime.store
        rows, position = store.spool_read(1)
        assert store.spool_drop(position) == 1
        rest, position = store.spool_read(10)
        report = log.append_events([*rows, *rest], now=NOW)
        assert (report.accepted, report.quarantined) == (2, {})
        assert log.append_events([*rows, *rest], now=NOW).accepted == 0
        assert (store.spool_drop(position), store.sizes()) == (1, (1, 0))
    assert len((tmp_path / "log/live_quarantine/2026-03-01.jsonl").read_text().splitlines()) == 1  # the load let it be
    assert rows[0]["event_time"] == NOW - timedelta(days=2)
    assert rows[0]["received_at"] == NOW
    assert {k: v for k, v in rows[0].items() if k not in {"event_id", "event_time", "received_at"}} == {
        "customer_id": "a",
        "event_type": "purchase",
        "order_id": "1",
        "amount": 9.99,
        "item_id": "tea",
    }


def test_a_corrected_event_is_accepted_and_counts(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(40, event_id="e"))
        later = NOW + timedelta(minutes=1)
        object.__setattr__(client.runtime, "now", lambda: later)
        answer = client.post("/v1/events", {"events": [live(days=10, event_id="e")]}).json
        score = client.score("a")[0]["scores"]["churn"]
    assert answer["accepted"] == 1
    assert score["probability"] == LOW


def test_a_full_disk_is_a_503_and_nothing_is_acknowledged(tmp_path: Path) -> None:
    (make_home(tmp_path) / "log").mkdir()
    (tmp_path / "log" / "live_quarantine").write_text("a file where a folder belongs")
    with serving(tmp_path) as client:
        got = client.post("/v1/events", {"events": [live(), {"customer_id": "b", "event_time": days_ago(1)}]})
        assert client.runtime.store.sizes() == (0, 0)
    assert (got.status, got.json["error"]["code"]) == (503, "store_unavailable")

"""The routes beside scoring: a customer's page, deletion, the model, health, metrics."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.serving.builders import CHURN, HIGH, WINBACK, Client, days_ago, make_home, purchase, serving


def test_a_customers_page(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(70, amount=3, order_id="1"), purchase(40, amount=5.5, order_id="2"))
        page = client.get("/v1/customers/a").json
    assert (page["customer_id"], page["status"], page["cutoff"]) == ("a", "scored", "2026-03-01T12:00:00Z")
    assert page["scores"]["churn"]["probability"] == HIGH
    assert page["scores"]["churn"]["reasons"][0]["code"] == "RECENCY_PURCHASE"
    assert page["key_features"] == {"churn": [{"name": "days_since_last_purchase", "value": 40.0}]}
    assert page["last_events"] == [
        {"event_time": "2026-01-20T12:00:00Z", "event_type": "purchase", "amount": 5.5},
        {"event_time": "2025-12-21T12:00:00Z", "event_type": "purchase", "amount": 3.0},
    ]


@pytest.mark.parametrize("customer_id", ["a/b", "ü", "a b", "%", "x" * 2_000, "..", "DROP TABLE", "\x00"])
def test_any_text_is_an_id(tmp_path: Path, customer_id: str) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store(customer_id, purchase(40))
        assert client.get("/v1/customers/" + unquote(customer_id)).json["customer_id"] == customer_id
        assert client.score(customer_id)[0]["scores"]["churn"]["probability"] == HIGH


def test_deleting_forgets_the_customer_here_and_their_spooled_events_and_nobody_else(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(1), purchase(2))
        client.store("b", purchase(1))
        gone = client.call("DELETE", "/v1/customers/a").json
        again = client.call("DELETE", "/v1/customers/a").json
        spool, _ = client.runtime.store.spool_read(10)
        assert client.score("a", "b")[0]["status"] == "unknown_customer"
    assert gone == {"customer_id": "a", "deleted": True, "spooled_events_dropped": 2}
    assert again == {"customer_id": "a", "deleted": False, "spooled_events_dropped": 0}
    assert [row["customer_id"] for row in spool] == ["b"]


def test_the_model_page(tmp_path: Path) -> None:
    with serving(make_home(tmp_path, CHURN, WINBACK), targets=("churn", "winback", "value"), currency="EUR") as client:
        client.runtime.store.mark_filled({"log_version": "3"})
        client.store("a", purchase(1))
        page = client.get("/v1/model").json
    churn = page["models"][0]
    assert [model["target"] for model in page["models"]] == ["churn", "winback"]
    assert (churn["kind"], churn["version"], churn["features"], churn["quality"]) == (
        "churn",
        "1",
        3,
        {"auc": 0.75, "rows": 400},
    )
    assert churn["definition"]["active_within_days"] == 60
    assert (len(churn["checksum"]), len(churn["fingerprint"])) == (64, 64)
    assert churn["loaded_at"] == "2026-03-01T12:00:00Z"
    assert (page["without_champion"], page["refused"]) == (["value"], [])
    assert page["store"] == {"customers": 1, "spooled_events": 1, "filled": {"log_version": "3"}}
    assert (page["timezone"], page["currency"]) == ("Europe/Berlin", "EUR")


def test_health(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        assert client.get("/livez").json == {"status": "alive"}
        assert client.get("/readyz").json == {"status": "ready"}


def test_without_a_champion_it_lives_takes_events_and_is_not_ready(tmp_path: Path) -> None:
    with serving(tmp_path) as client:
        ready = client.get("/readyz")
        score = client.post("/v1/score", {"customers": [{"customer_id": "a"}]})
        client.store("a", purchase(1))
        assert client.get("/livez").status == 200
        assert client.get("/v1/model").json["models"] == []
    assert (ready.status, ready.json["status"]) == (503, "not_ready")
    assert "ebbtide retrain" in ready.json["reason"]
    assert (score.status, score.json["error"]["code"]) == (503, "not_ready")


def test_keys_close_everything_but_health_and_the_document(tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("# for the shop\nfirst-key-of-the-shop\nsecond-key-of-the-shop\n")
    with serving(make_home(tmp_path), keys_file=str(keys)) as client:
        for path in ("/livez", "/readyz", "/v1/openapi.json"):
            assert client.get(path).status == 200
        for path in ("/v1/model", "/v1/customers/a", "/metrics"):
            got = client.get(path)
            assert (got.status, got.json["error"]["code"]) == (401, "no_key")
            assert got.headers["www-authenticate"] == "Bearer"
        for key, status in (("second-key-of-the-shop", 200), ("second-key-of-the-sho", 401), ("", 401)):
            assert _model(client, f"Bearer {key}") == status
        assert _model(client, "Basic first-key-of-the-shop") == 401


def _model(client: Client, authorization: str) -> int:
    return client.get("/v1/model", headers={"authorization": authorization}).status


def test_metrics_count_by_route_status_and_target(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(40))
        client.score("a", "nobody")
        client.get("/v1/customers/a")
        client.get("/v1/customers/" + days_ago(1))
        client.get("/nowhere/" + days_ago(1))
        lines = client.get("/metrics").body.decode().splitlines()
    assert 'ebbtide_scores_total{target="churn",status="scored"} 2' in lines
    assert 'ebbtide_scores_total{target="churn",status="unknown_customer"} 1' in lines
    assert 'ebbtide_requests_total{route="/v1/customers/{customer_id}",status="2xx"} 1' in lines
    assert 'ebbtide_requests_total{route="unmatched",status="4xx"} 1' in lines
    assert 'ebbtide_request_seconds_count{route="/v1/score"} 1' in lines
    assert "ebbtide_ready 1" in lines
    assert "ebbtide_store_customers 1" in lines
    assert any(line.startswith('ebbtide_model_info{target="churn",version="1"') for line in lines)
    assert not any(days_ago(1)[:10] in line for line in lines)  # no caller makes up a label

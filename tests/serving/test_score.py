"""POST /v1/score: the right numbers and sentences for every kind of customer."""

from __future__ import annotations

from pathlib import Path

import lmdb
import pytest

from tests.serving.builders import (
    CHURN,
    HIGH,
    LOW,
    NOW,
    WINBACK,
    days_ago,
    make_home,
    promote,
    purchase,
    serving,
    value_bundle,
)


def test_a_stored_customer_gets_the_models_probability_percentile_and_band(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("new", purchase(10))
        client.store("quiet", purchase(40))
        new, quiet = client.score("new", "quiet")
    assert (new["customer_id"], new["status"], new["cutoff"]) == ("new", "scored", "2026-03-01T12:00:00Z")
    score = new["scores"]["churn"]
    # of the reference scores 0.1, 0.2, 0.2, 0.9 three of four are below 0.269 and 0.881 alike
    assert (score["status"], score["probability"], score["percentile"], score["band"]) == ("scored", LOW, 75.0, "low")
    assert score["model_version"] == "1"
    assert len(score["fingerprint"]) == 64
    assert "reasons" not in score
    assert (quiet["scores"]["churn"]["probability"], quiet["scores"]["churn"]["band"]) == (HIGH, "high")


def test_one_customer_and_a_thousand_get_the_same_bits(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(3), purchase(33))
        alone = client.score("a")[0]
        among = client.score(*(f"nobody-{i}" for i in range(999)), "a")
    assert among[999] == alone
    assert {result["status"] for result in among[:999]} == {"unknown_customer"}


def test_statuses_are_per_target_and_say_why(tmp_path: Path) -> None:
    with serving(make_home(tmp_path, CHURN, WINBACK)) as client:
        client.store("gone", purchase(143.2))
        client.store("here", purchase(5))
        client.store("looked", {"event_type": "view", "event_time": days_ago(1)})
        gone, here, looked, nobody = client.score("gone", "here", "looked", "nobody")
    assert gone["status"] == here["status"] == "scored"
    assert gone["scores"]["churn"]["status"] == "not_eligible"
    assert gone["scores"]["churn"]["detail"] == "last purchase 143 days ago; churn is scored within 60"
    assert gone["scores"]["churn"]["probability"] is None
    assert gone["scores"]["churn"]["band"] is None
    assert gone["scores"]["winback"]["probability"] == HIGH
    assert here["scores"]["winback"]["status"] == "not_eligible"
    assert looked["status"] == "not_eligible"
    assert looked["scores"]["churn"]["detail"].startswith("no purchase yet")
    assert nobody["status"] == "unknown_customer"
    assert nobody["scores"]["churn"] == {
        "status": "unknown_customer",
        "detail": "no event of this customer is stored",
        "probability": None,
        "percentile": None,
        "band": None,
        "model_version": "1",
        "fingerprint": gone["scores"]["churn"]["fingerprint"],
    }


def test_fresh_events_count_for_this_answer_and_are_not_stored(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(40))
        fresh = client.score({"customer_id": "a", "events": [purchase(1)]})[0]
        after = client.score("a")[0]
        first_seen = client.score({"customer_id": "new", "events": [purchase(1)]})[0]
    assert (fresh["scores"]["churn"]["probability"], after["scores"]["churn"]["probability"]) == (LOW, HIGH)
    assert first_seen["scores"]["churn"]["probability"] == LOW


def test_a_full_history_replaces_what_is_stored(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(1))
        own = client.score({"customer_id": "a", "history": [purchase(40)]}, {"customer_id": "b", "history": []})
    assert own[0]["scores"]["churn"]["probability"] == HIGH
    assert own[1]["status"] == "unknown_customer"


def test_a_full_history_is_scored_while_the_store_is_down(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.runtime.store.close()
        answer = client.score({"customer_id": "a", "history": [purchase(40)]})[0]
        by_id = client.post("/v1/score", {"customers": [{"customer_id": "a"}]})
        ready = client.get("/readyz")
    assert answer["scores"]["churn"]["probability"] == HIGH
    assert (by_id.status, by_id.json["error"]["code"]) == (503, "store_unavailable")
    assert ready.status == 503


def test_an_event_at_or_after_the_cutoff_is_not_seen(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(40), purchase(2))
        at_event = client.score("a", cutoff=days_ago(2))[0]
        after = client.score("a", cutoff=days_ago(1.9))[0]
    assert at_event["scores"]["churn"]["probability"] == HIGH  # 38 days since the one before
    assert after["scores"]["churn"]["probability"] == LOW


def test_a_cutoff_without_an_offset_is_local(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(40))
        assert client.score("a", cutoff="2026-02-27")[0]["cutoff"] == "2026-02-26T23:00:00Z"  # Berlin's midnight


def test_a_cutoff_before_the_state_is_refused_and_says_from_when(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(600), purchase(1))  # compaction keeps 430 days before the newest event
        client.store("b", purchase(1))
        client.store("c", purchase(600), purchase(1))
        for customer_id in ("a", "c"):
            state = client.runtime.store.get(customer_id)
            assert state is not None
            client.runtime.store.put_many([(customer_id, state.compact())])
        got = client.post("/v1/score", {"customers": [{"customer_id": c} for c in "bac"], "cutoff": days_ago(300)})
        now = client.score("a")[0]
    assert (got.status, got.json["error"]["code"]) == (422, "cutoff_before_state")
    assert list(got.problems) == ["customers[1]", "customers[2]"]
    assert "2026-01-29T12:00:00Z or later" in got.problems["customers[1]"][1]  # 1 + 430 - 400 days ago
    assert now["scores"]["churn"]["probability"] == LOW


def test_reasons_come_only_when_asked_for_and_carry_the_customers_numbers(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(43))
        reasons = client.score("a", reasons=3)[0]["scores"]["churn"]["reasons"]
    assert [(r["code"], r["sentence"], r["direction"]) for r in reasons] == [
        ("RECENCY_PURCHASE", "No purchase for 43 days", "raises")
    ]


def test_a_value_target_gives_an_expected_value_and_no_probability(tmp_path: Path) -> None:
    promote(make_home(tmp_path), value_bundle())
    with serving(tmp_path) as client:
        client.store("a", purchase(1))
        scores = client.score("a")[0]["scores"]
        only = client.score("a", targets=["value"])[0]["scores"]
    assert (scores["value"]["expected_value"], scores["value"]["probability"]) == (17.5, None)
    assert "expected_value" not in scores["churn"]
    assert list(only) == ["value"]


def test_a_customer_whose_old_event_came_late_is_stale_but_scored(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(600), purchase(1))
        state = client.runtime.store.get("a")
        assert state is not None
        client.runtime.store.put_many([("a", state.compact())])
        client.store("a", purchase(550))
        answer = client.score("a")[0]
    assert answer["status"] == "stale"
    assert answer["scores"]["churn"]["probability"] == LOW
    assert "ebbtide ingest" in answer["scores"]["churn"]["detail"]


def test_a_damaged_state_is_stale_without_a_number_and_harms_nobody_else(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(1))
        client.store("b", purchase(1))
    _damage(tmp_path / "state", "a")
    with serving(tmp_path) as client:
        a, b = client.score("a", "b")
        client.store("a", purchase(0.5))  # accepted: the log will have it
        page = client.get("/v1/customers/a")
        text = client.get("/metrics").body.decode()
    assert (a["status"], a["scores"]["churn"]["probability"]) == ("stale", None)
    assert "damaged" in a["scores"]["churn"]["detail"]
    assert b["scores"]["churn"]["probability"] == LOW
    assert (page.status, page.json["status"], page.json["last_events"]) == (200, "stale", [])
    assert "ebbtide_damaged_states_total 1\n" in text


def test_two_targets_of_one_fingerprint_share_one_vector(tmp_path: Path) -> None:
    with serving(make_home(tmp_path, CHURN, WINBACK)) as client:
        champions = client.runtime.champions
    assert [len(group.models) for group in champions.groups] == [2]


def test_the_default_cutoff_is_now(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(-0.003))  # 4 minutes ahead: accepted, not seen yet
        assert client.score("a")[0]["status"] == "not_eligible"
    assert NOW.isoformat() == "2026-03-01T12:00:00+00:00"


def _damage(folder: Path, customer_id: str) -> None:
    with lmdb.open(str(folder), max_dbs=4, map_size=2**30) as env:
        states = env.open_db(b"states")
        with env.begin(write=True, db=states) as txn:
            for key, value in txn.cursor():
                if value[4 : 4 + len(customer_id)] == customer_id.encode():
                    txn.put(key, value[:-3] + b"\x00\x01\x02")
                    return
    pytest.fail("no such customer")

"""The whole loop on a small shop: the real command line, the real service, numbers worked out from the raw orders."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from serving.launch import free_port
from tests.pipelines.builders import Order, day, random_orders, write_config, write_orders

CUSTOMERS, DAYS = 700, 230
ACTIVE, HORIZON = 28, 14
CUTOFF_DAY = 224
CUTOFF = f"{day(CUTOFF_DAY):%Y-%m-%d}"
TEST_DAY = CUTOFF_DAY - HORIZON
EXTRA = """
[targets.spend]
kind = "value"
active_within_days = 28
horizon_days = 14
"""


def ebbtide(folder: Path, *arguments: str, exit_code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the installed command where a user would stand."""
    command = [str(Path(sys.executable).with_name("ebbtide")), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == exit_code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def as_json(folder: Path, *arguments: str, exit_code: int = 0) -> Any:
    return json.loads(ebbtide(folder, *arguments, "--json", exit_code=exit_code).stdout)


def post(url: str, body: object) -> Any:
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def eligible(orders: list[Order], at: float) -> set[str]:
    return {customer for customer, when, _ in orders if at - ACTIVE <= when < at}


def buyers(orders: list[Order], start: float, end: float) -> set[str]:
    return {customer for customer, when, _ in orders if start <= when < end}


@pytest.fixture(scope="module")
def orders() -> list[Order]:
    return random_orders(CUSTOMERS, DAYS)


@pytest.fixture(scope="module")
def project(orders: list[Order], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with everything but the service: ingested and trained at the cutoff."""
    folder = tmp_path_factory.mktemp("shop")
    write_orders(folder, orders)
    write_config(folder, extra=EXTRA)
    (folder / "features").mkdir()  # where the user stands, a folder of this name must not shadow ours
    (folder / "features" / "__init__.py").write_text("raise RuntimeError('the wrong features')")
    report = as_json(folder, "ingest")
    assert report["rows"] == len(orders)
    assert report["customers"] == len({customer for customer, _, _ in orders})
    assert report["blocks"][0]["accepted"] == len(orders)
    return folder


@pytest.fixture(scope="module")
def trained(project: Path) -> dict[str, Any]:
    report = as_json(project, "retrain", "--cutoff", CUTOFF)
    assert report["failed"] == {}
    return {outcome["target"]: outcome for outcome in report["targets"]}


@pytest.fixture(scope="module")
def scores(project: Path, trained: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    assert trained
    ebbtide(project, "score", "--cutoff", CUTOFF, "--out", "scores.parquet")
    table = pq.read_table(project / "scores.parquet")
    expected = [
        "customer_id",
        "target",
        "probability",
        "percentile",
        "band",
        "model_version",
        "cutoff",
        "expected_value",
    ]
    assert table.column_names == expected
    return {(row["customer_id"], row["target"]): row for row in table.to_pylist()}


@pytest.fixture(scope="module")
def service(project: Path, trained: dict[str, Any]) -> Iterator[str]:
    assert trained
    port = free_port()
    command = [str(Path(sys.executable).with_name("ebbtide")), "serve", "--port", str(port)]
    with (project / "serve.log").open("w") as log:
        process = subprocess.Popen(command, cwd=project, stdout=log, stderr=log, start_new_session=True)
        url = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + 90
            while True:
                assert process.poll() is None, (project / "serve.log").read_text()
                assert time.monotonic() < deadline, (project / "serve.log").read_text()
                try:
                    with urllib.request.urlopen(f"{url}/readyz", timeout=2):
                        break
                except OSError:
                    time.sleep(0.2)
            yield url
        finally:
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(30) == 0


def test_a_second_ingest_adds_nothing(project: Path, orders: list[Order]) -> None:
    report = as_json(project, "ingest")
    live = as_json(project, "ingest")["rows"] - len(orders)
    assert live in {0, 1}  # tests run in any order, and another one sends a live event
    assert report["rows"] == len(orders) + live
    assert report["blocks"][0]["accepted"] == 0
    assert report["blocks"][0]["duplicates"] == len(orders)


def test_check_says_ready(project: Path) -> None:
    report = as_json(project, "check", "--cutoff", CUTOFF)
    assert report["ok"] is True
    assert all(set(row) >= {"what", "found", "needed", "ok", "remedy"} for row in report["rows"])


def test_the_panel_and_its_labels_are_those_of_the_raw_orders(trained: dict[str, Any], orders: list[Order]) -> None:
    churn = trained["churn"]
    who = eligible(orders, TEST_DAY)
    gone = who - buyers(orders, TEST_DAY, TEST_DAY + HORIZON)
    assert churn["test_cutoff"].startswith(f"{day(TEST_DAY):%Y-%m-%d}")
    assert churn["test_rows"] == len(who)
    assert churn["base_rate"] == len(gone) / len(who)
    warm_up = ACTIVE + min(when for _, when, _ in orders)
    cutoffs = [TEST_DAY - 7 * back for back in range(60) if TEST_DAY - 7 * back >= warm_up]
    assert churn["cutoffs"] == len(cutoffs)
    assert churn["rows"] == sum(len(eligible(orders, at)) for at in cutoffs)
    spent = [
        sum(amount for one, when, amount in orders if one == customer and TEST_DAY <= when < TEST_DAY + HORIZON)
        for customer in who
    ]
    assert trained["spend"]["base_rate"] == pytest.approx(sum(spent) / len(who), abs=1e-9)


def test_the_model_beats_the_prior(trained: dict[str, Any]) -> None:
    metrics = trained["churn"]["metrics"]
    assert metrics["LightGBM"]["log_loss"] < metrics["prior"]["log_loss"]
    assert metrics["LightGBM"]["auc"] > 0.6
    assert metrics["prior"]["auc"] == 0.5
    assert set(metrics) == {"LightGBM", "prior", "silence rule", "logistic RFM"}  # found in the catalogue by name
    assert set(trained["spend"]["metrics"]) == {
        "LightGBM",
        "mean spend",
        "spend of the last 28 days",
    }  # the shortest sum
    assert trained["churn"]["outcome"] == "promoted"


def test_every_eligible_customer_is_scored_and_no_other(
    scores: dict[tuple[str, str], dict[str, Any]], orders: list[Order]
) -> None:
    who = eligible(orders, CUTOFF_DAY)
    assert {customer for customer, target in scores if target == "churn"} == who
    for row in scores.values():
        assert (row["probability"] is None) == (row["target"] == "spend")
        assert (row["expected_value"] is None) == (row["target"] == "churn")


def test_training_again_changes_nothing(project: Path, trained: dict[str, Any]) -> None:
    again = as_json(project, "retrain", "--cutoff", CUTOFF, "--target", "churn")
    assert [outcome["outcome"] for outcome in again["targets"]] == ["unchanged"]
    versions = as_json(project, "models", "list", "churn")["models"]
    assert [version["version"] for version in versions] == [trained["churn"]["version"]]
    assert "champion" in versions[0]["aliases"]


def test_api_batch_and_pyfunc_give_the_same_bits(
    project: Path, service: str, scores: dict[tuple[str, str], dict[str, Any]], orders: list[Order]
) -> None:
    ids = sorted({customer for customer, _ in scores})
    answer = post(
        f"{service}/v1/score",
        {"customers": [{"customer_id": customer} for customer in ids], "cutoff": f"{CUTOFF}T00:00:00Z", "reasons": 2},
    )
    assert [result["customer_id"] for result in answer["results"]] == ids
    for result in answer["results"]:
        churn = result["scores"]["churn"]
        assert churn["status"] == "scored"
        assert churn["probability"] == scores[result["customer_id"], "churn"]["probability"]
        assert churn["band"] == scores[result["customer_id"], "churn"]["band"]
        assert churn["percentile"] == scores[result["customer_id"], "churn"]["percentile"]
        assert len(churn["reasons"]) <= 2
    single = post(f"{service}/v1/score", {"customers": [{"customer_id": ids[0]}], "cutoff": f"{CUTOFF}T00:00:00Z"})
    assert single["results"][0]["scores"]["churn"]["probability"] == scores[ids[0], "churn"]["probability"]
    ebbtide(project, "build", "--cutoff", CUTOFF, "--out", "features.parquet")
    pyfunc = subprocess.run(
        [sys.executable, "-c", _PYFUNC, str(project)], capture_output=True, text=True, timeout=120, check=False, cwd="/"
    )
    assert pyfunc.returncode == 0, pyfunc.stderr
    loaded = json.loads(pyfunc.stdout.splitlines()[-1])
    assert {customer: loaded[customer] for customer in ids} == {
        customer: scores[customer, "churn"]["probability"] for customer in ids
    }
    assert set(loaded) >= eligible(orders, CUTOFF_DAY)


_PYFUNC = """
import json, os, sys
os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"
import mlflow, pandas as pd
home = sys.argv[1]
mlflow.set_tracking_uri(f"sqlite:///{home}/mlruns/mlflow.db")
model = mlflow.pyfunc.load_model("models:/churn@champion")
frame = pd.read_parquet(f"{home}/features.parquet").set_index("customer_id")
print(json.dumps(dict(zip(frame.index, model.predict(frame).tolist()))))
"""


def test_a_live_event_changes_the_score_now_and_the_log_later(project: Path, service: str, orders: list[Order]) -> None:
    now = day(CUTOFF_DAY)
    event = {
        "customer_id": "newcomer",
        "event_type": "purchase",
        "event_time": now.isoformat(),
        "amount": 12.5,
        "order_id": "live-1",
    }
    question = {"customers": [{"customer_id": "newcomer"}], "cutoff": day(CUTOFF_DAY + 1).isoformat()}
    before = post(f"{service}/v1/score", question)["results"][0]
    assert before["status"] == "unknown_customer"
    (accepted,) = post(f"{service}/v1/events", {"events": [event]})["results"]
    assert accepted["status"] == "accepted"
    (again,) = post(f"{service}/v1/events", {"events": [event]})["results"]
    assert again["status"] == "duplicate"
    after = post(f"{service}/v1/score", question)["results"][0]
    assert after["status"] == "scored"
    report = as_json(project, "ingest")
    assert report["rows"] == len(orders) + 1
    assert report["blocks"][-1] == {
        "block": "live",
        "read": 1,
        "accepted": 1,
        "duplicates": 0,
        "corrections": 0,
        "quarantined": {},
    }
    kept = post(f"{service}/v1/score", question)["results"][0]
    assert kept["scores"]["churn"]["probability"] == after["scores"]["churn"]["probability"]


def test_export_lists_the_high_band(project: Path, scores: dict[tuple[str, str], dict[str, Any]]) -> None:
    report = as_json(project, "export", "--cutoff", CUTOFF)
    high = {customer for (customer, target), row in scores.items() if target == "churn" and row["band"] == "high"}
    with Path(report["csv"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert report["exported"] == len(rows) == len(high) > 0
    assert {row["customer_id"] for row in rows} == high
    money = [float(row["value_at_risk"]) for row in rows]
    assert money == sorted(money, reverse=True)
    for row in rows:
        assert float(row["probability"]) == scores[row["customer_id"], "churn"]["probability"]
        assert row["reason_1_text"]
        assert "nan" not in row["reason_1_text"]
    first = Path(report["csv"]).read_bytes()
    assert Path(as_json(project, "export", "--cutoff", CUTOFF)["csv"]).read_bytes() == first


def test_value_at_risk_is_the_customers_own_spend(
    project: Path, scores: dict[tuple[str, str], dict[str, Any]], orders: list[Order]
) -> None:
    report = as_json(project, "export", "--cutoff", CUTOFF)
    row = pq.read_table(report["parquet"]).to_pylist()[0]
    spent = sum(
        amount
        for customer, when, amount in orders
        if customer == row["customer_id"] and CUTOFF_DAY - ACTIVE <= when < CUTOFF_DAY
    )
    expected = scores[row["customer_id"], "churn"]["probability"] * spent * HORIZON / ACTIVE
    assert row["value_at_risk"] == pytest.approx(expected, abs=0.006)


def test_monitor_judges_the_scores(project: Path, trained: dict[str, Any]) -> None:
    assert trained
    done = ebbtide(project, "monitor", "--cutoff", CUTOFF, "--target", "churn", "--json")
    verdict = json.loads(done.stdout)["targets"]["churn"]
    assert verdict["kind"] == "no_drift"
    page = Path(verdict["page"])
    assert page.exists()
    assert (page.parent / "evidently.html").exists()
    assert (page.parent / "evidently.json").exists()

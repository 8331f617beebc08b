"""The prediction log: readable at any moment, at most a second behind, never in the way."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from serving import prediction_log
from serving.prediction_log import COLUMNS, Prediction, PredictionLog
from tests.serving.builders import LOW, NOW, days_ago, make_home, promote, purchase, serving, value_bundle


def row(customer_id: str = "a") -> Prediction:
    return Prediction(
        logged_at=1_000_000,
        request_id="r",
        customer_id=customer_id,
        target="churn",
        status="scored",
        probability=0.5,
        expected_value=None,
        percentile=50.0,
        band="low",
        model_version="1",
        fingerprint="f",
        cutoff=2_000_000,
        route="/v1/score",
    )


def rows_in(folder: Path) -> int:
    return sum(pq.read_metadata(file).num_rows for file in folder.rglob("*.parquet"))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_served_score_is_logged_with_what_was_answered(tmp_path: Path) -> None:
    promote(make_home(tmp_path), value_bundle())
    with serving(tmp_path) as client:
        client.store("a", purchase(10))
        client.score("a", "nobody", cutoff=days_ago(1))
        client.get("/v1/customers/a", headers={"x-request-id": "page"})
    files = list((tmp_path / "predictions" / "date=2026-03-01").glob("*.parquet"))
    assert len(files) == 1
    table = pq.ParquetFile(files[0]).read()
    assert table.column_names == list(COLUMNS)
    logged = table.to_pylist()
    churn = next(r for r in logged if r["route"] == "/v1/score" and r["customer_id"] == "a" and r["target"] == "churn")
    assert (churn["probability"], churn["band"], churn["model_version"]) == (LOW, "low", "1")
    assert (churn["logged_at"], churn["cutoff"]) == (NOW, datetime(2026, 2, 28, 12, tzinfo=UTC))
    value = next(r for r in logged if r["request_id"] == "page" and r["target"] == "value")
    assert (value["expected_value"], value["probability"]) == (17.5, None)
    assert Counter(r["status"] for r in logged) == {"scored": 4, "unknown_customer": 2}


def test_rows_are_on_disk_within_a_second_without_closing(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, "w", lambda name, rows: None, lambda: NOW)  # noqa: ARG005 - counts nothing
    log.start()
    log.append([row()])
    started = time.monotonic()
    until(lambda: rows_in(tmp_path) == 1)
    assert time.monotonic() - started < 2  # a second, and importing pyarrow
    started = time.monotonic()
    log.append([row("b"), row("c")])
    until(lambda: rows_in(tmp_path) == 3)
    assert time.monotonic() - started < 1
    assert len(list(tmp_path.rglob("*"))) == 2  # one folder, one file
    log.close()


def test_a_full_file_is_left_alone_and_the_next_one_begun(tmp_path: Path) -> None:
    written: Counter[str] = Counter()
    log = PredictionLog(tmp_path, "w", lambda name, rows: written.update({name: rows}), lambda: NOW)
    log.start()
    log.append([row(str(i)) for i in range(prediction_log.ROWS_A_FILE)])
    until(lambda: rows_in(tmp_path) == prediction_log.ROWS_A_FILE)
    log.append([row()])
    log.close()
    assert sorted(pq.read_metadata(file).num_rows for file in tmp_path.rglob("*.parquet")) == [
        1,
        prediction_log.ROWS_A_FILE,
    ]
    assert written == {"ebbtide_prediction_log_rows_total": prediction_log.ROWS_A_FILE + 1}


def test_a_file_holds_rows_of_its_own_day_only(tmp_path: Path) -> None:
    clock = [NOW]
    log = PredictionLog(tmp_path, "w", lambda name, rows: None, lambda: clock[0])  # noqa: ARG005 - counts nothing
    log.start()
    log.append([row()])
    until(lambda: rows_in(tmp_path) == 1)
    clock[0] = datetime(2026, 3, 2, 0, 0, 1, tzinfo=UTC)
    log.append([row()])
    log.close()
    assert {file.parent.name: pq.read_metadata(file).num_rows for file in tmp_path.rglob("*.parquet")} == {
        "date=2026-03-01": 1,
        "date=2026-03-02": 1,
    }


def test_clearing_the_folder_while_it_writes_costs_no_later_row(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path / "p", "w", lambda name, rows: None, lambda: NOW)  # noqa: ARG005 - counts nothing
    log.start()
    log.append([row()])
    until(lambda: rows_in(tmp_path) == 1)
    shutil.rmtree(tmp_path / "p")
    log.append([row()])
    log.close()
    assert rows_in(tmp_path) == 2  # the file is written whole each time


def test_rows_that_cannot_be_encoded_are_dropped_and_counted_and_the_next_ones_written(tmp_path: Path) -> None:
    counted: Counter[str] = Counter()
    log = PredictionLog(tmp_path, "w", lambda name, rows: counted.update({name: rows}), lambda: NOW)
    log.start()
    log.append([row("\ud800")])
    until(lambda: counted["ebbtide_prediction_log_dropped_total"] == 1)
    log.append([row()])
    log.close()
    assert rows_in(tmp_path) == 1


def test_what_does_not_fit_the_queue_is_dropped_and_counted(tmp_path: Path) -> None:
    counted: Counter[str] = Counter()
    log = PredictionLog(tmp_path, "w", lambda name, rows: counted.update({name: rows}), lambda: NOW)
    log.append([row()] * prediction_log.QUEUE_ROWS)  # nobody is writing yet
    log.append([row()] * 3)
    assert counted == {"ebbtide_prediction_log_dropped_total": 3}
    log.start()
    log.close()
    assert rows_in(tmp_path) == prediction_log.QUEUE_ROWS


def test_a_disk_that_cannot_be_written_costs_rows_and_never_an_answer(tmp_path: Path) -> None:
    (make_home(tmp_path) / "predictions").write_text("a file where a folder belongs")
    with serving(tmp_path) as client:
        client.store("a", purchase(10))
        assert client.score("a")[0]["scores"]["churn"]["probability"] == LOW
        until(lambda: "ebbtide_prediction_log_dropped_total 1\n" in client.get("/metrics").body.decode())
        assert client.score("a")[0]["scores"]["churn"]["probability"] == LOW


@pytest.mark.parametrize("wanted", [True, False])
def test_it_can_be_left_out(tmp_path: Path, wanted: bool) -> None:
    with serving(make_home(tmp_path), prediction_log=wanted) as client:
        client.score("a")
    assert (tmp_path / "predictions").exists() is wanted

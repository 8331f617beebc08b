"""Every fault is quarantined with its reason, and a load that is too bad is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from features.errors import MappingError, SourceError
from features.event_log import EventLog
from tests.features.log_builders import (
    SEVENTEEN,
    block,
    events,
    ingest,
    quarantine,
    rows,
    utc,
)


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "log")


FAULTS: Mapping[str, tuple[tuple[object, ...], str]] = {
    "customer_id_missing": (("", SEVENTEEN, "1", "purchase", None), "customer_id"),
    "event_time_missing": (("a", None, "1", "purchase", None), "event_time"),
    "event_time_unreadable": (("a", "yesterday", "1", "purchase", None), "event_time"),
    "event_time_out_of_range": (("a", "1969-12-31T23:59:59Z", "1", "purchase", None), "event_time"),
    "event_time_in_future": (("a", "2024-01-01T00:05:01Z", "1", "purchase", None), "event_time"),
    "event_type_missing": (("a", SEVENTEEN, "1", None, None), "event_type"),
    "number_unreadable": (("a", SEVENTEEN, "1,5", "purchase", None), "amount"),
    "number_not_finite": (("a", SEVENTEEN, "inf", "purchase", None), "amount"),
    "number_too_large": (("a", SEVENTEEN, "-1000000000001", "purchase", None), "amount"),
    "received_at_unreadable": (("a", SEVENTEEN, "1", "purchase", "soon"), "received_at"),
}
GOOD = ("good", "2024-01-01T00:05:00Z", "1000000000000", "purchase", None)


@pytest.mark.parametrize("reason", FAULTS)
def test_every_fault_is_quarantined_with_its_reason_and_the_good_row_is_kept(
    log: EventLog, tmp_path: Path, reason: str
) -> None:
    row, column = FAULTS[reason]
    frame = rows(GOOD, row, names="who at paid what got")
    report = ingest(log, frame, block(event_type="what", received_at="got"))
    assert (report.read, report.accepted, dict(report.quarantined)) == (2, 1, {reason: 1})
    assert [found[0] for found in events(log)] == ["good"]
    kept = quarantine(tmp_path / "log", "block, reason, column_name, raw, source, epoch_us(loaded_at)")
    raw = json.loads(str(kept[0][3]))
    assert kept[0][:3] == ("orders", reason, column)
    assert (raw["at"], raw["paid"], kept[0][4], kept[0][5]) == (row[1], row[2], "the data frame", utc("2024-01-01"))
    assert dict(log.snapshot().quarantine_counts()) == {reason: 1}


def test_a_row_with_several_faults_counts_once_and_keeps_them_all(log: EventLog, tmp_path: Path) -> None:
    report = ingest(log, rows(("", "never", "x"), ("a", SEVENTEEN, "1")))
    assert dict(report.quarantined) == {"customer_id_missing": 1}
    assert quarantine(tmp_path / "log", "reasons") == [
        ("customer_id_missing:customer_id;event_time_unreadable:event_time;number_unreadable:amount",)
    ]


def test_an_expression_that_fails_on_one_row_quarantines_that_row(log: EventLog) -> None:
    frame = rows(("1", SEVENTEEN, "2"), ("x", SEVENTEEN, "3"), (None, SEVENTEEN, "4"))
    report = ingest(log, frame, block(customer_id="'c' || CAST(who AS INTEGER)", event_type="'purchase'"))
    assert dict(report.quarantined) == {"customer_id_missing": 1, "expression_failed": 1}
    assert events(log, "customer_id") == [("c1",)]


def test_a_failing_number_or_time_expression_says_so(log: EventLog) -> None:
    frame = rows(
        ("a", "04/12/2017", "1"), ("b", "2017-12-04", "1"), ("c", "05/12/2017", "x"), ("d", "04/12/2017", None)
    )
    of = block(event_time="strptime(\"at\", '%d/%m/%Y')", amount="CAST(paid AS DECIMAL(9, 2)) * 2")
    report = ingest(log, frame, of)
    assert (report.accepted, dict(report.quarantined)) == (2, {"event_time_unreadable": 1, "number_unreadable": 1})
    assert events(log, "customer_id, amount") == [("a", 2.0), ("d", None)]


def test_lines_that_do_not_fit_the_csv_are_quarantined(log: EventLog, tmp_path: Path) -> None:
    good = "".join(f"c{n},{SEVENTEEN},{n}\n" for n in range(30_000))
    (tmp_path / "a.csv").write_text(f"who,at,paid\n{good}x,{SEVENTEEN},1,2,3\ny,{SEVENTEEN},bad\n", encoding="utf-8")
    report = ingest(log, None, block(path="a.csv", amount="paid * 2"), root=tmp_path)
    assert (report.read, report.accepted, dict(report.quarantined)) == (30_002, 30_000, {"row_unreadable": 2})
    assert quarantine(tmp_path / "log", "reason, source") == [("row_unreadable", "a.csv")] * 2
    assert ingest(log, None, block(path="a.csv", amount="paid * 2"), root=tmp_path).accepted == 0
    assert dict(log.snapshot().quarantine_counts()) == {"row_unreadable": 2}


def test_a_second_ingest_quarantines_nothing_twice_but_equal_bad_lines_are_two(log: EventLog) -> None:
    frame = rows(("", SEVENTEEN, 1.0), ("", SEVENTEEN, 1.0), ("a", SEVENTEEN, 1.0))
    for _ in range(2):
        report = ingest(log, frame)
        assert dict(report.quarantined) == {"customer_id_missing": 2}
    assert dict(log.snapshot().quarantine_counts()) == {"customer_id_missing": 2}
    ingest(log, pd.concat([frame, rows(("", "2017-12-05 10:00:00", 1.0))]))
    assert dict(log.snapshot().quarantine_counts()) == {"customer_id_missing": 3}


def test_a_load_that_is_too_bad_publishes_nothing_and_says_why(log: EventLog, tmp_path: Path) -> None:
    frame = rows(("", SEVENTEEN, "1"), ("secret", SEVENTEEN, "x"), ("b", SEVENTEEN, "y"), *[("c", SEVENTEEN, "1")] * 7)
    assert ingest(log, frame, block(max_bad_ratio=0.3)).accepted == 7
    other = EventLog(tmp_path / "other")
    with pytest.raises(SourceError) as caught:
        ingest(other, frame, block(max_bad_ratio=0.29))
    text = str(caught.value)
    assert "3 of 10 rows (30.0%) of [[events]] block 'orders' are bad" in text
    assert "max_bad_ratio = 0.29" in text
    assert text.index("2 rows: number_unreadable (amount)") < text.index("1 rows: customer_id_missing (customer_id)")
    assert "secret" not in text
    assert len(text.splitlines()) < 12
    assert (other.snapshot().version, list((tmp_path / "other" / "quarantine").iterdir())) == (0, [])


RETAIL = (
    Path(os.environ.get("EBBTIDE_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    / "online_retail_II_combined.parquet"
)


@pytest.mark.slow
@pytest.mark.skipif(not RETAIL.is_file(), reason=f"{RETAIL.name} is not in ../shared/data or EBBTIDE_SHARED_DATA")
def test_online_retail_with_every_row_accounted_for(log: EventLog) -> None:
    of = block(
        path=str(RETAIL),
        customer_id='"Customer ID"',
        event_time="InvoiceDate",
        event_type="CASE WHEN Quantity < 0 OR Invoice LIKE 'C%' THEN 'refund' ELSE 'purchase' END",
        order_id="Invoice",
        item_id="StockCode",
        quantity="Quantity",
        amount="abs(Quantity * Price)",
    )
    report = ingest(log, None, of, timezone="Europe/London")
    with duckdb.connect(":memory:", config={"threads": 2}) as con:
        total, cancelled = con.execute(
            f"SELECT count(*), count(*) FILTER (Quantity < 0 OR Invoice LIKE 'C%') FROM '{RETAIL}' "
            'WHERE "Customer ID" IS NOT NULL'
        ).fetchall()[0]
    assert (report.read, report.accepted) == (1_067_370, total)
    assert dict(report.quarantined) == {"customer_id_missing": 1_067_370 - total}
    s = log.snapshot()
    assert (s.rows, s.customers) == (824_363, 5_942)
    assert dict(s.event_types) == {"purchase": total - cancelled, "refund": cancelled}
    again = ingest(log, None, of, timezone="Europe/London")
    assert (again.accepted, again.duplicates, log.snapshot().version) == (0, total, s.version)


def test_a_row_on_which_the_condition_fails_is_kept_aside_not_left_out(log: EventLog) -> None:
    frame = rows(("a", SEVENTEEN, "3"), ("b", SEVENTEEN, "n/a"), ("c", SEVENTEEN, "1"), ("d", SEVENTEEN, None))
    report = ingest(log, frame, block(where="CAST(paid AS DOUBLE) > 2"))
    assert (report.read, report.accepted, dict(report.quarantined)) == (2, 1, {"expression_failed": 1})
    assert [row[0] for row in events(log)] == ["a"]


def test_a_condition_that_no_row_can_meet_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"who,at,paid\na,{SEVENTEEN},1\n", encoding="utf-8")
    report = ingest(EventLog(tmp_path / "log"), None, block(path="a.csv", where="1 = 0"), root=tmp_path)
    assert (report.read, report.accepted) == (0, 0)


def test_a_condition_is_true_or_false(log: EventLog) -> None:
    with pytest.raises(MappingError, match=r"where = .*gives a text value, not true or false"):
        ingest(log, rows(("a", SEVENTEEN, "3")), block(where="who"))

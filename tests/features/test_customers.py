"""The table of customers: the same ids as in the log, and nothing left out in silence."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.customers import CustomersReport, load_customers
from features.errors import MappingError, SourceError


def load(
    folder: Path, path: str, *, timezone: str = "UTC", **expressions: str
) -> tuple[CustomersReport, list[dict[str, object]]]:
    out = folder / "out.parquet"
    report = load_customers(expressions, path=path, query=None, root=folder, timezone=timezone, out=out)
    return report, pq.read_table(out).to_pylist()


def test_ids_that_became_floats_are_the_log_s_ids(tmp_path: Path) -> None:
    pd.DataFrame({"id": [2.0, 13085.0, None]}).to_parquet(tmp_path / "c.parquet")
    report, kept = load(tmp_path, "c.parquet", customer_id="id")
    assert kept == [{"customer_id": "13085"}, {"customer_id": "2"}]
    assert (report.read, report.kept, report.without_id, report.unreadable) == (3, 2, 1, 0)


def test_columns_named_like_sql_words_and_ids_with_zeros(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("id,order,group\n001,1,a\n", encoding="utf-8")
    _, kept = load(tmp_path, "c.csv", customer_id="id", first="order", cohort="group")
    assert kept == [{"customer_id": "001", "first": "1", "cohort": "a"}]


def test_lines_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    good = "".join(f"c{number},a\n" for number in range(20))
    (tmp_path / "c.csv").write_text(f"id,kind\n{good}x,a,b,c\n", encoding="utf-8")
    report, kept = load(tmp_path, "c.csv", customer_id="id", kind="kind")
    assert (len(kept), report.kept, report.unreadable) == (20, 20, 1)


def csv(folder: Path, *rows: str) -> str:
    (folder / "c.csv").write_text("\n".join(("id,since,tier", *rows)) + "\n", encoding="utf-8")
    return "c.csv"


WITH_DATES = {"customer_id": "id", "valid_from": "since", "tier": "tier"}


def test_a_customer_has_a_row_each_time_something_changed(tmp_path: Path) -> None:
    path = csv(tmp_path, "b,2024-03-01T00:00:00Z,x", "a,2024-02-01 12:00:00,gold", "a,2024-01-31T12:00:00+01:00,tin")
    report, kept = load(tmp_path, path, timezone="America/New_York", **WITH_DATES)
    found = [(row["customer_id"], row["valid_from"].astimezone(UTC).isoformat(), row["tier"]) for row in kept]  # type: ignore[attr-defined]
    assert found == [
        ("a", "2024-01-31T11:00:00+00:00", "tin"),
        ("a", "2024-02-01T17:00:00+00:00", "gold"),  # a naive time is the project's
        ("b", "2024-03-01T00:00:00+00:00", "x"),
    ]
    assert (report.read, report.kept, report.without_id, report.without_date) == (3, 3, 0, 0)


@pytest.mark.parametrize("since", ["since", "CAST(since AS DATE)"])
def test_a_day_without_a_time_is_its_end(tmp_path: Path, since: str) -> None:
    _, ((row),) = load(
        tmp_path, csv(tmp_path, "a,2024-02-01,x"), timezone="Asia/Tokyo", customer_id="id", valid_from=since
    )
    assert row["valid_from"].astimezone(UTC).isoformat() == "2024-02-01T14:59:59.999999+00:00"  # type: ignore[attr-defined]


def test_rows_without_a_date_are_left_out_and_counted(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,,x", "b,soon,x", "c,infinity,x", "d,2024-01-01,x", ",2024-01-01,x")
    report, kept = load(tmp_path, path, **WITH_DATES)
    assert [row["customer_id"] for row in kept] == ["d"]
    assert (report.read, report.kept, report.without_id, report.without_date) == (5, 1, 1, 3)


def test_two_rows_of_a_customer_need_different_dates(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,2024-01-01T00:00:00Z,x", "a,2024-01-01T01:00:00+01:00,y", "a,2024-01-02,x", "b,,z", "b,,z")
    with pytest.raises(
        SourceError, match="1 of 5 rows repeat a customer_id and a valid_from; expected one row a custo"
    ):
        load(tmp_path, path, **WITH_DATES)
    with pytest.raises(SourceError, match=r"3 of 5 rows repeat a customer_id; .* name that as valid_from"):
        load(tmp_path, path, customer_id="id", tier="tier")


def test_a_number_is_no_date(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"valid_from gives a integer, not a time.*to_timestamp"):
        load(tmp_path, csv(tmp_path, "a,20240101,x"), customer_id="id", valid_from="CAST(since AS BIGINT)")

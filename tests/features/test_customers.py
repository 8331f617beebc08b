"""The table of customers: the same ids as in the log, and nothing left out in silence."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from features.customers import CustomersReport, load_customers


def load(folder: Path, path: str, **expressions: str) -> tuple[CustomersReport, list[dict[str, object]]]:
    out = folder / "out.parquet"
    report = load_customers(expressions, path=path, query=None, root=folder, timezone="UTC", out=out)
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

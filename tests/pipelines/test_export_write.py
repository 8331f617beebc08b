from __future__ import annotations

import csv
import os
from dataclasses import astuple, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import UsageError
from pipelines.export.csv_text import neutralise
from pipelines.export.decide import ScoredCustomers, choose
from pipelines.export.rows import ExportRow, export_rows
from pipelines.export.write import write_export

CUTOFF = datetime(2017, 12, 4, 5, tzinfo=UTC)
COLUMNS = [
    "customer_id", "probability", "percentile", "band", "value_at_risk", "reason_1_code", "reason_1_text",
    "reason_2_code", "reason_2_text", "reason_3_code", "reason_3_text", "cutoff", "run_id", "model_version", "target",
]  # fmt: skip


def row(customer_id: str = "0042", **changes: object) -> ExportRow:
    base = ExportRow(
        customer_id=customer_id,
        probability=0.1 + 0.2,
        percentile=97.25,
        band="high",
        value_at_risk=12.5,
        reason_1_code="silent",
        reason_1_text="Last purchase 31 days ago",
        reason_2_code=None,
        reason_2_text=None,
        reason_3_code=None,
        reason_3_text=None,
        cutoff=CUTOFF,
        run_id="r1",
        model_version="3",
        target="churn",
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # names are checked by replace


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_rows_carry_the_chosen_customers_in_order() -> None:
    scores = ScoredCustomers(
        customer_ids=np.array(["a", "007", "c"], dtype=object),
        probability=np.array([0.91, 0.82, 0.1]),
        percentile=np.array([99.0, 93.5, 3.0]),
        band=np.array(["high", "high", "low"], dtype=object),
    )
    value = np.array([np.nan, 20.005, 4.0])
    rows = export_rows(
        scores,
        choose(scores, value_at_risk=value),
        reasons=[[("r1", "one"), ("r2", "two"), ("r3", "three"), ("r4", "four")], [("r9", "nine")]],
        value_at_risk=value,
        target="churn",
        cutoff=CUTOFF,
        model_version="3",
        run_id="r1",
    )
    assert [astuple(r) for r in rows] == [
        (
            "007",
            0.82,
            93.5,
            "high",
            round(20.005, 2),
            "r1",
            "one",
            "r2",
            "two",
            "r3",
            "three",
            CUTOFF,
            "r1",
            "3",
            "churn",
        ),
        ("a", 0.91, 99.0, "high", None, "r9", "nine", None, None, None, None, CUTOFF, "r1", "3", "churn"),
    ]


def test_reasons_must_match_the_chosen() -> None:
    scores = ScoredCustomers(
        customer_ids=np.array(["a"], dtype=object),
        probability=np.array([0.9]),
        percentile=np.array([99.0]),
        band=np.array(["high"], dtype=object),
    )
    with pytest.raises(UsageError, match="reasons for 0 customers; expected for each of the 1"):
        export_rows(scores, choose(scores), reasons=[], target="churn", cutoff=CUTOFF, model_version="3", run_id="r1")
    with pytest.raises(UsageError, match="has no time zone"):
        export_rows(
            scores,
            choose(scores),
            reasons=[[]],
            target="churn",
            cutoff=CUTOFF.replace(tzinfo=None),
            model_version="3",
            run_id="r1",
        )


def test_csv_and_parquet_hold_the_rows(tmp_path: Path) -> None:
    rows = [
        row("007"),
        row('=HYPERLINK("http://x")', value_at_risk=None, reason_1_text='-5 %, "quoted"\n\u05e9\u05dc\u05d5\u05dd 🛒'),
    ]
    written = write_export(rows, tmp_path / "exports", target="churn", run_id="r1")
    assert (written.rows, written.neutralised) == (2, 1)
    assert written.csv == tmp_path / "exports" / "churn-r1.csv"
    assert read_csv(written.csv) == [
        COLUMNS,
        ["007", "0.30000000000000004", "97.25", "high", "12.5", "silent", "Last purchase 31 days ago", "", "", "", "",
         "2017-12-04T05:00:00Z", "r1", "3", "churn"],
        ["'=HYPERLINK(\"http://x\")", "0.30000000000000004", "97.25", "high", "", "silent",
         "'-5 %, \"quoted\"\n\u05e9\u05dc\u05d5\u05dd 🛒", "", "", "", "", "2017-12-04T05:00:00Z", "r1", "3", "churn"],
    ]  # fmt: skip
    table = pq.read_table(written.parquet)
    assert [tuple(r.values()) for r in table.to_pylist()] == [astuple(r) for r in rows]
    assert table.schema.field("cutoff").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("probability").type == pa.float64()
    assert table.schema.field("customer_id").type == pa.string()
    assert b"\r" not in written.csv.read_bytes()
    assert written.sentence == (
        "2 customers at risk (churn), the most valuable first: churn-r1.csv. In 1 of them a text looks like a formula:"
        " in the CSV (not in the Parquet file) it has an apostrophe before it."
    )


def test_the_same_run_writes_the_same_bytes_over_the_same_files(tmp_path: Path) -> None:
    first = write_export([row("a"), row("b")], tmp_path, target="churn", run_id="r1")
    before = first.csv.read_bytes(), first.parquet.read_bytes()
    again = write_export([row("a"), row("b")], tmp_path, target="churn", run_id="r1")
    assert (again.csv.read_bytes(), again.parquet.read_bytes()) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["churn-r1.csv", "churn-r1.parquet"]
    write_export([row("c")], tmp_path, target="churn", run_id="r1")
    assert [r[0] for r in read_csv(first.csv)] == ["customer_id", "c"]


def test_an_empty_list_writes_the_columns_and_says_so(tmp_path: Path) -> None:
    written = write_export([], tmp_path, target="churn", run_id="r1")
    assert read_csv(written.csv) == [COLUMNS]
    table = pq.read_table(written.parquet)
    assert (table.num_rows, table.column_names) == (0, COLUMNS)
    assert (
        written.sentence == "No customer is at risk (churn) at this cutoff: churn-r1.csv holds the column names only."
    )


@pytest.mark.parametrize("name", ["../r1", "", ".r1", "a/b", "a b", "r\n1"])
def test_a_run_id_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be part of a file name"):
        write_export([row()], tmp_path, target="churn", run_id=name)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match=r"cannot be written to .*taken"):
        write_export([row()], tmp_path / "taken", target="churn", run_id="r1")


def test_a_failed_write_leaves_the_old_list_whole(tmp_path: Path) -> None:
    written = write_export([row("a")], tmp_path, target="churn", run_id="r1")
    before = written.csv.read_bytes(), written.parquet.read_bytes()
    with pytest.raises(UnicodeEncodeError):
        write_export([row("b"), row("\ud800")], tmp_path, target="churn", run_id="r1")
    assert (written.csv.read_bytes(), written.parquet.read_bytes()) == before
    assert len(os.listdir(tmp_path)) == 2  # noqa: PTH208  # hidden temporary files count


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.sampled_from(
    [
        "00012",
        "=1+1",
        "+49",
        "-3",
        "@SUM(A1)",
        "\t=1",
        "a,b",
        'say "hi"',
        "two\nlines",
        "two\r\nlines",
        "🛒🎁",
        "עברית",
        "\uff1d1",
    ]
)
money = st.none() | st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)
rows_strategy = st.lists(
    st.builds(
        row,
        texts,
        probability=st.floats(0, 1),
        percentile=st.floats(0, 100),
        value_at_risk=money,
        reason_1_code=st.none() | texts,
        reason_3_text=st.none() | texts,
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(rows_strategy)
def test_both_files_read_back_as_the_same_rows(rows: list[ExportRow]) -> None:
    with TemporaryDirectory() as folder:
        written = write_export(rows, Path(folder), target="churn", run_id="r1")
        lines = read_csv(written.csv)[1:]
        records = pq.read_table(written.parquet).to_pylist()
    assert [ExportRow(**record) for record in records] == rows
    assert len(lines) == len(rows)
    for line, original in zip(lines, rows, strict=True):
        for cell, field in zip(line, fields(ExportRow), strict=True):
            value = getattr(original, field.name)
            if value is None:
                assert cell == ""
            elif isinstance(value, str):
                assert cell == neutralise(value)
            elif isinstance(value, float):
                assert float(cell) == value
            else:
                assert datetime.fromisoformat(cell) == value

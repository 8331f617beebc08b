"""Opening raw tables, and what is said when that is impossible."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import SourceError
from features.mapping import RAW, EventBlock
from features.sources import open_source

CSV = 'id,note,amount\n007,plain,1.50\n008,"a, b",2\n'
ROWS = [("007", "plain", 1.5), ("008", "a, b", 2.0)]


def read(block: EventBlock, root: Path, frame: object | None = None) -> list[tuple[object, ...]]:
    con = duckdb.connect(":memory:", config={"threads": 1})
    try:
        table = open_source(con, block, root=root, frame=frame)
        assert list(table.columns) == ["id", "note", "amount"]
        return con.execute(f"SELECT id, note, CAST(amount AS DOUBLE) FROM {RAW} ORDER BY id").fetchall()
    finally:
        con.close()


def block(path: str | None = None, query: str | None = None) -> EventBlock:
    return EventBlock(name="orders", path=path, query=query, expressions={"customer_id": "id", "amount": "amount"})


def refusal(path: str, root: Path) -> str:
    with pytest.raises(SourceError) as caught:
        read(block(path), root)
    assert len(str(caught.value).splitlines()) < 10
    return str(caught.value)


def test_every_kind_of_file_reads_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    (tmp_path / "a.tsv").write_text("id\tnote\tamount\n007\tplain\t1.50\n008\ta, b\t2\n", encoding="utf-8")
    lines = '{"id":"007","note":"plain","amount":1.5}\n{"id":"008","note":"a, b","amount":2}\n'
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    pq.write_table(
        pa.table({"id": ["007", "008"], "note": ["plain", "a, b"], "amount": [1.5, 2.0]}), tmp_path / "a.parquet"
    )
    for name in ("a.csv", "a.csv.gz", "a.tsv", "a.jsonl", "a.parquet"):
        assert read(block(name), tmp_path) == ROWS, name
    assert read(block(query="select * from 'a.parquet'; "), tmp_path) == ROWS


def test_frames_read_the_same(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["007", "008"], "note": ["plain", "a, b"], "amount": [1.5, 2.0]})
    assert read(block(), tmp_path, frame) == ROWS
    assert read(block(), tmp_path, pa.Table.from_pandas(frame, preserve_index=False)) == ROWS


def test_globs_and_absolute_paths_and_awkward_names(tmp_path: Path) -> None:
    folder = tmp_path / "it's [here]"
    folder.mkdir()
    (folder / "1 [x].csv").write_text("id,note,amount\n007,plain,1.50\n", encoding="utf-8")
    (folder / "2.csv").write_text('id,note,amount\n008,"a, b",2\n', encoding="utf-8")
    assert read(block("*.csv"), folder) == ROWS
    assert read(block("1 [x].csv"), folder) == ROWS[:1]
    assert read(block(str(folder / "2.csv")), tmp_path) == ROWS[1:]
    assert read(block("../it's [[]here]/*.csv"), folder) == ROWS


def test_ids_of_a_csv_keep_their_leading_zeros_even_when_they_come_late(tmp_path: Path) -> None:
    lines = "".join(f"{number},x,1\n" for number in range(100_000, 130_000))
    (tmp_path / "a.csv").write_text(f"id,note,amount\n{lines}007,x,1\n", encoding="utf-8")
    assert read(block("a.csv"), tmp_path)[0] == ("007", "x", 1.0)


def test_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    text = refusal("data/orders.csv", tmp_path)
    assert "block 'orders': data/orders.csv does not exist" in text
    assert str(tmp_path / "data" / "orders.csv") in text


def test_glob_without_a_match(tmp_path: Path) -> None:
    assert "data/*.csv matches no file" in refusal("data/*.csv", tmp_path)


def test_folder_as_path(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert "is a folder; expected files" in refusal("data", tmp_path)


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    assert "a.csv is empty (0 bytes)" in refusal("a.csv", tmp_path)


def test_unknown_and_mixed_types(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    assert "unknown type" in refusal("a.xlsx", tmp_path)
    (tmp_path / "b.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "b.jsonl").write_text("{}", encoding="utf-8")
    assert "different types" in refusal("b.*", tmp_path)


def test_truncated_parquet_and_gzip(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["1"] * 1000}), tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-20])
    assert "a.parquet cannot be read" in refusal("a.parquet", tmp_path)
    packed = gzip.compress((CSV * 5_000).encode())
    (tmp_path / "b.csv.gz").write_bytes(packed[: len(packed) // 2])
    assert "b.csv.gz cannot be read" in refusal("b.csv.gz", tmp_path)


def test_query_over_a_missing_file_and_with_a_syntax_error(tmp_path: Path) -> None:
    for query in ("select * from 'none.parquet'", "selekt 1"):
        with pytest.raises(SourceError, match="query of block 'orders' cannot be read"):
            read(block(query=query), tmp_path)


def test_something_that_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a int is no table"):
        read(block(), tmp_path, 3)


def test_a_variable_of_ours_is_not_a_table(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="columns"):
        read(block(query="select * from columns"), tmp_path)


def test_block_without_any_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has no source"):
        read(block(), tmp_path)


def calculated(tmp_path: Path, **files: str) -> list[tuple[object, ...]]:
    """What ``amount * 2`` gives over CSV files; the id is also looked at by ``where``."""
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    of = EventBlock(
        name="orders",
        path="*.csv",
        expressions={"customer_id": "id", "amount": "amount * 2"},
        where="id <> 'GUEST' and day >= '2024-01-01'",
    )
    con = duckdb.connect(":memory:", config={"threads": 1})
    try:
        open_source(con, of, root=tmp_path)
        columns = f"id, CAST(amount * 2 AS DOUBLE), CAST(day AS VARCHAR) FROM {RAW} WHERE {of.where}"
        return con.execute(f"SELECT DISTINCT {columns} ORDER BY ALL").fetchall()
    finally:
        con.close()


def test_a_guess_from_the_first_rows_changes_no_later_value(tmp_path: Path) -> None:
    text = "id,amount,day\n" + "7,3,2024-01-01\n" * 150_000 + "007,2.5,2024-01-01 10:30:00\n"
    assert calculated(tmp_path, a=text) == [
        ("007", 5.0, "2024-01-01 10:30:00"),
        ("7", 6.0, "2024-01-01 00:00:00"),
    ]


def test_long_ids_that_a_condition_looks_at_stay_apart(tmp_path: Path) -> None:
    text = "id,amount,day\n" + "".join(f"9{'0' * 40}{last},1,2024-01-01\n" for last in range(3))
    assert len(calculated(tmp_path, a=text)) == 3


def test_a_day_without_rows_or_without_a_value_takes_the_type_of_the_other_days(tmp_path: Path) -> None:
    head = "id,amount,day\n"
    assert calculated(tmp_path, a=f"{head}7,3,2024-01-01\n", b=head, c=f"{head}8,,2024-01-02\n") == [
        ("7", 6.0, "2024-01-01"),
        ("8", None, "2024-01-02"),
    ]


def test_a_broken_line_of_json_stops_nothing(tmp_path: Path) -> None:
    line = '{"id":"007","note":"plain","amount":2}\n'
    text = line * 3 + '{"id": broken\n' + '{"id":8,"note":"b","amount":"2.5"}\n'
    (tmp_path / "a.jsonl").write_text(text, encoding="utf-8")
    assert read(block("a.jsonl"), tmp_path) == [("007", "plain", 2.0)] * 3 + [("8", "b", 2.5), (None, None, None)]


def test_a_query_is_one_select(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="more than one SQL statement"):
        read(block(query="select 1); create table x (a int); select (1"), tmp_path)

"""Expressions of a block, bound against a raw table before a row is read."""

from __future__ import annotations

import duckdb
import pytest

from features.errors import MappingError
from features.events import ColumnType
from features.mapping import RAW, BoundColumn, EventBlock, bare_column, bind_block
from features.mapping_types import Family, family

RAW_COLUMNS = {
    "customer": "VARCHAR",
    "placed_at": "TIMESTAMP",
    "sales_value": "DOUBLE",
    "seconds": "BIGINT",
    "nested": "STRUCT(a INTEGER)",
    "Shop Name": "VARCHAR",
}
GOOD = {"customer_id": "customer", "event_time": "placed_at", "event_type": "'purchase'"}


def bind(*, where: str | None = None, values: str = "", **expressions: str) -> tuple[BoundColumn, ...]:
    con = duckdb.connect(":memory:", config={"threads": 1})
    columns = ", ".join(f'"{name}" {of}' for name, of in RAW_COLUMNS.items())
    con.execute(f"CREATE TEMP TABLE raw_rows ({columns}); CREATE TEMP VIEW {RAW} AS SELECT * FROM raw_rows")
    if values:
        con.execute(f"INSERT INTO raw_rows (seconds) VALUES ({values})")
    block = EventBlock(name="orders", expressions={**GOOD, **expressions}, where=where)
    try:
        return bind_block(con, block, RAW_COLUMNS)
    finally:
        con.close()


def problem(**kwargs: str) -> str:
    with pytest.raises(MappingError) as caught:
        bind(**kwargs)
    assert len(str(caught.value).splitlines()) < 20
    return str(caught.value)


def test_bound_columns_know_type_family_and_whether_they_can_fail() -> None:
    bound = bind(amount="sales_value * 2", where="sales_value > 0")
    assert [(c.name, c.type, c.family, c.can_fail) for c in bound] == [
        ("customer_id", ColumnType.TEXT, Family.TEXT, False),
        ("event_time", ColumnType.TIME, Family.LOCAL_TIME, False),
        ("event_type", ColumnType.TEXT, Family.TEXT, True),
        ("amount", ColumnType.NUMBER, Family.FLOAT, True),
    ]


def test_unknown_column_names_block_key_expression_and_the_close_name() -> None:
    text = problem(amount="sales_valeu + 1")
    assert "block 'orders'" in text
    assert "amount = \"sales_valeu + 1\": there is no column 'sales_valeu'; did you mean 'sales_value'?" in text


def test_all_problems_come_at_once() -> None:
    text = problem(amount="nope", discount="sales_value +", where="neither > 1", colour="customer")
    assert text.startswith("4 problems in [[events]] block 'orders'")
    assert all(found in text for found in ("'nope'", "discount = ", "'neither'", "colour is no column of the log"))


def test_missing_required_column_is_named() -> None:
    con = duckdb.connect(":memory:")
    con.execute(f"CREATE TEMP TABLE {RAW} (customer VARCHAR)")
    with pytest.raises(MappingError, match="event_time is missing"):
        bind_block(con, EventBlock(name="x", expressions={"customer_id": "customer"}), {"customer": "VARCHAR"})
    con.close()


def test_syntax_error_shows_duckdbs_first_line() -> None:
    assert "Parser Error: syntax error at or near" in problem(amount="sales_value + + )")


def test_forgotten_quotes_around_a_fixed_text_are_recognised() -> None:
    assert "write \"'purchase'\", in single quotes" in problem(event_type="purchase")


def test_aggregates_windows_volatile_functions_and_second_statements_are_refused() -> None:
    assert "more than one row" in problem(amount="sum(sales_value)")
    assert "more than one row" in problem(amount="row_number() over ()")
    assert "another answer each time" in problem(amount="random()")
    assert "more than one expression" in problem(amount="sales_value), (sales_value")
    assert "is empty" in problem(amount="  ")
    assert "holds a subquery" in problem(amount=f"(select max(seconds) from {RAW})")


def test_a_comment_at_the_end_of_an_expression_is_harmless() -> None:
    assert bind(amount="sales_value -- in dollars")[-1].name == "amount"


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("1512345678", "to_timestamp(seconds)"),
        ("1512345678123", "to_timestamp(seconds / 1000.0)"),
        ("1512345678123456", "make_timestamptz(seconds)"),
        ("1512345678123456789", "make_timestamptz(seconds // 1000)"),
        ("20171204", "CAST(strptime(CAST(seconds AS VARCHAR), '%Y%m%d') AS DATE)"),
        ("17504", "DATE '1970-01-01' + CAST(seconds AS INTEGER)"),
    ],
)
def test_a_number_as_event_time_is_refused_with_what_to_write(value: str, remedy: str) -> None:
    assert remedy in problem(event_time="seconds", values=value)


def test_values_of_the_wrong_kind_are_refused() -> None:
    assert "amount is a number" in problem(amount="placed_at")
    assert "order_id is text" in problem(order_id="nested")
    assert "event_time is a time" in problem(event_time="TIME '10:00'")


def test_bare_columns_are_found_whatever_the_quoting_or_case() -> None:
    assert bare_column('"shop name"', RAW_COLUMNS) == "Shop Name"
    assert bare_column("CUSTOMER", RAW_COLUMNS) == "customer"
    assert bare_column("customer || 'x'", RAW_COLUMNS) is None


def test_a_plain_column_may_be_named_like_an_sql_word() -> None:
    con = duckdb.connect(":memory:")
    con.execute(f'CREATE TEMP TABLE {RAW} ("order" VARCHAR, "at" TIMESTAMP)')
    columns = {"order": "VARCHAR", "at": "TIMESTAMP"}
    good = {"customer_id": "order", "event_time": "at", "event_type": "'x'"}
    assert len(bind_block(con, EventBlock(name="x", expressions=good), columns)) == 3
    with pytest.raises(MappingError, match="stands in double quotes"):
        bind_block(con, EventBlock(name="x", expressions={**good, "event_time": "CAST(at AS DATE)"}), columns)
    con.close()


def test_families() -> None:
    assert family("BIGINT[]") is Family.OTHER
    assert family("UINTEGER") is Family.INTEGER
    assert family("ENUM('a', 'b')") is Family.TEXT
    assert family('"NULL"') is Family.TEXT
    assert family("INTERVAL") is Family.OTHER

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.export.csv_text import csv_text, neutralise


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])  # noqa: RUF001  # full-width on purpose
def test_every_formula_start_of_owasp_gets_an_apostrophe(start: str) -> None:
    assert neutralise(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("hidden", [" ", "  ", "\u00a0", "\u200b", "\ufeff", "\u200f", "\u3000"])
def test_a_formula_behind_what_cannot_be_seen_is_found(hidden: str) -> None:
    assert neutralise(f"{hidden}=1") == f"'{hidden}=1"


@pytest.mark.parametrize("text", ["", " ", "007", "a=b", "x-1", "mail@example.com", "'=1", "Übergröße", "مرحبا", "🛒"])
def test_other_texts_stay(text: str) -> None:
    assert neutralise(text) == text


def test_texts_are_quoted_numbers_are_not_null_is_empty() -> None:
    at = datetime(2017, 12, 4, 0, 0, tzinfo=timezone(timedelta(hours=-5)))
    text = csv_text(["id", "n", "v", "at"], [["007", -1.5, None, at], ['a"b,c\nd', 0.1, 3, at]])
    assert text == ('"id","n","v","at"\n"007",-1.5,,"2017-12-04T05:00:00Z"\n"a""b,c\nd",0.1,3,"2017-12-04T05:00:00Z"\n')


def test_no_rows_is_the_header() -> None:
    assert csv_text(["id", "p"], []) == '"id","p"\n'


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
            st.floats(allow_nan=False, allow_infinity=False),
        )
    )
)
def test_python_reads_back_the_same(rows: list[tuple[str, float]]) -> None:
    content = csv_text(["t", "x"], rows).encode("utf-8").decode("utf-8")
    header, *back = csv.reader(io.StringIO(content, newline=""), strict=True)
    assert header == ["t", "x"]
    assert [(t, float(x)) for t, x in back] == [(neutralise(t), x) for t, x in rows]


def test_the_day_is_written_in_utc() -> None:
    assert csv_text(["at"], [[datetime(2024, 2, 29, tzinfo=UTC)]]).splitlines()[1] == '"2024-02-29T00:00:00Z"'

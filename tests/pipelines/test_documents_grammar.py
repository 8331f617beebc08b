"""The page of the grammar: a row for each word, with what it takes."""

from __future__ import annotations

from features.words import MEASURED, READ_OUT, Aggregation, Family, Readout
from pipelines.documents import pages
from pipelines.documents_grammar import grammar_page

PAGE = grammar_page("written by a test")
ROWS = {line.split("`")[1]: line for line in PAGE.splitlines() if line.startswith("| `")}


def test_every_word_is_explained_once() -> None:
    assert set(MEASURED) == set(Aggregation)
    assert set(READ_OUT) == set(Readout)
    assert list(ROWS) == [*map(str, Aggregation), *map(str, Readout)]
    assert all(f"`{family}`" in PAGE for family in Family)
    assert all(row.count("|") == (7 if name in set(Aggregation) else 5) for name, row in ROWS.items())
    assert "written by a test" in PAGE
    assert "docs/grammar.md" in pages()


def test_what_a_word_takes_is_what_the_grammar_takes() -> None:
    cells = {name: [cell.strip() for cell in row.split("|")[3:-1]] for name, row in ROWS.items()}
    assert cells["count"] == ["optional", "no", "optional, else *lifetime*", ""]
    assert cells["sum"] == ["optional", "a number", "optional, else *lifetime*", "`where`"]
    assert cells["present"][1] == "a number or a text"
    assert cells["distinct"] == ["optional", "a text", "optional, else *tail*", "`where`, `last_lines`"]
    assert cells["running_out"] == ["optional", "`duration_seconds`", "required", "`where`"]
    assert cells["first_order_is"] == ["required", "`kind`, `channel`, `source`, `device`", "no", "`value`"]
    assert cells["attribute"] == ["no", "an attribute's name", "no", "`value`"]
    assert cells["age_per_gap"] == ["last, gap_sum, gap_count", ""]
    assert cells["difference"][0] == "a number, a number or a number, a number, a number"
    assert cells["day_of_year"] == ["nothing", "`days_ahead`"]

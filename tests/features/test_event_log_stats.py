"""What the log knows of its event types: which columns their rows have, and the values to tell them apart by."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from features.catalogue import TypeTraits
from features.catalogue.traits import MAX_VALUES
from features.event_log import EventLog
from features.event_log_manifest import TypeStats, read_manifest
from features.event_log_stats import MAX_KEPT, MAX_LENGTH
from features.events import COLUMNS, OPTIONAL_COLUMNS, VALUE_COLUMNS, ColumnType
from features.mapping import EventBlock
from tests.features.log_builders import SEVENTEEN, WITH_ID, block, ingest, rows


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "log")


def visits(*given: tuple[object, ...]) -> pd.DataFrame:
    """One row a visit: its type, kind and device."""
    return rows(*[("a", SEVENTEEN, *row) for row in given], names="who at type kind device")


def visit_block(name: str = "visits") -> EventBlock:
    return block(name, event_type="type", kind="kind", device="device", drop=["amount"])


def stats(log_folder: Path) -> dict[str, TypeStats]:
    return read_manifest(log_folder).types()


def test_a_type_has_the_columns_that_any_of_its_rows_has(log: EventLog) -> None:
    """One type for each column, of two rows with it and without it, and one type of rows that have none."""
    columns = [name for name in OPTIONAL_COLUMNS if name not in ("event_id", "received_at")]
    types = (*columns, "nothing")
    numbers = {column.name for column in COLUMNS if column.type is ColumnType.NUMBER}
    mapped = {name: f"CASE WHEN has = '{name}' THEN {7 if name in numbers else repr('x')} END" for name in columns}
    mapped |= {"customer_id": "who", "event_time": "at", "received_at": "at", "event_id": "id", "event_type": "type"}
    given = [("a", SEVENTEEN, type_, has) for type_ in types for has in (None, type_)]
    frame = rows(*given, names="who at type has").assign(id=range(2 * len(types)))
    ingest(log, frame, EventBlock(name="all", expressions=mapped))
    found = log.snapshot().type_traits
    assert {name: set(of.fields) for name, of in found.items()} == {
        **{name: {name} for name in columns},
        "nothing": set(),
    }
    assert {name: of.values for name, of in found.items() if of.values} == {
        name: {name: ("x",)} for name in VALUE_COLUMNS
    }


def test_values_are_counted_by_type(log: EventLog, tmp_path: Path) -> None:
    frame = visits(("view", "x", "ios"), ("view", "y", "ios"), ("view", None, None), ("like", "x", None))
    ingest(log, frame, visit_block())
    assert stats(tmp_path / "log") == {
        "like": TypeStats(rows=1, fields=("kind",), values={"kind": {"x": 1}}),
        "view": TypeStats(rows=3, fields=("kind", "device"), values={"device": {"ios": 2}, "kind": {"x": 1, "y": 1}}),
    }


def test_long_values_are_fields_but_are_not_kept(log: EventLog) -> None:
    longest = "é" * MAX_LENGTH
    ingest(log, visits(("view", longest, "d" * (MAX_LENGTH + 1)), ("view", longest + "é", None)), visit_block())
    assert log.snapshot().type_traits == {
        "view": TypeTraits(fields=frozenset({"kind", "device"}), values={"kind": (longest,)})
    }


def test_a_segment_keeps_the_most_frequent_values_and_of_equals_the_first(log: EventLog, tmp_path: Path) -> None:
    once = [f"k{number:02d}" for number in range(MAX_KEPT)]
    frame = visits(*[("view", kind, None) for kind in ("é", *reversed(once), "z", "z", "É")])
    ingest(log, frame, visit_block())
    assert stats(tmp_path / "log")["view"].values == {"kind": {"z": 2, **dict.fromkeys(once[:-1], 1)}}


def test_a_snapshot_offers_the_most_frequent_values_of_all_segments_in_alphabetical_order(log: EventLog) -> None:
    """A value that is nowhere the most frequent can be so in all; of equally frequent ones the first is taken."""
    many = [f"m{number:02d}" for number in range(MAX_VALUES)]
    for name in ("one", "two"):
        others = [f"{name}{number:02d}" for number in range(MAX_VALUES) for _ in range(2)]
        ingest(
            log, visits(*[("view", kind, "ios") for kind in [*reversed(many), *others, "zz", "zz"]]), visit_block(name)
        )
    found = log.snapshot().type_traits["view"].values
    assert found == {"kind": (*(f"m{number:02d}" for number in range(11)), "zz"), "device": ("ios",)}


def test_what_a_correction_replaced_no_longer_counts(log: EventLog, tmp_path: Path) -> None:
    same = block(event_type="type", kind="kind", device="device", drop=["amount"], **WITH_ID)
    ingest(log, visits(("view", "x", "ios"), ("view", "y", None)).assign(id=["1", "2"]), same)
    ingest(log, visits(("view", "z", None)).assign(id=["1"]), same)
    assert stats(tmp_path / "log") == {"view": TypeStats(rows=2, fields=("kind",), values={"kind": {"y": 1, "z": 1}})}
    ingest(log, visits(("like", None, None), ("like", None, None)).assign(id=["1", "2"]), same)
    assert log.snapshot().type_traits == {"like": TypeTraits()}

"""Tables come back from a file as they went in, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from features.catalogue import TypeTraits, catalogue
from features.feature_table import FeatureTable
from features.feature_table_file import append_table, read_tables
from tests.features.oracle import Event, day
from tests.features.small_logs import base, plan_of, table_of


def bits(table: FeatureTable) -> list[object]:
    arrays = (table.customer, table.cutoff_us, table.base, table.values, table.outcomes)
    return [table.customer_ids.tolist(), *((array.dtype, array.shape, array.tobytes()) for array in arrays)]


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    features = catalogue({"purchase": TypeTraits(fields=frozenset({"amount"}))})
    strange = ["", "it's", "🛍", "nul\0in it", "x" * 10_000]
    events = [Event(at=day(number), customer=name) for number, name in enumerate(strange)]
    tables = [
        table_of(events, plan_of(features=features), [3, 9]),
        table_of(events, plan_of(base("count")), [3]),  # no features
        table_of([], plan_of(features=features), [3]),  # nobody
    ]
    assert np.isnan(tables[0].values).any()
    with (tmp_path / "tables").open("wb") as file:
        for table in tables:
            append_table(file, table)
    assert [bits(table) for table in read_tables(tmp_path / "tables")] == [bits(table) for table in tables]


def test_an_empty_file_has_no_tables(tmp_path: Path) -> None:
    (tmp_path / "tables").touch()
    assert list(read_tables(tmp_path / "tables")) == []

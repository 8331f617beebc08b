"""Every row once: derived and mapped ids, corrections, live events."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import MappingError, SourceError, UsageError
from features.event_log import EventLog
from tests.features.log_builders import (
    NOW,
    SEVENTEEN,
    WITH_ID,
    WITH_RECEIPT,
    block,
    counts,
    events,
    ingest,
    line,
    lines,
    rows,
    utc,
)


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "log")


def test_repeated_lines_survive_and_a_second_ingest_adds_nothing(log: EventLog) -> None:
    frame = rows(("a", SEVENTEEN, 1.0), ("a", SEVENTEEN, 1.0), ("a", SEVENTEEN, None))
    assert ingest(log, frame).accepted == 3
    version = log.snapshot().version
    report = ingest(log, frame)
    assert (report.accepted, report.duplicates, log.snapshot().version) == (0, 3, version)
    third = ingest(log, pd.concat([frame, frame[:1]]))
    assert (third.accepted, third.duplicates, log.snapshot().rows) == (1, 3, 4)


def test_dedupe_rows_keeps_one_of_each(log: EventLog) -> None:
    frame = rows(("a", SEVENTEEN, 1.0), ("a", SEVENTEEN, 1.0), ("a", SEVENTEEN, 2.0))
    report = ingest(log, frame, block(dedupe="rows"))
    assert (report.read, report.accepted, report.duplicates) == (3, 2, 1)


def test_blocks_have_identities_of_their_own(log: EventLog) -> None:
    frame = rows(("a", SEVENTEEN, 1.0))
    assert ingest(log, frame, block("one")).accepted == 1
    assert ingest(log, frame, block("two")).accepted == 1


def test_content_cannot_be_imitated_across_columns(log: EventLog) -> None:
    frame = rows(("a", SEVENTEEN, 1.0, "x;page=1:y", None), ("a", SEVENTEEN, 1.0, "x", "y"), names="who at paid o p")
    ingest(log, frame, block(order_id="o", page="p"))
    assert len({row[0] for row in events(log, "event_id")}) == 2


def test_a_late_increment_adds_only_what_is_new(log: EventLog) -> None:
    ingest(log, rows(("a", "2017-12-01 10:00:00", 1.0), ("b", "2017-12-02 10:00:00", 1.0)))
    report = ingest(log, rows(("b", "2017-12-02 10:00:00", 1.0), ("c", "2017-12-03 10:00:00", 1.0)))
    assert (report.accepted, report.duplicates, log.snapshot().customers) == (1, 1, 3)


def test_another_mapping_of_rows_without_ids_is_refused(log: EventLog) -> None:
    frame = rows(("a", SEVENTEEN, 1.0))
    ingest(log, frame)
    with pytest.raises(MappingError, match=r"loaded before with other expressions \(amount changed\)"):
        ingest(log, frame, block(amount="paid * 2"))
    with pytest.raises(MappingError, match="timezone changed"):
        ingest(log, frame, timezone="UTC")
    assert log.snapshot().rows == 1


def test_ids_cannot_be_mapped_afterwards_but_a_block_without_events_can_be_read_anew(log: EventLog) -> None:
    frame = rows(("a", "4 Dec", "1", "x"), names="who at paid id")
    assert ingest(log, frame, block(max_bad_ratio=1.0)).accepted == 0
    assert ingest(log, frame, block(event_time="strptime(\"at\" || ' 2017', '%d %b %Y')")).accepted == 1
    with pytest.raises(MappingError, match="event_id, event_time changed"):
        ingest(log, frame, block(event_id="id"))


LINES = st.tuples(
    st.sampled_from(["a", "b", "ü;x"]),
    st.sampled_from([SEVENTEEN, "2017-12-05", "2017-12-05T00:00:00Z"]),
    st.sampled_from([None, 1.0, 2.5]),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, min_size=1, max_size=12), data=st.data())
def test_ids_depend_neither_on_the_order_of_rows_nor_on_their_split_into_files(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str, float | None]], data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("split")
    shuffled = data.draw(st.permutations(lines))
    cut = data.draw(st.integers(0, len(lines)))
    for name, part in (("1", shuffled[:cut]), ("2", shuffled[cut:])):
        if part:
            pq.write_table(pa.Table.from_pandas(rows(*part), preserve_index=False), root / f"{name}.parquet")
    whole, split = EventLog(root / "whole"), EventLog(root / "split")
    ingest(whole, rows(*lines))
    ingest(split, None, block(path="*.parquet"), root=root)
    assert events(whole, "event_id") == events(split, "event_id")
    assert len({row[0] for row in events(whole, "event_id")}) == len(lines)


def amounts(log: EventLog) -> list[tuple[object, ...]]:
    return events(log, "event_id, amount")


def test_a_mapped_id_again_is_a_duplicate_and_with_other_content_a_correction(log: EventLog) -> None:
    first, second = lines(line("1", 1.0), line("2", 2.0)), lines(line("1", 9.0, who="b"), line("2", 2.0))
    assert counts(ingest(log, first, block(**WITH_ID))) == (2, 0, 0)
    assert "ANTI JOIN" not in log.snapshot().scan_sql(0, 255)
    assert counts(ingest(log, second, block(**WITH_ID))) == (0, 1, 1)
    s = log.snapshot()
    assert events(log, "event_id, customer_id, amount") == [("1", "b", 9.0), ("2", "a", 2.0)]
    assert (s.rows, s.customers, s.corrections, sum(s.bucket_rows), dict(s.event_types)) == (
        2,
        2,
        1,
        2,
        {"purchase": 2},
    )
    for again in (first, second):
        assert counts(ingest(log, again, block(**WITH_ID))) == (0, 2, 0)
    assert amounts(log) == [("1", 9.0), ("2", 2.0)]


def test_a_correction_to_an_earlier_time_wins_although_receipts_are_unknown(log: EventLog) -> None:
    ingest(log, lines(line("1", 1.0)), block(**WITH_ID))
    ingest(log, rows(("a", "2017-12-01 10:00:00", 1.0, "1"), names="who at paid id"), block(**WITH_ID))
    assert events(log, "epoch_us(event_time)") == [(utc("2017-12-01 15:00:00"),)]


def test_within_a_load_the_last_received_wins(log: EventLog) -> None:
    frame = lines(line("1", 1.0, "2017-12-07"), line("1", 2.0, "2017-12-06"), line("1", 2.0, "2017-12-06"))
    assert counts(ingest(log, frame, block(**WITH_RECEIPT))) == (1, 1, 1)
    assert amounts(log) == [("1", 1.0)]
    other = block("other", event_id="'x' || id")
    assert counts(ingest(log, frame, other)) == (1, 1, 1)
    assert amounts(log) == [("1", 1.0), ("x1", 2.0)]
    assert counts(ingest(log, frame, other)) == (0, 3, 0)


def test_an_older_receipt_that_comes_late_does_not_win(log: EventLog) -> None:
    late, early = lines(line("1", 2.0, "2017-12-08")), lines(line("1", 1.0, "2017-12-06"))
    ingest(log, late, block(**WITH_RECEIPT))
    assert counts(ingest(log, early, block(**WITH_RECEIPT))) == (0, 0, 1)
    assert counts(ingest(log, early, block(**WITH_RECEIPT))) == (0, 1, 0)
    assert amounts(log) == [("1", 2.0)]
    assert counts(ingest(log, lines(line("1", 1.0, "2017-12-09")), block(**WITH_RECEIPT))) == (0, 0, 1)
    assert amounts(log) == [("1", 1.0)]


def test_rows_without_their_mapped_id_get_a_derived_one(log: EventLog) -> None:
    frame = lines(line("1", 1.0), ("a", SEVENTEEN, 1.0, None, None), ("a", SEVENTEEN, 1.0, "", None))
    assert counts(ingest(log, frame, block(**WITH_ID))) == (3, 0, 0)
    assert counts(ingest(log, frame, block(**WITH_ID))) == (0, 3, 0)


def test_two_blocks_cannot_overwrite_each_other_through_equal_ids(log: EventLog) -> None:
    ingest(log, lines(line("1", 1.0)), block(**WITH_ID))
    refunds = block("refunds", event_type="'refund'", **WITH_ID)
    report = ingest(log, lines(line("1", 1.0), line("2", 1.0)), refunds)
    assert (report.accepted, dict(report.quarantined)) == (1, {"event_id_taken": 1})
    strict = block("refunds", event_type="'refund'", max_bad_ratio=0.2, **WITH_ID)
    with pytest.raises(SourceError, match="prefix it"):
        ingest(log, lines(line("1", 1.0), line("3", 1.0)), strict)
    assert dict(log.snapshot().event_types) == {"purchase": 1, "refund": 1}


def live(
    id_: str, *, amount: float | None = 1.0, received: datetime = datetime(2017, 12, 4, 23, tzinfo=UTC)
) -> dict[str, object]:
    return {
        "customer_id": "a",
        "event_time": datetime(2017, 12, 4, 22, 30, tzinfo=UTC),
        "event_type": "purchase",
        "amount": amount,
        "event_id": id_,
        "received_at": received,
    }


def test_live_events_are_appended_once(log: EventLog) -> None:
    assert counts(log.append_events([live("1"), live("2")], now=NOW)) == (2, 0, 0)
    assert counts(log.append_events([live("2"), live("3", amount=None)], now=NOW)) == (1, 1, 0)
    assert log.snapshot().newest_by_block == {"live": datetime(2017, 12, 4, 22, 30, tzinfo=UTC)}
    assert log.append_events([], now=NOW).read == 0


def test_the_earliest_receipt_of_a_live_event_and_its_line_in_a_file_wins(tmp_path: Path) -> None:
    received = utc("2017-12-04 23:00:00")
    for order, later in (("live first", False), ("file first", True)):
        for got, expected in (("2017-12-04T22:45:00Z", utc("2017-12-04 22:45:00")), ("2017-12-05T00:00:00Z", received)):
            log = EventLog(tmp_path / f"{order} {got[:13]}")
            steps = [
                lambda log=log: log.append_events([live("1")], now=NOW),
                lambda log=log, got=got: ingest(log, lines(line("1", 1.0, got)), block(**WITH_RECEIPT)),
            ]
            for step in reversed(steps) if later else steps:
                step()
            assert counts(steps[0]()) == (0, 1, 0)
            assert counts(steps[1]()) == (0, 1, 0)
            assert events(log, "event_id, amount, epoch_us(received_at)") == [("1", 1.0, expected)], order
            assert log.snapshot().rows == 1


def test_live_events_of_a_wrong_shape_are_refused(log: EventLog) -> None:
    with pytest.raises(UsageError, match="colour"):
        log.append_events([{**live("1"), "colour": "red"}], now=NOW)
    with pytest.raises(UsageError, match="wrong type"):
        log.append_events([{**live("1"), "amount": "much"}], now=NOW)

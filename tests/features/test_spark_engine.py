"""The Spark engine equals the DuckDB engine bit for bit: many random logs as distinct customers of one job."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from features import duckdb_engine, spark_engine
from features.catalogue import TypeTraits, catalogue
from features.errors import EngineError, StateError, UsageError
from features.event_log import EventLog
from features.event_log_identity import Stored
from features.feature_table import FeatureTable, concat
from features.outcome import Outcome
from features.plan import Plan
from tests.features.log_builders import WITH_ID, block, ingest, line, lines
from tests.features.oracle import Event, day
from tests.features.parquet_logs import ParquetLog, parquet_log
from tests.features.random_logs import log_at
from tests.features.small_logs import base, every_base, plan_of
from tests.spark_needed import local_spark

FEATURES = catalogue(
    {"purchase": TypeTraits(fields=frozenset({"amount", "discount", "order_id"})), "view": TypeTraits()}
)
BASES = every_base()
OUTCOMES = (
    Outcome(name="n", event_types=("purchase", "view"), start_days=0, end_days=7, measure="count"),
    Outcome(name="m", event_types=("purchase",), start_days=2, end_days=9, measure="net_amount"),
)
CUTOFFS = (0.25, 3, 10, 20, 21.5)
COUNT = plan_of(base("count", None), base("sum", field="amount"))


@pytest.fixture(scope="module", autouse=True)
def _session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with local_spark(tmp_path_factory.mktemp("spark")):
        yield


def random_logs(count: int) -> list[list[Event]]:
    """Logs as the other parity tests draw them, the same at every run; customers of different logs are others."""
    drawn: list[list[Event]] = []

    @settings(
        max_examples=count, phases=[Phase.generate], derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(log_at())
    def collect(events: list[Event]) -> None:
        drawn.append(events)

    collect()
    return [
        [dataclasses.replace(event, customer=f"{number} {event.customer}", id=f"{number}-{event.id}") for event in log]
        for number, log in enumerate(drawn)
    ]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> ParquetLog:
    drawn = random_logs(500)
    assert len(drawn) == 500
    events = [event for log in drawn for event in log]
    assert any(event.received_at > event.at for event in events)
    return parquet_log(tmp_path_factory.mktemp("logs"), events[::2], events[1::2])


def of_both(
    log: ParquetLog, plan: Plan, cutoffs: Sequence[datetime], settle_days: float | None = None
) -> tuple[FeatureTable, FeatureTable]:
    """Table of the Spark engine, table of the DuckDB engine."""
    before = None if settle_days is None else [cutoff + timedelta(days=settle_days) for cutoff in cutoffs]
    asked = {"received_before": before, "outcomes": OUTCOMES}
    found = list(spark_engine.build(log, plan, cutoffs, **asked, partition_rows=max(1, sum(log.bucket_rows) // 8)))
    return concat(found), concat(list(duckdb_engine.build(log, plan, cutoffs, **asked)))


def bits(table: FeatureTable) -> dict[str, object]:
    """Everything, in its order."""
    return {
        "customers": table.customer_ids.tolist(),
        "rows": list(zip(table.customer.tolist(), table.cutoff_us.tolist(), strict=True)),
        **{name: getattr(table, name).tobytes() for name in ("base", "values", "outcomes")},
    }


@pytest.mark.parametrize(
    ("most", "zone", "settle_days"),
    [
        (4, "Asia/Kolkata", 0.25),
        (4_096, "America/New_York", None),
        *(
            pytest.param(most, zone, settle_days, marks=pytest.mark.slow)
            for most in (1, 8, 4_096)
            for zone in ("UTC", "Asia/Kolkata")
            for settle_days in (None, 0, 5)
        ),
    ],
)
def test_five_hundred_random_logs_have_the_duckdb_engines_bits(
    logs: ParquetLog, most: int, zone: str, settle_days: float | None
) -> None:
    plan = plan_of(*BASES, features=FEATURES, timezone=zone, max_events=most)
    found, wanted = of_both(logs, plan, [day(at) for at in reversed(CUTOFFS)], settle_days)
    assert len(wanted) > 500
    assert bits(found) == bits(wanted)


def test_a_log_without_files_needs_no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    log = ParquetLog(bucket_rows=(0,) * 256, stored=Stored(files=(), superseded=()))
    found, wanted = of_both(log, COUNT, [day(3)])
    assert bits(found) == bits(wanted)
    assert len(found) == 0


def test_one_event_and_ids_of_any_text_in_a_folder_of_any_name(tmp_path: Path) -> None:
    strange = ["it's", " a b ", "🛍", "x" * 10_000, "é", "*", "\\"]
    alone = [Event(at=day(1), numbers={"amount": 2.675})]
    for number, events in enumerate((alone, [Event(at=day(1), customer=id_, order=id_) for id_ in strange])):
        log = parquet_log(tmp_path / f"[{number}] a*b? %20 {{x,y}}", events)
        found, wanted = of_both(log, COUNT, [day(2)])
        assert bits(found) == bits(wanted)
        assert sorted(found.customer_ids) == sorted(event.customer for event in events)
        assert found.base[:, 0].tolist() == [1] * len(events)


def test_numbers_and_times_at_the_ends_of_their_range(tmp_path: Path) -> None:
    numbers = [0.005, -0.005, 1.005, 2.675, 1e12, -1e12, float("nan"), float("inf"), float("-inf"), -0.0]
    events = [Event(at=day(1), customer=f"n{at}", numbers={"amount": number}) for at, number in enumerate(numbers)]
    moments = [datetime(1, 1, 1, tzinfo=UTC), datetime(1582, 10, 10, tzinfo=UTC), datetime(1899, 12, 31, tzinfo=UTC)]
    moments += [datetime(2024, 3, 31, 1, 30, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC)]
    events += [Event(at=at, customer=f"t{number}") for number, at in enumerate(moments)]
    plan = plan_of(base("sum", field="amount"), base("present", field="amount"), base("first"), base("last"))
    found, wanted = of_both(parquet_log(tmp_path, events), plan, [day(2), datetime(9999, 12, 31, tzinfo=UTC)])
    assert bits(found) == bits(wanted)
    assert len(found) == 2 * (len(events) - 2) + 2


def test_a_real_log_with_two_segments_late_events_and_corrections(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log")
    mapped = block(**WITH_ID, received_at="got")
    first = [line(f"e{number}", number + 0.5, who=f"c{number % 7}") for number in range(40)]
    ingest(log, lines(*first), mapped)
    late, again = "2017-12-20T00:00:00Z", "2017-12-21T00:00:00Z"
    changed = [line("e1", 99.0, late, "c1"), line("e2", 98.0, late, "moved"), line("new", 5.0, late, "c3")]
    ingest(log, lines(*changed), mapped)
    ingest(log, lines(line("e1", 100.0, again, "c1")), mapped)
    snapshot = log.snapshot()
    assert (len(snapshot.stored.files), len(snapshot.stored.superseded), snapshot.corrections) == (3, 2, 3)
    cutoffs = [datetime(2017, 12, 6, tzinfo=UTC), datetime(2018, 1, 1, tzinfo=UTC)]
    for settle_days in (None, 0.0):
        one, other = (
            concat(
                list(
                    build(
                        snapshot,
                        COUNT,
                        cutoffs,
                        received_before=None if settle_days is None else cutoffs,
                    )
                )
            )
            for build in (spark_engine.build, duckdb_engine.build)
        )
        assert bits(one) == bits(other)
    assert "moved" in one.customer_ids
    assert int(one.base[one.cutoff_us == one.cutoff_us.max(), 0].sum()) == snapshot.rows == 41


def test_progress_and_scratch(logs: ParquetLog, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    tables = spark_engine.build(
        logs,
        COUNT,
        [day(20)],
        scratch=tmp_path,
        progress=lambda done, total: seen.append((done, total)),
        partition_rows=500,
    )
    next(tables)
    assert len(list(tmp_path.iterdir())) == 1
    list(tables)
    assert list(tmp_path.iterdir()) == []
    assert len(seen) > 3
    assert seen[-1] == (sum(logs.bucket_rows),) * 2


def test_a_damaged_or_missing_file_is_a_state_error(tmp_path: Path) -> None:
    log = parquet_log(tmp_path, [Event(at=day(1))])
    file = Path(log.stored.files[0])
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(StateError, match=r"cannot be read: \[FAILED_READ_FILE.*000001.parquet.*restore its folder"):
        list(spark_engine.build(log, COUNT, [day(2)], scratch=tmp_path))
    file.unlink()
    with pytest.raises(StateError, match=r"000001.parquet is missing"):
        list(spark_engine.build(log, COUNT, [day(2)], scratch=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_fails_is_an_engine_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_engine, "work", lambda *_, **__: 1 // 0)
    with pytest.raises(EngineError, match=r"Spark failed: ZeroDivisionError.*duckdb"):
        list(spark_engine.build(parquet_log(tmp_path, [Event(at=day(1))]), COUNT, [day(2)]))


def test_without_pyspark_the_error_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = parquet_log(tmp_path, [Event(at=day(1))])
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(EngineError, match=r"pip install 'ebbtide\[spark\]'"):
        list(spark_engine.build(log, COUNT, [day(2)]))


def test_cutoffs_are_checked_before_anything_runs() -> None:
    log = ParquetLog(bucket_rows=(1,), stored=Stored(files=("nowhere",), superseded=()))
    with pytest.raises(UsageError, match="twice"):
        list(spark_engine.build(log, COUNT, [day(1), day(1)]))

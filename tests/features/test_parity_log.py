"""What the parity replay reads of a log: the sample, arrivals in their order, corrections."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.event_log import EventLog
from features.parity import BatchRows
from features.parity_log import SampledLog, customers, rebuilt, sample
from features.parity_replay import Moment
from tests.features.log_builders import WITH_ID, WITH_RECEIPT, block, ingest, line, lines, utc
from tests.features.oracle import Event, day, us
from tests.features.small_logs import base, event_row, plan_of, table_of
from tests.features.test_parity_replay import CUTOFFS, Log, bought, moment


def test_a_rebuilt_state_sees_no_more_than_its_moment() -> None:
    log = Log([bought(1), bought(2, received=8), bought(5), bought(1, "b")])
    state = rebuilt(log, "a", sample(log, None, seed=0).buckets["a"], moment(4, 0.25), max_events=9)
    assert state is not None
    assert state.content.time.tolist() == [us(day(1))]
    assert rebuilt(log, "a", sample(log, None, seed=0).buckets["a"], moment(0), max_events=9) is None


def test_events_come_in_the_order_of_their_receipt() -> None:
    (customer,) = customers(Log([bought(1, received=9), bought(5), bought(3, received=4)]), {"a": bucket_of("a")})
    assert [event.event_time_us for event in customer.events] == [us(day(3)), us(day(5)), us(day(1))]
    assert customer.first_us == us(day(1))
    full = event_row(Event(at=day(1), received=day(2), id="x", order="o", numbers={"amount": 2.5, "rating": 4.0}), 0)
    (read,) = customers(
        Log(
            [Event(at=day(1), received=day(2), id="x", order="o", customer="z", numbers={"amount": 2.5, "rating": 4.0})]
        ),
        {"z": bucket_of("z")},
    )
    assert read.events == [full]


def bucket_of(customer: str) -> int:
    return sample(Log([bought(0, customer)]), 1, seed=0).buckets[customer]


def test_the_sample_holds_customers_of_every_kind() -> None:
    events = [bought(at / 10, "busy") for at in range(50)]
    events += [bought(1 + at, "late", received=5 + 3 * at) for at in range(2)]
    events += [bought(at, "once") for at in (3,)]
    events += [bought(at, f"c{number}") for number in range(40) for at in (1, 2, 3)]
    first, again, other = (sample(Log(events), 10, seed=seed) for seed in (1, 1, 2))
    assert {"busy", "late", "once"} <= set(first.buckets)
    assert first == again
    assert list(first.buckets) != list(other.buckets)
    assert len(first.buckets) == 10
    assert first.strata == {"busiest": 2, "late": 1, "corrected": 0, "single": 1, "random": 6}
    assert set(sample(Log(events), None, seed=1).buckets) == {event.customer for event in events}
    assert len(sample(Log(events), 1_000, seed=1).buckets) == 43
    assert sample(Log([]), 5, seed=1).buckets == {}


def test_customers_with_too_many_events_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.parity_log.MOST_EVENTS", 3)
    found = sample(Log([*[bought(at) for at in range(4)], *[bought(at, "b") for at in range(3)]]), 9, seed=0)
    assert (set(found.buckets), found.left_out) == ({"b"}, 1)


def test_a_sampled_log_has_only_its_customers() -> None:
    log = Log([bought(1, "it's"), bought(2, "it's"), bought(1, "b")])
    buckets = {"it's": sample(log, None, seed=0).buckets["it's"]}
    assert [one.customer_id for one in customers(log, buckets)] == ["it's"]
    assert sum(SampledLog(log=log, buckets=buckets).bucket_rows) == 2
    rows = BatchRows(["it's"])
    rows.take(table_of(log.events, plan_of(base("count")), CUTOFFS))
    assert len(rows) == len(CUTOFFS)
    assert rows.get("b", us(day(3))) is None


def test_versions_of_a_corrected_event_arrive_before_its_truth(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log")
    first, second, third = "2017-12-05T00:00:00Z", "2017-12-06T00:00:00Z", "2017-12-07T00:00:00Z"
    ingest(log, lines(line("x", 1.0, first), line("y", 9.0, third), line("z", 5.0, second, "b")), block(**WITH_RECEIPT))
    ingest(log, lines(line("x", 2.0, second)), block(**WITH_RECEIPT))
    ingest(log, lines(line("x", 3.0, third)), block(**WITH_RECEIPT))
    snapshot = log.snapshot()
    chosen = sample(snapshot, 5, seed=0)
    assert (chosen.strata["busiest"], chosen.strata["corrected"]) == (1, 0)  # a has the most events already
    found = {one.customer_id: one for one in customers(snapshot, chosen.buckets)}
    told = [
        (event.event_id, event.amount, truth)
        for event, truth in zip(found["a"].events, found["a"].is_truth, strict=True)
    ]
    assert told[:2] == [("x", 1.0, False), ("x", 2.0, False)]
    assert sorted(told[2:]) == [("x", 3.0, True), ("y", 9.0, True)]
    assert found["b"].is_truth == [True]
    seen, missing = found["a"].visible(Moment(cutoff_us=utc(third[:19]), received_before_us=utc("2017-12-06 12:00:00")))
    assert (seen, missing) == ([], True)


def test_without_times_of_receipt_only_the_truth_arrives(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log")
    later = ("a", "2017-12-09 10:00:00", 1.0, "x", None)
    ingest(log, lines(later), block(**WITH_ID))
    ingest(log, lines(line("x", 2.0)), block(**WITH_ID))  # the last loaded is the truth, though it happened earlier
    snapshot = log.snapshot()
    (found,) = customers(snapshot, sample(snapshot, 1, seed=0).buckets)
    assert [(event.amount, truth) for event, truth in zip(found.events, found.is_truth, strict=True)] == [(2.0, True)]


def test_customers_with_corrections_are_sampled(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log")
    crowd = [line(f"{who}{number}", 1.0, "2017-12-09T00:00:00Z", f"c{who}") for who in range(30) for number in range(3)]
    ingest(log, lines(*crowd, line("x", 1.0, who="mended"), line("w", 1.0, who="mended")), block(**WITH_RECEIPT))
    ingest(log, lines(line("x", 2.0, "2017-12-06T00:00:00Z", "mended")), block(**WITH_RECEIPT))
    chosen = sample(log.snapshot(), 5, seed=0)
    assert "mended" in chosen.buckets
    assert chosen.strata["corrected"] == 1

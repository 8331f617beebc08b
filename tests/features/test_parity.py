"""Batch engine, packed state and nested loops agree bit for bit on small random logs, over the whole grammar."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.duckdb_engine import build, concat, states
from features.errors import StateError
from features.event_log import EventLog
from features.outcome import Outcome
from features.plan import Plan
from features.state import State, Status
from tests.features.oracle import Event, day, us, visible
from tests.features.oracle_readout import outcome_value
from tests.features.random_logs import (
    ANCHORS,
    CUTOFFS,
    PARTS,
    a_log,
    arrivals,
    plan_for,
    random_logs,
    settled,
    wanted_row,
)
from tests.features.small_logs import FakeLog, event_row, every_base, rows_of, table_of

OUTCOMES = (
    Outcome(name="n", event_types=("purchase", "view"), start_days=0, end_days=7, measure="count"),
    Outcome(name="m", event_types=("purchase",), start_days=2, end_days=9, measure="net_amount"),
)
MOST = st.sampled_from([1, 4, 8, 4_096])
PART = st.integers(0, PARTS - 1)
SETTLE = st.sampled_from([None, None, 0, 0.25, 5])
BATCH = (a_log(), MOST, PART, SETTLE, st.sampled_from([1_000, 1_000, 10, 1]))
ONLINE = (arrivals(), MOST, PART, SETTLE)


def check_batch(log: tuple[int, list[Event]], most: int, part: int, settle_days: float | None, batch_rows: int) -> None:
    anchor, events = log
    plan, cutoffs = plan_for(anchor, most, part), [anchor + at for at in CUTOFFS]
    table = table_of(events, plan, cutoffs, settle_days=settle_days, outcomes=OUTCOMES, batch_rows=batch_rows)
    found, after = rows_of(table), rows_of(table, outcomes=True)
    wanted = {}
    for customer in {event.customer for event in events}:
        own = [event for event in events if event.customer == customer]
        for at in cutoffs:
            before = None if settle_days is None else day(at) + timedelta(days=settle_days)
            if visible(own, day(at), before):
                wanted[customer, us(day(at))] = own, day(at), before
    assert set(found) == set(wanted)
    for key, (own, cutoff, before) in wanted.items():
        compare(found[key], wanted_row(own, plan, cutoff, before), plan)
        assert after[key] == [outcome_value(own, outcome, cutoff) for outcome in OUTCOMES]


def compare(found: list[int], wanted: list[int], plan: Plan) -> None:
    wrong = {
        str(plan.extra[at].to_dict()): (found[at], wanted[at]) for at in range(len(found)) if found[at] != wanted[at]
    }
    assert not wrong  # aggregate: (found, wanted)


def check_online(arrived: tuple[int, list[tuple[Event, str]]], most: int, part: int, settle_days: float | None) -> None:
    anchor, line = arrived
    state, too_old = State.empty(max_events=most), 0
    for event, mark in line:
        state, (status,) = state.update([event_row(event, 0)])
        too_old += status is Status.TOO_OLD
        if mark == "compact":
            state = state.compact()
        if mark == "pack":
            state = State.decode(state.encode())
    assert state.stale == (too_old > 0)
    if not state.stale:
        check_answers(state, settled([event for event, _ in line]), plan_for(anchor, most, part), anchor, settle_days)


def check_answers(state: State, events: list[Event], plan: Plan, anchor: int, settle_days: float | None) -> None:
    for at in (*CUTOFFS, 30):
        cutoff = day(anchor + at)
        before = None if settle_days is None else cutoff + timedelta(days=settle_days)
        if us(cutoff) < state.oldest_answerable_us:
            with pytest.raises(StateError):
                state.answer(plan, us(cutoff))
            continue
        try:
            row = state.answer(plan, us(cutoff), None if before is None else us(before)).base
        except StateError:
            assert before is not None  # what was received late is missing from the last max_events, or in the carry
            continue
        compare(row.tolist(), wanted_row(events, plan, cutoff, before), plan)


@random_logs(260)
@given(*BATCH)
def test_batch_equals_nested_loops(
    log: tuple[int, list[Event]], most: int, part: int, settle_days: float | None, batch_rows: int
) -> None:
    check_batch(log, most, part, settle_days, batch_rows)


@random_logs(260)
@given(*ONLINE)
def test_a_state_equals_nested_loops_however_its_events_arrived(
    arrived: tuple[int, list[tuple[Event, str]]], most: int, part: int, settle_days: float | None
) -> None:
    check_online(arrived, most, part, settle_days)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@random_logs(2_500)
@given(*BATCH)
def test_batch_equals_nested_loops_on_thousands_of_logs(
    log: tuple[int, list[Event]], most: int, part: int, settle_days: float | None, batch_rows: int
) -> None:
    check_batch(log, most, part, settle_days, batch_rows)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@random_logs(2_500)
@given(*ONLINE)
def test_a_state_equals_nested_loops_on_thousands_of_logs(
    arrived: tuple[int, list[tuple[Event, str]]], most: int, part: int, settle_days: float | None
) -> None:
    check_online(arrived, most, part, settle_days)


@random_logs(40)
@given(a_log(), MOST, PART)
def test_states_made_in_bulk_equal_nested_loops(log: tuple[int, list[Event]], most: int, part: int) -> None:
    anchor, events = log
    found = dict(states(FakeLog(events), max_events=most, batch_rows=30))
    assert set(found) == {event.customer for event in events}
    for customer, state in found.items():
        own = [event for event in events if event.customer == customer]
        check_answers(State.decode(state.encode()), own, plan_for(anchor, most, part), anchor, None)


@random_logs(10)
@given(arrivals(), st.integers(1, 4), PART)
def test_a_real_log_that_gets_events_twice_equals_nested_loops(
    arrived: tuple[int, list[tuple[Event, str]]], loads: int, part: int
) -> None:
    anchor, line = arrived
    # the log quarantines numbers that are not finite, and an empty text is none
    line = [(_in_the_log(event), mark) for event, mark in line if all(map(math.isfinite, event.numbers.values()))]
    plan, cutoffs = plan_for(anchor, 8, part), [anchor + at for at in CUTOFFS]
    rows = [
        {
            "customer_id": event.customer,
            "event_time": event.at,
            "received_at": event.received_at,
            "event_type": event.type or "none",
            "event_id": event.id,
            "order_id": event.order,
            **event.numbers,
            **event.texts,
        }
        for event, _ in line
    ]
    with TemporaryDirectory() as folder:
        log = EventLog(Path(folder) / "log")
        for load in range(loads):
            log.append_events(rows[load::loads], now=day(9_000))
        snapshot = log.snapshot()
        settle = [day(at) + timedelta(days=5) for at in cutoffs]
        found = rows_of(concat(list(build(snapshot, plan, [day(at) for at in cutoffs], received_before=settle))))
    events = settled([event for event, _ in line])
    for at in cutoffs:
        before = day(at) + timedelta(days=5)
        assert (("a", us(day(at))) in found) == bool(visible(events, day(at), before))
        if ("a", us(day(at))) in found:
            compare(found["a", us(day(at))], wanted_row(events, plan, day(at), before), plan)


def _in_the_log(event: Event) -> Event:
    return replace(event, texts={name: text for name, text in event.texts.items() if text})


def test_the_random_logs_reach_every_zone_and_every_aggregate() -> None:
    plans = [plan_for(anchor, 8, part) for anchor in ANCHORS for part in range(PARTS)]
    assert {plan.timezone for plan in plans} == set(ANCHORS.values())
    assert {wanted for plan in plans for wanted in plan.extra} == set(every_base())

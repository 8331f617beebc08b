"""Batch engine, packed state and nested loops agree bit for bit on small random logs."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import TypeTraits, catalogue
from features.errors import StateError
from features.outcome import Outcome
from features.plan import Plan
from features.readout import readout
from features.state import State, Status
from tests.features.oracle import Event, base_value, day, outcome_value, us, visible
from tests.features.small_logs import a_log, event_row, every_base, plan_of, table_of

RICH = TypeTraits(fields=frozenset({"amount", "discount", "order_id"}))
FEATURES = catalogue({"purchase": RICH, "view": TypeTraits()})
BASES = every_base(["purchase", "view", None], [None, 1, 7, 400])
OUTCOMES = (
    Outcome(name="n", event_types=("purchase", "view"), start_days=0, end_days=7, measure="count"),
    Outcome(name="m", event_types=("purchase",), start_days=2, end_days=9, measure="net_amount"),
)
CUTOFFS = (0.25, 3, 10, 20, 21.5)
PLANS = {
    (most, zone): plan_of(*BASES, features=FEATURES, timezone=zone, max_events=most)
    for most in (1, 4, 8, 4_096)
    for zone in ("UTC", "America/New_York", "Asia/Kolkata")
}
plans = st.sampled_from(sorted(PLANS)).map(PLANS.__getitem__)


def expected_row(events: list[Event], plan: Plan, cutoff: float, settle_days: float | None) -> list[int]:
    before = None if settle_days is None else day(cutoff) + timedelta(days=settle_days)
    return [
        base_value(
            events,
            wanted,
            cutoff=day(cutoff),
            received_before=before,
            timezone=plan.timezone,
            max_events=plan.max_events,
        )
        for wanted in plan.base
    ]


@settings(max_examples=60, deadline=None)
@given(a_log(), plans, st.sampled_from([None, 0, 0.25, 5]), st.sampled_from([1, 10, 1_000]))
def test_batch_equals_nested_loops(events: list[Event], plan: Plan, settle_days: float | None, batch_rows: int) -> None:
    table = table_of(events, plan, CUTOFFS, settle_days=settle_days, outcomes=OUTCOMES, batch_rows=batch_rows)
    found = {}
    for row in range(len(table)):
        found[table.customer_ids[table.customer[row]], int(table.cutoff_us[row])] = row
    wanted = {}
    for customer in {event.customer for event in events}:
        own = [event for event in events if event.customer == customer]
        for cutoff in CUTOFFS:
            before = None if settle_days is None else day(cutoff) + timedelta(days=settle_days)
            if visible(own, day(cutoff), before):
                wanted[customer, us(day(cutoff))] = (own, cutoff)
    assert set(found) == set(wanted)
    for key, (own, cutoff) in wanted.items():
        assert table.base[found[key]].tolist() == expected_row(own, plan, cutoff, settle_days), key
        after = [outcome_value(own, outcome, day(cutoff)) for outcome in OUTCOMES]
        assert table.outcomes[found[key]].tolist() == after


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Event], list[str]]:
    """Events of one customer in an order of arrival, and where the state is compacted or packed."""
    events = [Event(**{**vars(event), "customer": "a"}) for event in draw(a_log(max_size=40))]
    jitter = draw(st.sampled_from([0, 0, 2, 1_000]))
    moves = draw(st.lists(st.integers(0, jitter), min_size=len(events), max_size=len(events)))
    order = sorted(range(len(events)), key=lambda n: (events[n].at + timedelta(days=moves[n]), n))
    marks = draw(st.lists(st.sampled_from(["", "", "", "compact", "pack"]), min_size=40, max_size=40))
    return [events[at] for at in order], marks


@settings(max_examples=150, deadline=None)
@given(arrivals(), plans, st.sampled_from([None, 0.25, 5]))
def test_a_state_equals_nested_loops_however_its_events_arrived(
    arrived: tuple[list[Event], list[str]], plan: Plan, settle_days: float | None
) -> None:
    events, marks = arrived
    state = State.empty(max_events=plan.max_events)
    dropped = 0
    for event, mark in zip(events, marks, strict=False):
        state, (status,) = state.update([event_row(event, 0)])
        dropped += status is Status.TOO_OLD
        if mark == "compact":
            state = state.compact()
        if mark == "pack":
            state = State.decode(state.encode())
    assert state.stale == (dropped > 0)
    if state.stale:
        return
    for cutoff in (*CUTOFFS, 30):
        before = None if settle_days is None else us(day(cutoff) + timedelta(days=settle_days))
        if before is not None and state.content.carry_received >= before:
            continue
        if us(day(cutoff)) < state.oldest_answerable_us:
            with pytest.raises(StateError, match="before what the customer's stored state can answer"):
                state.base_row(plan, us(day(cutoff)))
            continue
        try:
            row = state.base_row(plan, us(day(cutoff)), before)
        except StateError:
            assert before is not None  # what was received late is missing from the last max_events
            continue
        assert row.tolist() == expected_row(events, plan, cutoff, settle_days)


@settings(max_examples=25, deadline=None)
@given(a_log(), plans)
def test_feature_values_are_the_same_bits_for_one_row_and_for_many(events: list[Event], plan: Plan) -> None:
    table = table_of(events, plan, CUTOFFS)
    for row in range(len(table)):
        customer = table.customer_ids[table.customer[row]]
        own = [event_row(event, 0) for event in events if event.customer == customer]
        state = State.empty(max_events=plan.max_events).update(own).state
        cutoff = table.cutoff_us[row : row + 1]
        one = readout(plan, state.base_row(plan, int(cutoff[0]))[None], cutoff)
        assert one.tobytes() == table.values[row : row + 1].tobytes()


@settings(max_examples=40, deadline=None)
@given(a_log(), plans, st.data())
def test_what_lies_ahead_or_came_too_late_changes_nothing(events: list[Event], plan: Plan, data: st.DataObject) -> None:
    cutoff, settle = 10, 0.25
    before = table_of(events, plan, [cutoff], settle_days=settle)
    hidden = [event for event in events if event not in visible(events, day(cutoff), day(cutoff + settle))]
    kept = [event for event in events if event not in hidden or data.draw(st.booleans())]
    after = table_of(data.draw(st.permutations(kept)), plan, [cutoff], settle_days=settle)
    assert sorted(before.customer_ids[before.customer]) == sorted(after.customer_ids[after.customer])
    by_customer = np.argsort(before.customer_ids[before.customer]), np.argsort(after.customer_ids[after.customer])
    assert before.base[by_customer[0]].tobytes() == after.base[by_customer[1]].tobytes()
    assert before.values[by_customer[0]].tobytes() == after.values[by_customer[1]].tobytes()

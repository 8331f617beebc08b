"""The parity replay: equal on random logs, and every kind of difference is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import TypeTraits, catalogue
from features.feature_table import FeatureTable
from features.parity import MOST_SHOWN, BatchRows, Tally, Vector, answer, compare, replay_pairs
from features.parity_log import customers, rebuilt, sample
from features.parity_replay import Customer, Moment, dice, replay
from features.plan import Plan
from features.state import EventRow, State
from tests.features.oracle import Event, day, us
from tests.features.random_logs import log_at
from tests.features.small_logs import FakeLog, base, event_row, plan_of, table_of

FEATURES = catalogue({"purchase": TypeTraits(fields=frozenset({"amount", "order_id"})), "view": TypeTraits()})
EXTRA = (base("last", None), base("count", "view", 7))
PLANS = {most: plan_of(*EXTRA, features=FEATURES, max_events=most) for most in (1, 4, 4_096)}
CUTOFFS = (3, 10, 21.5)


@dataclass(frozen=True)
class Log(FakeLog):
    """A log without corrections."""

    def superseded_sql(self, *_: int) -> None:
        return None


def moment(cutoff: float, settle_days: float = 1_000) -> Moment:
    return Moment(cutoff_us=us(day(cutoff)), received_before_us=us(day(cutoff) + timedelta(days=settle_days)))


def proven(
    events: Sequence[Event], plan: Plan, settle_days: float, *, seed: int = 0, table: FeatureTable | None = None
) -> Tally:
    """Replay every customer at every cutoff."""
    log, tally, rows = Log(events), Tally(), BatchRows()
    rows.take(table or table_of(events, plan, CUTOFFS, settle_days=settle_days))
    buckets = sample(log, None, seed=seed).buckets

    def rebuild(customer_id: str, at: Moment) -> State | None:
        return rebuilt(log, customer_id, buckets[customer_id], at, max_events=plan.max_events)

    for customer in customers(log, buckets):
        moments = [moment(cutoff, settle_days) for cutoff in CUTOFFS]
        replay_pairs(plan, rows, customer, moments, seed=seed, rebuild=rebuild, tally=tally)
    return tally


@settings(max_examples=60, deadline=None)
@given(log_at(), st.sampled_from(sorted(PLANS)), st.sampled_from([0, 0.25, 5]), st.integers(0, 99))
def test_random_logs_are_equal_to_the_last_bit(events: list[Event], most: int, settle: float, seed: int) -> None:
    tally = proven(events, PLANS[most], settle, seed=seed)
    assert tally.first == []
    assert tally.pairs == len(CUTOFFS) * len({event.customer for event in events})
    width = len(PLANS[most].extra) + len(PLANS[most].features)
    assert tally.values == width * (tally.pairs - tally.empty)


def bought(at: float, customer: str = "a", received: float | None = None, **more: object) -> Event:
    when = None if received is None else day(received)
    return Event(at=day(at), customer=customer, id=f"{customer}{at}", numbers={"amount": 5.0}, received=when, **more)


def test_a_stale_state_is_rebuilt_from_what_is_visible() -> None:
    events = [bought(4 + at / 10, received=4 + at / 10) for at in range(40)] + [bought(1, received=9.5)]
    counts = [proven(events, PLANS[4], 0.25, seed=seed) for seed in range(20)]
    assert all(tally.first == [] for tally in counts)
    assert sum(tally.rebuilt for tally in counts) > 5
    assert all(tally.rebuilt <= 2 for tally in counts)  # at the first cutoff nothing is there that could be too old


PLAN = plan_of(base("count", "view"), features=FEATURES)
ROW = Vector(base=np.arange(len(PLAN.extra)), values=np.linspace(1, 2, len(PLAN.features), dtype=np.float32))


def changed(at: int, value: float) -> Vector:
    values = ROW.values.copy()
    values[at] = value
    return replace(ROW, values=values)


def test_one_flipped_bit_of_a_value() -> None:
    flipped = ROW.values.copy()
    flipped.view(np.uint32)[3] ^= 1
    ((column, batch, state),) = compare(PLAN, ROW, replace(ROW, values=flipped))
    assert column == PLAN.feature_names[3]
    assert f"(bits {ROW.values.view(np.uint32)[3]:08x})" in batch
    assert f"(bits {ROW.values.view(np.uint32)[3] ^ 1:08x})" in state


def test_null_against_a_number_and_against_null() -> None:
    ((column, batch, state),) = compare(PLAN, changed(0, np.nan), ROW)
    assert (column, batch, state) == (PLAN.feature_names[0], "null (bits 7fc00000)", "1.0 (bits 3f800000)")
    other = changed(0, np.nan)
    other.values.view(np.uint32)[0] = 0xFFC00001
    assert compare(PLAN, changed(0, np.nan), other) == []


def test_zero_is_not_minus_zero() -> None:
    assert compare(PLAN, changed(1, 0.0), changed(1, -0.0)) == [
        (PLAN.feature_names[1], "0.0 (bits 00000000)", "-0.0 (bits 80000000)")
    ]


def test_a_base_aggregate_that_is_one_off() -> None:
    other = ROW.base.copy()
    other[PLAN.base_index(base("count", "view"))] -= 1
    ((column, batch, state),) = compare(PLAN, ROW, replace(ROW, base=other))
    assert (column, int(batch) - int(state)) == ("base count view", 1)


def test_a_row_on_one_side_only() -> None:
    assert compare(PLAN, None, None) == []
    assert compare(PLAN, None, ROW) == [("row", "no row", "visible events")]
    assert compare(PLAN, ROW, None) == [("row", "a row", "no visible event")]
    assert compare(PLAN, ROW, "refuses: too old") == [("row", "a row", "refuses: too old")]


def without_row(table: FeatureTable, at: int) -> FeatureTable:
    columns = ("customer", "cutoff_us", "base", "values", "outcomes")
    return replace(table, **{name: np.delete(getattr(table, name), at, axis=0) for name in columns})


def test_a_row_that_the_batch_table_lacks_is_found() -> None:
    events = [bought(1), bought(12), bought(2, "b")]
    table = table_of(events, PLAN, CUTOFFS, settle_days=0)
    assert proven(events, PLAN, 0, table=table).different == 0
    tally = proven(events, PLAN, 0, table=without_row(table, 1))
    (found,) = tally.first
    assert (found.customer_id, found.cutoff_us, found.column) == (
        table.customer_ids[table.customer[1]],
        int(table.cutoff_us[1]),
        "row",
    )


def test_a_row_that_sees_what_was_received_too_late_is_found() -> None:
    events = [bought(1), bought(2, received=8)]
    leaking = table_of(events, PLAN, CUTOFFS)
    tally = proven(events, PLAN, 0.25, table=leaking)
    assert {found.cutoff_us for found in tally.first} == {us(day(3))}
    assert "purchase_count_7d" in {found.column for found in tally.first}


def test_the_first_differences_are_kept_and_all_are_counted() -> None:
    events = [bought(1)]
    table = table_of(events, PLAN, CUTOFFS, settle_days=0)
    tally = proven(events, PLAN, 0, table=replace(table, values=table.values + 1))
    known = int((~np.isnan(table.values)).sum())
    assert known > MOST_SHOWN
    assert (tally.different, len(tally.first)) == (known, MOST_SHOWN)
    assert tally.first[0].sentence().startswith("customer 'a' at 2020-01-04T00:00:00+00:00, ")


def test_a_state_that_refuses_is_a_difference_and_no_crash() -> None:
    state = State.empty(max_events=2).update([event_row(bought(at), at) for at in range(9)]).state.compact()
    refused = answer(state, plan_of(*EXTRA, max_events=2), us(day(1)))
    assert isinstance(refused, str)
    assert refused.startswith("refuses: the cutoff 2020-01-02")


def test_the_replay_compacts_packs_and_cuts_at_random_but_repeatable_points() -> None:
    events = [event_row(bought(at), at) for at in range(30)]
    states = [replay(events, max_events=4, generator=dice(seed, "a")) for seed in range(30)]
    kept = {state.event_count for state in states}
    assert len(kept) > 3
    assert 30 in kept
    assert all(answer(state, PLANS[4], us(day(31))) for state in states)
    again = replay(events, max_events=4, generator=dice(7, "a"))
    assert again.encode() == states[7].encode()
    assert dice(1, "a", 5).random() != dice(1, "b", 5).random() != dice(1, "b", 6).random()


def test_of_a_corrected_event_the_versions_known_at_the_moment_are_replayed() -> None:
    def version(at: float, received: float) -> EventRow:
        return event_row(Event(at=day(at), received=day(received), id="x"), 0)

    other = event_row(bought(1), 0)
    customer = Customer(customer_id="a", events=[other, version(2, 2), version(2.5, 6)], is_truth=[True, False, True])
    assert customer.visible(moment(9, 0)) == ([other, version(2, 2), version(2.5, 6)], False)
    assert customer.visible(moment(5, 0)) == ([other], True)
    assert customer.visible(moment(1.5, 0)) == ([other], False)
    assert customer.visible(moment(0.5, 0)) == ([], False)

"""What holds for every word of the grammar: it is covered here, and neither the future nor any order changes it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definition import Aggregation, Base, Family, Feature, Readout
from features.errors import UsageError
from features.feature_table import FeatureTable
from features.kernel_readout import fill_values
from features.plan import Plan
from features.state import State
from tests.features.every_feature import every_feature
from tests.features.oracle import NULL, Event, day, us, visible
from tests.features.oracle_readout import OF_THE_POSTERIOR, moment, readout_value
from tests.features.random_logs import (
    ANCHORS,
    EVENT_BYTES,
    PARTS,
    a_log,
    arrivals,
    event_of,
    plan_for,
    random_logs,
    settled,
)
from tests.features.small_logs import base, event_row, every_base, plan_of, table_of

PART = st.integers(0, PARTS - 1)
CUTOFF, SETTLE = 8, 0.25


def values_of(plan: Plan, row: list[int], cutoff_us: int) -> list[float]:
    values = np.empty((1, len(plan.features)), dtype=np.float32)
    columns = np.array(row, dtype=np.int64)[:, None]
    fill_values(plan.readout_program, columns, np.array([cutoff_us]), np.zeros(1, np.int64), values)
    return [float(value) for value in values[0]]


def bits(table: FeatureTable) -> dict[tuple[str, int], tuple[bytes, bytes]]:
    keys = zip(table.customer_ids[table.customer], table.cutoff_us.tolist(), strict=True)
    rows = ((base.tobytes(), values.tobytes()) for base, values in zip(table.base, table.values, strict=True))
    return dict(zip(keys, rows, strict=True))


def test_every_aggregation_and_every_readout_is_covered() -> None:
    assert {each.aggregation for each in every_base()} == set(Aggregation) - {Aggregation.ATTRIBUTE}
    assert {feature.readout for feature in every_feature()} == set(Readout)
    for aggregation in set(Aggregation) - {Aggregation.ATTRIBUTE}:
        own = {each.event_type for each in every_base() if each.aggregation is aggregation}
        assert len(own) >= 2, aggregation


@random_logs(60)
@given(a_log(), PART, st.integers(0, 2**32 - 1), st.lists(st.binary(min_size=EVENT_BYTES, max_size=EVENT_BYTES)))
def test_what_lies_ahead_or_came_too_late_changes_nothing(
    log: tuple[int, list[Event]], part: int, mask: int, others: list[bytes]
) -> None:
    anchor, events = log
    cutoff = anchor + CUTOFF
    plan = plan_for(anchor, 8, part)
    seen = visible(events, day(cutoff), day(cutoff + SETTLE))
    hidden = [event for at, event in enumerate(events) if event not in seen and mask >> at % 32 & 1]
    ahead = [event_of(data, anchor) for data in others]
    ahead = [replace(e, at=max(e.at, day(cutoff)), id=f"ahead{at}") for at, e in enumerate(ahead)]
    late = [replace(event, received=day(cutoff + SETTLE), id=f"late{at}") for at, event in enumerate(ahead)]
    options = {"settle_days": SETTLE, "outcomes": ()}
    assert bits(table_of(events, plan, [cutoff], **options)) == bits(
        table_of([*late, *seen, *ahead, *hidden], plan, [cutoff], **options)
    )


@random_logs(40)
@given(a_log(), PART, st.randoms(use_true_random=False), st.sampled_from([1, 7, 1_000]), st.integers(1, 3))
def test_neither_the_order_of_rows_nor_batches_nor_threads_matter(
    log: tuple[int, list[Event]], part: int, shuffle: object, batch_rows: int, threads: int
) -> None:
    anchor, events = log
    plan, cutoffs = plan_for(anchor, 8, part), [anchor + 3, anchor + 10]
    shuffled = shuffle.sample(events, len(events))
    assert bits(table_of(events, plan, cutoffs)) == bits(
        table_of(shuffled, plan, cutoffs, batch_rows=batch_rows, threads=threads)
    )


@random_logs(60)
@given(arrivals(), PART, st.integers(0, 40), st.randoms(use_true_random=False))
def test_a_state_does_not_depend_on_how_its_events_were_cut_into_updates(
    arrived: tuple[int, list[tuple[Event, str]]], part: int, split: int, shuffle: object
) -> None:
    anchor, line = arrived
    events = [event for event, _ in line]
    rows = [event_row(event, 0) for event in events]
    plan, cutoff = plan_for(anchor, 4_096, part), us(day(anchor + CUTOFF))
    at_once = State.empty().update(rows).state
    in_two = State.empty().update(rows[:split]).state.update(rows[split:]).state
    shuffled = State.empty().update(shuffle.sample(rows, len(rows))).state
    once_each = State.empty().update([event_row(event, 0) for event in settled(events)]).state
    wanted = at_once.answer(plan, cutoff).base.tolist()
    for other in (in_two, shuffled, once_each, State.decode(shuffled.encode())):
        assert other.answer(plan, cutoff).base.tolist() == wanted


@random_logs(25)
@given(a_log(), st.sampled_from([4, 4_096]))
def test_feature_values_are_the_same_bits_for_one_row_and_for_many(log: tuple[int, list[Event]], most: int) -> None:
    anchor, events = log
    plan = plan_of(features=every_feature(), timezone=ANCHORS[anchor], max_events=most)
    table = table_of(events, plan, [anchor + 3, anchor + 10])
    for row in range(len(table)):
        customer = table.customer_ids[table.customer[row]]
        own = [event_row(event, 0) for event in events if event.customer == customer]
        answer = State.empty(max_events=most).update(own).state.answer(plan, int(table.cutoff_us[row]))
        assert answer.values.tobytes() == table.values[row].tobytes()


TIMES, NULLABLE = ("first", "last"), ("gap_max", "last_number", "first_order_sum", "first_order_is")


@st.composite
def integers(draw: st.DrawFn, cutoff: int, bases: tuple[Base, ...]) -> list[int]:
    """A row of the base table as it might be."""
    row = []
    for each in bases:
        what = str(each.aggregation)
        kinds = [st.sampled_from([0, 1, 2, 3]), st.integers(0, 4_096)]
        if what in TIMES:
            kinds = [st.integers(1, 50).map(lambda days: cutoff - days * 43_200_000_000), st.integers(0, cutoff - 1)]
        if what in ("sum", "last_number", "first_order_sum"):
            kinds.append(st.integers(-(10**13), 10**13))
        if what in ("gap_sum", "gap_squares"):
            kinds.append(st.integers(0, 10**9))
        if what in (*TIMES, *NULLABLE):
            kinds.append(st.just(NULL))
        row.append(draw(st.one_of(kinds)))
    gaps = [at for at, each in enumerate(bases) if str(each.aggregation) == "gap_count"]
    for at in gaps:  # where there is a sum of gaps, there are gaps
        row[at] = max(row[at], 1)
    return row


@random_logs(300)
@given(st.data(), st.sampled_from(["UTC", "America/New_York", "Pacific/Auckland"]), st.integers(0, 2**48))
def test_a_readout_is_what_exact_arithmetic_gives(data: st.DataObject, timezone: str, ahead: int) -> None:
    chosen = [feature for feature in every_feature() if str(feature.readout) not in OF_THE_POSTERIOR]
    plan = plan_of(features=chosen, timezone=timezone)
    cutoff = 2**50 + ahead
    row = data.draw(integers(cutoff, plan.base))
    found = values_of(plan, row, cutoff)
    for feature, value in zip(chosen, found, strict=True):
        own = [row[plan.base.index(part)] for part in feature.bases]
        wanted = readout_value(feature, own, moment(cutoff), timezone)
        assert math.isnan(value) == (wanted is None), (feature.name, own)
        if wanted is not None:
            near = 1e-3 if str(feature.readout) in ("gap_sd_days", "gap_variation") else 2e-7  # sd: cancellation
            assert value == pytest.approx(wanted, rel=near, abs=1e-6 if near > 1e-6 else 1e-30), (feature.name, own)


@pytest.mark.parametrize(
    ("kind", "bases"),
    [
        (Readout.SHARE, (base("sum", field="amount"), base("sum", field="quantity"))),
        (Readout.DIFFERENCE, (base("active_days"), base("gap_max"))),
    ],
)
def test_parts_of_other_scales_are_brought_to_one_or_refused(kind: Readout, bases: tuple[Base, ...]) -> None:
    try:
        feature = Feature(readout=kind, bases=bases, family=Family.TREND)
    except UsageError:
        return
    (value,) = values_of(plan_of(features=[feature]), [1_000, 3_000], us(day(3)))
    assert value == pytest.approx(readout_value(feature, [1_000, 3_000], day(3)))


POSTERIORS: list[tuple[int, float, float]] = [
    (1, 0, 0.5),
    (1, 0, 90),
    (2, 3, 10),
    (3, 40, 41),
    (8, 100, 130),
    (5, 9, 300),
]


@pytest.mark.parametrize(("count", "recency", "age"), POSTERIORS)
@pytest.mark.parametrize("name", OF_THE_POSTERIOR)
def test_the_posterior_is_what_numeric_integration_gives(name: str, count: int, recency: float, age: float) -> None:
    cutoff = day(1_000)
    first = us(cutoff - timedelta(days=age))
    last = first + round(recency * 86_400_000_000)
    for feature in (each for each in every_feature() if str(each.readout) == name):
        plan = plan_of(features=[feature])
        row = [{"count": count, "first": first, "last": last}[str(base.aggregation)] for base in plan.base]
        (value,) = values_of(plan, row, us(cutoff))
        wanted = readout_value(feature, row, cutoff)
        assert wanted is not None
        assert value == pytest.approx(wanted, rel=2e-6)


def test_without_orders_there_is_no_posterior() -> None:
    chosen = [each for each in every_feature() if str(each.readout) in OF_THE_POSTERIOR]
    plan = plan_of(features=chosen)
    row = [0 if str(base.aggregation) == "count" else NULL for base in plan.base]
    assert all(map(math.isnan, values_of(plan, row, us(day(3)))))

from __future__ import annotations

import math

import numpy as np
import pytest

from features.clock import DAY_US
from features.definition import NULL_INT, Aggregation, Base
from features.errors import BundleError
from features.plan import Plan, compile_plan
from tests.training.panel_builders import target
from training.labels import Target, TargetKind, eligible, label, target_from_dict, value_at_risk, why_not

CUTOFF = 1_000 * DAY_US
LAST_PURCHASE = Base(aggregation=Aggregation.LAST, event_type="purchase")
LAST_SESSION = Base(aggregation=Aggregation.LAST, event_type="session")
SPEND_60 = Base(aggregation=Aggregation.SUM, event_type="purchase", field="amount", window_days=60)
AMOUNTS = Base(aggregation=Aggregation.PRESENT, event_type="purchase", field="amount")
CHURN = target()
WINBACK = target(TargetKind.CONVERSION, name="winback", active=365, inactive=60)


def plan_of(*targets: Target) -> Plan:
    return compile_plan([], timezone="UTC", extra=[base for one in targets for base in one.bases()])


def base_table(plan: Plan, *rows: dict[Base, int]) -> np.ndarray:
    table = np.full((len(rows), len(plan.extra)), NULL_INT, dtype=np.int64)
    for number, row in enumerate(rows):
        for base, value in row.items():
            table[number, plan.base_index(base)] = value
    return table


def who_is_eligible(one: Target, *silences_us: int | None) -> list[bool]:
    plan = plan_of(one)
    rows = [{} if silence is None else {LAST_PURCHASE: CUTOFF - silence} for silence in silences_us]
    return eligible(one, plan, base_table(plan, *rows), np.full(len(rows), CUTOFF)).tolist()


def sentence(one: Target, silence_us: int | None) -> str:
    plan = plan_of(one)
    row = {} if silence_us is None else {LAST_PURCHASE: CUTOFF - silence_us}
    return why_not(one, plan, base_table(plan, row)[0], CUTOFF)


def test_the_active_window_is_half_open_and_winback_is_its_complement() -> None:
    edge = 60 * DAY_US
    silences = (1, edge - 1, edge, edge + 1, 365 * DAY_US, 365 * DAY_US + 1, None)
    assert who_is_eligible(CHURN, *silences) == [True, True, True, False, False, False, False]
    assert who_is_eligible(WINBACK, *silences) == [False, False, False, True, True, False, False]


def test_any_of_several_activities_counts() -> None:
    both = target(event_types=("purchase", "session"))
    plan = plan_of(both)
    table = base_table(
        plan,
        {LAST_PURCHASE: CUTOFF - 90 * DAY_US, LAST_SESSION: CUTOFF - 2 * DAY_US},
        {LAST_PURCHASE: CUTOFF - 90 * DAY_US},
    )
    assert eligible(both, plan, table, np.full(2, CUTOFF)).tolist() == [True, False]


def test_the_outcome_is_no_activity_where_another_is_named() -> None:
    conversion = target(
        TargetKind.CONVERSION, event_types=("coupon_redeemed",), eligible=("purchase",), gap=3, horizon=7
    )
    assert who_is_eligible(conversion, DAY_US, 61 * DAY_US) == [True, False]
    outcome = conversion.outcome()
    assert (outcome.event_types, outcome.start_days, outcome.end_days) == (("coupon_redeemed",), 3, 10)
    assert outcome.measure == "count"
    assert target(TargetKind.VALUE, event_types=("session",)).activity_types == ("purchase",)
    assert target(TargetKind.VALUE).outcome().measure == "net_amount"


def test_why_not_speaks_plainly() -> None:
    assert sentence(CHURN, 3 * DAY_US) == ""
    assert sentence(CHURN, 143 * DAY_US) == "last purchase 143 days ago; churn is scored within 60"
    assert sentence(CHURN, 60 * DAY_US + 1) == "last purchase more than 60 days ago; churn is scored within 60"
    assert sentence(CHURN, None) == "no purchase yet; churn is scored within 60 days of one"
    assert sentence(WINBACK, DAY_US) == "last purchase 1 day ago; winback is scored after 60 without one"
    assert sentence(WINBACK, 400 * DAY_US) == "last purchase 400 days ago; winback is scored within 365"


def test_labels_by_hand() -> None:
    outcomes = np.array([0, 1, 5])
    assert label(CHURN, outcomes).tolist() == [1.0, 0.0, 0.0]
    assert label(WINBACK, outcomes).tolist() == [0.0, 1.0, 1.0]
    assert label(target(TargetKind.VALUE), np.array([-250, 0, 1999])).tolist() == [-2.5, 0.0, 19.99]


def test_value_at_risk_by_hand() -> None:
    plan = plan_of(CHURN)
    table = base_table(plan, {SPEND_60: 12_000, AMOUNTS: 4}, {SPEND_60: 0, AMOUNTS: 1}, {SPEND_60: 0, AMOUNTS: 0})
    found = value_at_risk(CHURN, plan, table, np.array([0.25, 0.9, 0.9]))
    assert found[0] == pytest.approx(0.25 * 120.0 * 28 / 60)  # 14.00
    assert found[1] == 0.0
    assert math.isnan(found[2])  # the shop records no amounts for this customer


def test_an_active_window_longer_than_the_tail_still_has_a_value_at_risk() -> None:
    long = target(active=800)
    plan = plan_of(long)
    spend = Base(aggregation=Aggregation.SUM, event_type="purchase", field="amount", window_days=400)
    table = base_table(plan, {spend: 40_000, AMOUNTS: 1})
    assert value_at_risk(long, plan, table, np.array([1.0])) == pytest.approx([28.0])


def test_targets_survive_a_dict_and_a_broken_one_says_why() -> None:
    assert target_from_dict(WINBACK.to_dict()) == WINBACK
    with pytest.raises(BundleError, match="'renewal' is not a valid TargetKind"):
        target_from_dict(CHURN.to_dict() | {"kind": "renewal"})
    with pytest.raises(BundleError, match="horizon"):
        target_from_dict({key: value for key, value in CHURN.to_dict().items() if key != "horizon_days"})

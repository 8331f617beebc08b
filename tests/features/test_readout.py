"""Arithmetic over base aggregates, by numbers worked out by hand."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest

from features.clock import to_us
from features.definition import Base, Family, Feature, Readout
from features.kernel_program import NULL
from features.kernel_readout import fill_values
from features.plan import compile_plan
from tests.features.small_logs import base

DAY = 86_400_000_000


def read(kind: Readout, bases: list[Base], values: list[int], cutoff: int = 10 * DAY) -> float | None:
    plan = compile_plan([Feature(readout=kind, bases=tuple(bases), family=Family.TREND)], timezone="UTC")
    row = np.array([values[bases.index(wanted)] for wanted in plan.base], dtype=np.int64)
    into = np.empty((1, 1), dtype=np.float32)
    fill_values(plan.readout_program, row[:, None], np.array([cutoff]), np.zeros(1, np.int64), into)
    value = float(into[0, 0])
    return None if math.isnan(value) else value


COUNT, MONEY = base("count", window=28), base("sum", window=28, field="amount")
OFF = base("sum", window=28, field="discount")
GAPS = [base("gap_squares"), base("gap_sum"), base("gap_count")]


@pytest.mark.parametrize(
    ("wanted", "number", "value"),
    [
        (COUNT, 3, 3),
        (MONEY, 1_250, 12.5),
        (MONEY, -5, np.float32(-0.05)),
        (base("sum", field="rating"), 4_500, 4.5),
        (base("gap_max"), 2_160, 1.5),
        (base("gap_max"), NULL, None),
    ],
)
def test_a_value_is_in_its_unit(wanted: Base, number: int, value: float | None) -> None:
    assert read(Readout.VALUE, [wanted], [number]) == value


def test_ages_and_spans_are_days_of_86_400_seconds() -> None:
    assert read(Readout.AGE_DAYS, [base("last")], [7 * DAY + DAY // 2]) == 2.5
    assert read(Readout.AGE_DAYS, [base("last")], [NULL]) is None
    assert read(Readout.SPAN_DAYS, [base("first"), base("last")], [2 * DAY, 5 * DAY]) == 3
    assert read(Readout.SPAN_DAYS, [base("first"), base("last")], [NULL, NULL]) is None


def test_the_mean_of_nothing_is_null() -> None:
    assert read(Readout.RATIO, [MONEY, COUNT], [1_250, 5]) == 2.5
    assert read(Readout.RATIO, [MONEY, COUNT], [0, 5]) == 0
    assert read(Readout.RATIO, [MONEY, COUNT], [0, 0]) is None


def test_a_steady_trend_is_1() -> None:
    long = base("count", window=56)
    assert read(Readout.TREND, [COUNT, long], [4, 8]) == 1
    assert read(Readout.TREND, [COUNT, long], [1, 8]) == 0.25
    assert read(Readout.TREND, [COUNT, long], [0, 0]) is None


def test_a_share_is_of_both_together() -> None:
    assert read(Readout.SHARE, [OFF, MONEY], [25, 75]) == 0.25
    assert read(Readout.SHARE, [OFF, MONEY], [0, 0]) is None


def test_an_age_counts_until_it_is_answered() -> None:
    cart, bought = base("last", "cart"), base("last")
    unanswered = Readout.AGE_UNANSWERED
    assert read(unanswered, [cart, bought], [7 * DAY, 5 * DAY]) == 3
    assert read(unanswered, [cart, bought], [7 * DAY, NULL]) == 3
    assert read(unanswered, [cart, bought], [7 * DAY, 7 * DAY]) is None  # answered at that very moment
    assert read(unanswered, [cart, bought], [7 * DAY, 8 * DAY]) is None
    assert read(unanswered, [cart, bought], [NULL, 8 * DAY]) is None
    assert read(unanswered, [cart, bought], [NULL, NULL]) is None


def test_a_difference_of_two_or_three() -> None:
    redeemed, expired = base("count", "redeemed"), base("count", "expired")
    assert read(Readout.DIFFERENCE, [base("count", "received"), redeemed], [5, 7]) == -2
    assert read(Readout.DIFFERENCE, [base("count", "received"), redeemed, expired], [9, 2, 4]) == 3
    refunded = base("sum", "refund", field="amount")
    assert read(Readout.DIFFERENCE, [base("sum", field="amount"), refunded], [1_000, 3_050]) == -20.5
    lowest = base("last_number", field="rating")
    assert read(Readout.DIFFERENCE, [lowest, base("last_number", "review", field="rating")], [4_000, NULL]) is None


def test_a_spread_says_over_how_many_days_orders_are_spread() -> None:
    squares = base("weekday_squares")
    assert read(Readout.SPREAD, [base("count"), squares], [6, 12]) == 3  # two orders on each of three days
    assert read(Readout.SPREAD, [base("count"), squares], [5, 25]) == 1
    assert read(Readout.SPREAD, [base("count"), squares], [0, 0]) is None


@pytest.mark.parametrize(
    ("moment", "ahead", "zone", "day"),
    [
        ("2020-12-31T00:00:00+00:00", 0, "UTC", 366),
        ("2020-12-31T00:00:00+00:00", 1, "UTC", 1),
        ("2020-02-28T12:00:00+00:00", 1, "UTC", 60),
        ("2021-02-28T12:00:00+00:00", 1, "UTC", 60),  # 1 March
        ("2021-01-01T04:59:59+00:00", 0, "America/New_York", 366),
        ("2021-01-01T05:00:00+00:00", 0, "America/New_York", 1),
        ("2020-03-08T04:30:00+00:00", 1, "America/New_York", 69),  # 23:30 on the 7th; 24 hours on: 00:30 on the 9th
        ("2020-01-01T00:00:00+00:00", 730, "UTC", 365),
        ("1900-02-28T00:00:00+00:00", 1, "UTC", 60),  # no leap year
        ("9999-12-31T00:00:00+00:00", 0, "UTC", 365),
        ("0001-01-01T00:00:00+00:00", 0, "UTC", 1),
    ],
)
def test_the_day_of_the_year_is_local(moment: str, ahead: int, zone: str, day: int) -> None:
    feature = Feature(readout=Readout.DAY_OF_YEAR, bases=(), family=Family.SEASON, parameters=(float(ahead),))
    plan = compile_plan([feature], timezone=zone)
    into = np.empty((1, 1), dtype=np.float32)
    at = np.array([to_us(datetime.fromisoformat(moment))])
    fill_values(plan.readout_program, np.zeros((0, 1), np.int64), at, np.zeros(1, np.int64), into)
    assert into[0, 0] == day


def test_gap_moments() -> None:
    # gaps of 1 and 3 days: mean 2, sample standard deviation sqrt(2)
    day = 1_440
    moments = [day**2 + (3 * day) ** 2, 4 * day, 2]
    assert read(Readout.GAP_MEAN_DAYS, GAPS[1:], moments[1:]) == 2
    assert read(Readout.GAP_SD_DAYS, GAPS, moments) == np.float32(math.sqrt(2))
    assert read(Readout.GAP_VARIATION, GAPS, moments) == np.float32(math.sqrt(2) / 2)
    assert read(Readout.AGE_PER_GAP, [base("last"), *GAPS[1:]], [5 * DAY, *moments[1:]]) == 2.5


def test_gap_moments_of_too_few_purchases_are_null() -> None:
    assert read(Readout.GAP_MEAN_DAYS, GAPS[1:], [0, 0]) is None
    assert read(Readout.GAP_SD_DAYS, GAPS, [100, 10, 1]) is None
    assert read(Readout.GAP_VARIATION, GAPS, [0, 0, 2]) is None
    assert read(Readout.AGE_PER_GAP, [base("last"), *GAPS[1:]], [5 * DAY, 0, 0]) is None
    assert read(Readout.GAP_SD_DAYS, GAPS, [2 * 1_440**2, 2 * 1_440, 2]) == 0

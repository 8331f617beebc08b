"""The closed vocabulary of the feature grammar: aggregations, readouts, families."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

__all__ = [
    "MEASURED",
    "OF_A_COLUMN",
    "OF_A_TEXT",
    "OF_ONE_WINDOW",
    "OF_THE_TAIL",
    "READ_OUT",
    "WHOLE_LIFE",
    "Aggregation",
    "Family",
    "Readout",
]


class Aggregation(StrEnum):
    """What can be measured. An order is a distinct ``order_id`` (absent: the row) at its earliest line's time."""

    COUNT = "count"
    LINES = "lines"
    SUM = "sum"
    PRESENT = "present"
    ACTIVE_DAYS = "active_days"
    STREAK = "streak"
    FIRST = "first"
    LAST = "last"
    GAP_COUNT = "gap_count"
    GAP_SUM = "gap_sum"
    GAP_SQUARES = "gap_squares"
    GAP_MAX = "gap_max"
    WEEKDAY_SQUARES = "weekday_squares"
    HOUR_SQUARES = "hour_squares"
    WEEKEND = "weekend"
    LAST_NUMBER = "last_number"
    DISTINCT = "distinct"
    TOP = "top"
    RUNNING_OUT = "running_out"
    FIRST_ORDER_SUM = "first_order_sum"
    FIRST_ORDER_IS = "first_order_is"
    ATTRIBUTE = "attribute"


MEASURED: Final[Mapping[Aggregation, str]] = {
    Aggregation.COUNT: "orders",
    Aggregation.LINES: "rows",
    Aggregation.SUM: "sum of a number over the lines of the orders of the window",
    Aggregation.PRESENT: "lines of those orders that have the number, or the text",
    Aggregation.ACTIVE_DAYS: "distinct local days with a row",
    Aggregation.STREAK: "local days in a row with a row, up to yesterday or the cutoff's own day; 0 if it broke off",
    Aggregation.FIRST: "time of the first order, µs",
    Aggregation.LAST: "time of the last order, µs",
    Aggregation.GAP_COUNT: "gaps between consecutive orders",
    Aggregation.GAP_SUM: "whole minutes between consecutive orders, added up",
    Aggregation.GAP_SQUARES: "whole minutes between consecutive orders, squared, added up",
    Aggregation.GAP_MAX: "the most whole minutes between consecutive orders",
    Aggregation.WEEKDAY_SQUARES: "orders of each local weekday, squared, added up",
    Aggregation.HOUR_SQUARES: "orders of each local hour of the day, squared, added up",
    Aggregation.WEEKEND: "orders on a local Saturday or Sunday",
    Aggregation.LAST_NUMBER: "the number of the newest row that has it; of several at that time the largest",
    Aggregation.DISTINCT: "different values of a text",
    Aggregation.TOP: "rows that have the most frequent value of a text",
    Aggregation.RUNNING_OUT: "rows whose duration ends in `[cutoff, cutoff + window)`",
    Aggregation.FIRST_ORDER_SUM: "sum of a number over the lines of the order(s) that began at the first time",
    Aggregation.FIRST_ORDER_IS: "1 if the only value of a text among the lines of the first order is `value`, else 0",
    Aggregation.ATTRIBUTE: "newest attribute valid from before the cutoff: its number, or whether it is `value`",
}
"""What each aggregation measures, in Markdown."""


OF_A_COLUMN: Final = frozenset(
    {
        Aggregation.SUM,
        Aggregation.PRESENT,
        Aggregation.LAST_NUMBER,
        Aggregation.DISTINCT,
        Aggregation.TOP,
        Aggregation.RUNNING_OUT,
        Aggregation.FIRST_ORDER_SUM,
        Aggregation.FIRST_ORDER_IS,
        Aggregation.ATTRIBUTE,
    }
)
OF_A_TEXT: Final = frozenset({Aggregation.DISTINCT, Aggregation.TOP, Aggregation.FIRST_ORDER_IS})
OF_ONE_WINDOW: Final = frozenset(
    {
        *(Aggregation.GAP_COUNT, Aggregation.GAP_SUM, Aggregation.GAP_SQUARES),
        *(Aggregation.COUNT, Aggregation.WEEKDAY_SQUARES, Aggregation.HOUR_SQUARES),
    }
)
"""What a readout of several of them needs in one and the same window."""
WHOLE_LIFE: Final = frozenset({Aggregation.FIRST_ORDER_SUM, Aggregation.FIRST_ORDER_IS, Aggregation.ATTRIBUTE})
"""Aggregations that have no window."""
OF_THE_TAIL: Final = frozenset(
    {
        Aggregation.ACTIVE_DAYS,
        Aggregation.STREAK,
        Aggregation.GAP_COUNT,
        Aggregation.GAP_SUM,
        Aggregation.GAP_SQUARES,
        Aggregation.GAP_MAX,
        Aggregation.WEEKDAY_SQUARES,
        Aggregation.HOUR_SQUARES,
        Aggregation.WEEKEND,
        Aggregation.DISTINCT,
        Aggregation.TOP,
        Aggregation.RUNNING_OUT,
    }
)
"""Aggregations that see the tail only, even without a window; the others then see the customer's whole life."""


class Readout(StrEnum):
    """How a feature is computed from its base aggregates, in the order they are listed."""

    VALUE = "value"
    AGE_DAYS = "age_days"
    AGE_UNANSWERED = "age_unanswered"
    SPAN_DAYS = "span_days"
    RATIO = "ratio"
    TREND = "trend"
    SHARE = "share"
    DIFFERENCE = "difference"
    SPREAD = "spread"
    GAP_MEAN_DAYS = "gap_mean_days"
    GAP_SD_DAYS = "gap_sd_days"
    GAP_VARIATION = "gap_variation"
    AGE_PER_GAP = "age_per_gap"
    DAY_OF_YEAR = "day_of_year"
    P_ALIVE = "p_alive"
    EXPECTED_ORDERS = "expected_orders"


READ_OUT: Final[Mapping[Readout, str]] = {
    Readout.VALUE: "the aggregate itself, in its unit",
    Readout.AGE_DAYS: "cutoff - time",
    Readout.AGE_UNANSWERED: "cutoff - first time, if the second time is not at or after it",
    Readout.SPAN_DAYS: "last - first",
    Readout.RATIO: "first / second",
    Readout.TREND: "first / second, each divided by its window (both need one): 1 is steady",
    Readout.SHARE: "first / (first + second), of one unit",
    Readout.DIFFERENCE: "first - second [- third], of one unit",
    Readout.SPREAD: "first² / second: over how many equally busy weekdays or hours",
    Readout.GAP_MEAN_DAYS: "mean of the gaps, days",
    Readout.GAP_SD_DAYS: "standard deviation of the gaps, days",
    Readout.GAP_VARIATION: "standard deviation of the gaps / their mean",
    Readout.AGE_PER_GAP: "(cutoff - last) / mean of the gaps",
    Readout.DAY_OF_YEAR: "local day of the year, 1 to 366, some days after the cutoff",
    Readout.P_ALIVE: "probability of further orders by a fitted MBG/NBD",
    Readout.EXPECTED_ORDERS: "expected orders in a horizon by a fitted MBG/NBD",
}
"""What each readout computes of its base aggregates, in the order they are listed."""


class Family(StrEnum):
    """What a feature tells about a customer."""

    RECENCY = "recency"
    FREQUENCY = "frequency"
    MONETARY = "monetary"
    ENGAGEMENT = "engagement"
    FUNNEL = "funnel"
    REGULARITY = "regularity"
    TREND = "trend"
    BREADTH = "breadth"
    SOCIAL = "social"
    INCENTIVES = "incentives"
    LIFECYCLE = "lifecycle"
    CAMPAIGN = "campaign"
    SERVICE = "service"
    SATISFACTION = "satisfaction"
    SEASON = "season"
    POSTERIOR = "posterior"
    ATTRIBUTES = "attributes"

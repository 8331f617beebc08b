"""The closed vocabulary of the feature grammar: aggregations, readouts, families."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["OF_A_COLUMN", "OF_A_TEXT", "OF_ONE_WINDOW", "OF_THE_TAIL", "WHOLE_LIFE", "Aggregation", "Family", "Readout"]


class Aggregation(StrEnum):
    """What can be measured. An order is a distinct ``order_id`` (absent: the row) at its earliest line's time."""

    COUNT = "count"  # orders
    LINES = "lines"  # rows
    SUM = "sum"  # of a number over the lines of the orders of the window
    PRESENT = "present"  # lines of those orders that have the number, or the text
    ACTIVE_DAYS = "active_days"  # distinct local days with a row
    STREAK = "streak"  # local days in a row with a row, up to yesterday or the cutoff's own day; 0 if it broke off
    FIRST = "first"  # time of the first order, µs
    LAST = "last"  # time of the last order, µs
    GAP_COUNT = "gap_count"  # gaps between consecutive orders
    GAP_SUM = "gap_sum"  # of their whole minutes
    GAP_SQUARES = "gap_squares"  # of their whole minutes, squared
    GAP_MAX = "gap_max"  # whole minutes
    WEEKDAY_SQUARES = "weekday_squares"  # orders of each local weekday, squared, added up
    HOUR_SQUARES = "hour_squares"  # orders of each local hour of the day, squared, added up
    WEEKEND = "weekend"  # orders on a local Saturday or Sunday
    LAST_NUMBER = "last_number"  # the number of the newest row that has it; of several at that time the largest
    DISTINCT = "distinct"  # different values of a text
    TOP = "top"  # rows that have the most frequent value of a text
    RUNNING_OUT = "running_out"  # rows whose duration ends in [cutoff, cutoff + window)
    FIRST_ORDER_SUM = "first_order_sum"  # of a number over the lines of the order(s) that began at the first time
    FIRST_ORDER_IS = "first_order_is"  # 1 if the only value of a text among those lines is the given one, else 0
    ATTRIBUTE = "attribute"  # newest attribute valid from before the cutoff: its number, or whether it is a text


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

    VALUE = "value"  # the aggregate itself, in its unit
    AGE_DAYS = "age_days"  # cutoff - time
    AGE_UNANSWERED = "age_unanswered"  # cutoff - first time, if the second time is not at or after it
    SPAN_DAYS = "span_days"  # last - first
    RATIO = "ratio"  # first / second
    TREND = "trend"  # first / second, each divided by its window: 1 is steady
    SHARE = "share"  # first / (first + second)
    DIFFERENCE = "difference"  # first - second [- third]
    SPREAD = "spread"  # first² / second: over how many equally busy weekdays or hours
    GAP_MEAN_DAYS = "gap_mean_days"  # of gap_sum, gap_count
    GAP_SD_DAYS = "gap_sd_days"  # of gap_squares, gap_sum, gap_count
    GAP_VARIATION = "gap_variation"  # standard deviation / mean, of gap_squares, gap_sum, gap_count
    AGE_PER_GAP = "age_per_gap"  # (cutoff - last) / mean gap, of last, gap_sum, gap_count
    DAY_OF_YEAR = "day_of_year"  # local day of the year, 1 to 366, some days after the cutoff; no aggregates
    P_ALIVE = "p_alive"  # MBG/NBD posterior, of count, first, last; parameters r, alpha, a, b
    EXPECTED_ORDERS = "expected_orders"  # MBG/NBD, in a horizon; parameters r, alpha, a, b, days


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

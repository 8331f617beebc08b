"""The event log's contract: which columns a row has, of which type, and how numbers become exact integers.

One row is one event line. Everything that is ever summed is turned into a scaled 64-bit integer first, so that sums do
not depend on the order of the rows and every engine gives the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = [
    "BUCKETS",
    "COLUMNS",
    "EVENT_TYPES",
    "FILTERS",
    "MAX_MAGNITUDE",
    "OPTIONAL_COLUMNS",
    "REQUIRED_COLUMNS",
    "SCALES",
    "TEXTS",
    "TRAIT_COLUMNS",
    "VALUE_COLUMNS",
    "Column",
    "ColumnType",
    "scaled",
    "scaled_sql",
]


class ColumnType(StrEnum):
    """Storage type of a column of the log, as DuckDB names it."""

    TEXT = "VARCHAR"
    TIME = "TIMESTAMP WITH TIME ZONE"
    NUMBER = "DOUBLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the event log.

    Parameters
    ----------
    name : str
        Column name; also the key of an ``[[events]]`` block.
    type : ColumnType
        Storage type.
    required : bool
        Whether a row without it is quarantined.
    description : str
        One sentence for the documentation.
    """

    name: str
    type: ColumnType
    required: bool = False
    description: str = ""


_TEXT, _TIME, _NUMBER = ColumnType.TEXT, ColumnType.TIME, ColumnType.NUMBER

COLUMNS: Final[tuple[Column, ...]] = (
    Column(name="customer_id", type=_TEXT, required=True, description="Who; any text."),
    Column(name="event_time", type=_TIME, required=True, description="When it happened, UTC, microseconds."),
    Column(name="received_at", type=_TIME, description="When it reached the shop; the event time if not mapped."),
    Column(name="event_type", type=_TEXT, required=True, description="What happened."),
    Column(
        name="event_id",
        type=_TEXT,
        description="Identity of the line; derived from its content if not mapped.",
    ),
    Column(name="kind", type=_TEXT, description="Sub-type: of a survey, of a live interaction."),
    Column(name="value", type=_NUMBER, description="A number without a fixed unit."),
    Column(name="amount", type=_NUMBER, description="Money, in the project's currency."),
    Column(name="discount", type=_NUMBER, description="Money taken off, in the project's currency."),
    Column(name="quantity", type=_NUMBER, description="How many."),
    Column(name="order_id", type=_TEXT, description="The order a line belongs to."),
    Column(name="item_id", type=_TEXT, description="The item."),
    Column(name="category", type=_TEXT, description="The item's category."),
    Column(name="channel", type=_TEXT, description="How the customer was met: web, app, email, sms, push, wecom."),
    Column(name="source", type=_TEXT, description="Where the traffic came from."),
    Column(name="device", type=_TEXT, description="The device."),
    Column(name="page", type=_TEXT, description="The page."),
    Column(name="campaign_id", type=_TEXT, description="The campaign."),
    Column(name="coupon_id", type=_TEXT, description="The coupon."),
    Column(name="content_id", type=_TEXT, description="The content read or watched."),
    Column(name="session_id", type=_TEXT, description="The visit."),
    Column(name="live_id", type=_TEXT, description="The live stream."),
    Column(name="host_id", type=_TEXT, description="The live stream's host."),
    Column(name="related_customer_id", type=_TEXT, description="Who was invited, shared with or followed."),
    Column(name="duration_seconds", type=_NUMBER, description="How long, in seconds."),
    Column(name="rating", type=_NUMBER, description="The rating given."),
    Column(name="dimension", type=_TEXT, description="What a survey asked about."),
)
REQUIRED_COLUMNS: Final = tuple(column.name for column in COLUMNS if column.required)
OPTIONAL_COLUMNS: Final = tuple(column.name for column in COLUMNS if not column.required)
TRAIT_COLUMNS: Final = tuple(name for name in OPTIONAL_COLUMNS if name not in ("event_id", "received_at"))
"""Columns that the rows of one event type may have and those of another lack."""
VALUE_COLUMNS: Final = ("kind", "channel", "source", "device")
"""Columns of few distinct values, by which the rows of an event type are told apart."""

EVENT_TYPES: Final[tuple[str, ...]] = (
    *("signup", "login", "session", "view", "search", "click", "content_view", "favorite"),
    *("cart", "cart_remove", "checkout", "purchase", "refund", "return", "delivered"),
    *(
        "coupon_received",
        "coupon_redeemed",
        "coupon_expired",
        "points_earned",
        "points_spent",
        "points_expired",
    ),
    *(
        "level_changed",
        "checkin",
        "task_done",
        "lottery",
        "share",
        "invite",
        "review",
        "like",
        "comment",
        "follow",
    ),
    *("live_watch", "live_interact", "message_sent", "message_open", "message_click", "message_bounce"),
    *("campaign_exposed", "support_ticket", "ticket_closed", "survey", "unsubscribe"),
)
"""The built-in event types; a project may use others as well."""

SCALES: Final[dict[str, int]] = {
    "amount": 100,
    "discount": 100,
    "quantity": 1_000,
    "value": 1_000,
    "rating": 1_000,
    "duration_seconds": 1_000,
}
"""Units in one: money is kept in hundredths, durations in milliseconds, the rest in thousandths."""

TEXTS: Final[tuple[str, ...]] = (
    *("kind", "channel", "source", "device", "page", "category", "item_id", "campaign_id", "coupon_id", "content_id"),
    *("session_id", "live_id", "host_id", "related_customer_id", "dimension"),
)
"""Text columns whose values features can tell apart (never what they say)."""

FILTERS: Final[tuple[str, ...]] = ("kind", "channel", "source", "device")
"""Text columns with few values: features can be told to look at the rows with one of them."""

MAX_MAGNITUDE: Final = 1e12
"""Largest absolute number a row may carry: 4,096 of them, scaled by 1,000, still fit a 64-bit sum.

Windows see no more than so many rows. A lifetime sum is exact up to 9.2e18 scaled units (92 thousand million million in
money) and wraps beyond.
"""

BUCKETS: Final = 256
"""Customer buckets of the clustered log; a customer's bucket is the first byte of md5(customer_id)."""


def scaled(number: float, column: str) -> int:
    """Scaled integer of a number, rounding halves away from zero as SQL's ``round`` does.

    Parameters
    ----------
    number : float
        Finite, at most :data:`MAX_MAGNITUDE` in size.
    column : str
        A key of :data:`SCALES`.

    Examples
    --------
    >>> scaled(12.345, "amount"), scaled(-0.005, "amount"), scaled(1.5, "duration_seconds")
    (1235, -1, 1500)
    """
    product = abs(number * SCALES[column])
    whole = math.floor(product)
    whole += product - whole >= 0.5
    return -whole if number < 0 else whole


def scaled_sql(column: str) -> str:
    """DuckDB expression that equals :func:`scaled` for a column of the log (null stays null).

    Examples
    --------
    >>> scaled_sql("amount")
    'CAST(round(CAST(amount AS DOUBLE) * 100) AS BIGINT)'
    """
    return f"CAST(round(CAST({column} AS DOUBLE) * {SCALES[column]}) AS BIGINT)"

"""What one base aggregate is called inside a name, and its unit."""

from __future__ import annotations

import hashlib
import re
from typing import Final, assert_never

from features.events import EVENT_TYPES
from features.grammar import Aggregation, Base
from features.nouns import FIELDS
from features.words import OF_THE_TAIL, WHOLE_LIFE

__all__ = ["ONE_ROW", "digest", "measure", "slug", "subject", "unit_of", "value_slug", "window"]

_FIELD_UNITS: Final = {
    "amount": "money",
    "discount": "money",
    "duration_seconds": "seconds",
    "quantity": "pieces",
    "rating": "points",
    "value": "units",
}
_ORDERS: Final = frozenset({"purchase", "refund", "return", "order"})
"""What is counted in orders; anything else in events."""
ONE_ROW: Final = frozenset(EVENT_TYPES) - {"purchase", "refund", "return", "delivered", "checkout", "coupon_redeemed"}
"""Types whose rows are events by themselves, so that no sentence needs to speak of rows."""
_MAX_TYPE, _MAX_VALUE = 60, 40


def slug(event_type: str | None) -> str:
    """Event type as part of a name; one that is long or has other characters than letters, digits, ``_`` gets a hash.

    Examples
    --------
    >>> slug("purchase"), slug(None)
    ('purchase', 'event')
    >>> slug("bought: again!").startswith("bought_again_")
    True
    """
    if event_type is None:
        return "event"
    if len(event_type) <= _MAX_TYPE and re.fullmatch(r"[A-Za-z0-9_]+", event_type):
        return event_type
    plain = re.sub(r"[^A-Za-z0-9]+", "_", event_type).strip("_")[:_MAX_TYPE].rstrip("_")
    return f"{plain or 'type'}_{digest(event_type)}"


def value_slug(text: str) -> str:
    """Value of a text column as part of a name, in lower case; a hash keeps apart what would look alike.

    Examples
    --------
    >>> value_slug("app"), value_slug("E-Mail")
    ('app', 'e_mail_2fae6f')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:_MAX_VALUE].rstrip("_")
    return plain if plain == text else f"{plain or 'text'}_{digest(text)}"


def digest(text: str) -> str:
    """Six hexadecimal digits that tell texts apart."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:6]


def subject(base: Base) -> str:
    """Which rows, as part of a name: the event type and the filter."""
    where = "" if base.where is None else f"_{base.where.field}_{value_slug(base.where.value)}"
    return f"{slug(base.event_type)}{where}"


def measure(base: Base, *, of: str | None = None) -> str:  # noqa: C901 (one case an aggregation)
    """What is measured, as part of a name; ``of`` stands for the subject if given."""
    rows = subject(base) if of is None else of
    match base.aggregation:
        case Aggregation.LINES:
            return f"{rows}_line_count" if base.where is None else f"{rows}_count"  # an order cannot be filtered
        case Aggregation.COUNT | Aggregation.ACTIVE_DAYS | Aggregation.GAP_COUNT:
            return f"{rows}_{base.aggregation}"
        case Aggregation.WEEKDAY_SQUARES | Aggregation.HOUR_SQUARES | Aggregation.GAP_SQUARES | Aggregation.RUNNING_OUT:
            return f"{rows}_{base.aggregation}"
        case Aggregation.SUM:
            return f"{rows}_{base.field}_sum"
        case Aggregation.PRESENT:
            number = base.field in _FIELD_UNITS
            return f"{rows}_{base.field}_count" if number else f"{rows}_with_{_field_slug(base)}_count"
        case Aggregation.STREAK:
            return f"{rows}_streak_days"
        case Aggregation.GAP_SUM:
            return f"{rows}_gap_sum_days"
        case Aggregation.GAP_MAX:
            return f"{rows}_gap_max_days"
        case Aggregation.FIRST | Aggregation.LAST:
            return f"{rows}_{base.aggregation}_time"
        case Aggregation.WEEKEND:
            return f"{rows}_weekend_count"
        case Aggregation.LAST_NUMBER:
            return f"{rows}_last_{base.field}"
        case Aggregation.DISTINCT:
            return f"{rows}_distinct_{_field_slug(base)}"
        case Aggregation.TOP:
            return f"{rows}_top_{_field_slug(base)}_count"
        case Aggregation.FIRST_ORDER_SUM:
            return f"first_{rows}_{base.field}"
        case Aggregation.FIRST_ORDER_IS:
            return f"first_{rows}_{base.field}_is_{value_slug(str(base.value))}"
        case Aggregation.ATTRIBUTE:
            is_value = "" if base.value is None else f"_is_{value_slug(base.value)}"
            return f"attribute_{value_slug(str(base.field))}{is_value}"
        case _:
            assert_never(base.aggregation)


def window(base: Base, *, tail: str = "_lifetime") -> str:
    """Window, as part of a name; ``tail`` is for a whole life."""
    if base.window_days is not None:
        return f"_{base.window_days}d"
    if base.last_lines is not None:
        return f"_last_{base.last_lines}"
    no_choice = OF_THE_TAIL | WHOLE_LIFE | {Aggregation.LAST_NUMBER}
    return "" if base.aggregation in no_choice else tail


def unit_of(base: Base) -> str:  # noqa: C901 (one case an aggregation)
    """Unit of the base aggregate."""
    match base.aggregation:
        case Aggregation.COUNT | Aggregation.WEEKEND:
            return "orders" if base.event_type in _ORDERS else "events"
        case Aggregation.LINES | Aggregation.PRESENT | Aggregation.TOP | Aggregation.RUNNING_OUT:
            plain = base.aggregation is Aggregation.LINES and base.where is None
            return "rows" if plain or base.event_type not in ONE_ROW else "events"
        case Aggregation.SUM | Aggregation.LAST_NUMBER | Aggregation.FIRST_ORDER_SUM:
            return _FIELD_UNITS[str(base.field)]
        case Aggregation.ACTIVE_DAYS | Aggregation.GAP_MAX | Aggregation.STREAK:
            return "days"
        case Aggregation.GAP_COUNT:
            return "gaps"
        case Aggregation.GAP_SUM:
            return "days"
        case Aggregation.GAP_SQUARES:
            return "square minutes"
        case Aggregation.WEEKDAY_SQUARES | Aggregation.HOUR_SQUARES:
            return "square orders" if base.event_type in _ORDERS else "square events"
        case Aggregation.FIRST | Aggregation.LAST:
            return "microseconds since 1970"
        case Aggregation.DISTINCT:
            return FIELDS[str(base.field)][1]
        case Aggregation.FIRST_ORDER_IS:
            return "1 or 0"
        case Aggregation.ATTRIBUTE:
            return "as recorded" if base.value is None else "1 or 0"
        case _:
            assert_never(base.aggregation)


def _field_slug(base: Base) -> str:
    return str(base.field).removesuffix("_id")

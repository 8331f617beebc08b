"""One event as the online path knows it, and what became of it."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from enum import StrEnum

from features.events import scaled

__all__ = ["EventRow", "RecentEvent", "Status", "code_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One validated event line of one customer.

    Parameters
    ----------
    event_id : str
        Identity of the line.
    event_type : str
        What happened.
    event_time_us, received_us : int
        When it happened and when it reached the shop, epoch µs.
    order_id : str, optional
        The order the line belongs to; None: it is an order of its own.
    amount, discount, quantity, value, rating, duration_seconds : float, optional
        As in the event log; one that is not finite counts as missing.
    kind, channel, source, device, page, category, item_id, campaign_id, coupon_id, content_id, session_id, live_id, \
host_id, related_customer_id, dimension : str, optional
        As in the event log.
    """

    event_id: str
    event_type: str
    event_time_us: int
    received_us: int
    order_id: str | None = None
    amount: float | None = None
    discount: float | None = None
    quantity: float | None = None
    value: float | None = None
    rating: float | None = None
    duration_seconds: float | None = None
    kind: str | None = None
    channel: str | None = None
    source: str | None = None
    device: str | None = None
    page: str | None = None
    category: str | None = None
    item_id: str | None = None
    campaign_id: str | None = None
    coupon_id: str | None = None
    content_id: str | None = None
    session_id: str | None = None
    live_id: str | None = None
    host_id: str | None = None
    related_customer_id: str | None = None
    dimension: str | None = None

    def text_code(self, name: str) -> int | None:
        """Code of one of the texts, None if it is missing."""
        text: str | None = getattr(self, name)
        return None if text is None else code_of(text)

    def scaled_number(self, name: str) -> int | None:
        """One of the numbers as a scaled integer, None if it is missing.

        Examples
        --------
        >>> row = EventRow(event_id="e", event_type="purchase", event_time_us=0, received_us=0, amount=12.34)
        >>> row.scaled_number("amount"), row.scaled_number("rating")
        (1234, None)
        """
        number: float | None = getattr(self, name)
        return None if number is None or not math.isfinite(number) else scaled(number, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentEvent:
    """One of a customer's last events, to be shown to a person."""

    event_id: str
    event_type: str
    event_time_us: int
    order_id: str | None
    amount: float | None


class Status(StrEnum):
    """What an update did with an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"  # the same line is there already
    CORRECTED = "corrected"  # the same event_id was there with other content, received earlier
    TOO_OLD = "too_old"  # it, or what it corrects, is older than what is kept: stale until rebuilt from the log


def code_of(text: str) -> int:
    """63-bit code of an order id or event id: half of ``md5_number_lower``, as DuckDB computes it.

    Two ids of one customer share a code with a probability below 1e-11 even at 10,000 ids.

    Examples
    --------
    >>> code_of("abc")
    4125280303191149419
    """
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[8:], "little") >> 1

"""Which features belong together in a marketer's mind: recency of purchases, their frequency, spend, rhythm …."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from features.definition import Aggregation, Base, Feature, Readout
from features.events import TEXTS
from features.naming import slug

__all__ = ["Group", "Topic", "group_of"]


class Topic(StrEnum):
    """What a group of features is about."""

    RECENCY = "recency"
    FREQUENCY = "frequency"
    SPEND = "spend"
    DISCOUNT = "discount"
    RHYTHM = "rhythm"
    TREND = "trend"
    TENURE = "tenure"
    MIX = "mix"
    AMOUNT = "amount"
    VARIETY = "variety"
    UNANSWERED = "unanswered"
    BALANCE = "balance"
    EXPIRY = "expiry"
    BEGINNING = "beginning"
    ATTRIBUTE = "attribute"
    SEASON = "season"
    OUTLOOK = "outlook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Features that one reason speaks for.

    Parameters
    ----------
    topic : Topic
        What about.
    event_type : str or None
        Of which events; None is events of every type.
    detail : str
        The other event type of a mix, the column of an amount, the attribute, the filter of a recency; else empty.
    """

    topic: Topic
    event_type: str | None
    detail: str = ""

    @property
    def code(self) -> str:
        """Stable code for machines, such as ``RECENCY_PURCHASE``.

        Examples
        --------
        >>> Group(topic=Topic.MIX, event_type="coupon_redeemed", detail="purchase").code
        'MIX_COUPON_REDEEMED_PER_PURCHASE'
        """
        who = slug(self.event_type).upper()
        match self.topic:
            case Topic.MIX:
                return f"MIX_{who}_PER_{slug(self.detail or None).upper()}"
            case Topic.AMOUNT:
                return f"{self.detail.upper()}_{who}"
            case Topic.SEASON:
                return "SEASON"
            case Topic.ATTRIBUTE:
                return f"ATTRIBUTE_{slug(self.detail).upper()}"
            case Topic.RECENCY if self.detail:
                return f"RECENCY_{who}_{slug(self.detail).upper()}"
            case _:
                return f"{self.topic.upper()}_{who}"


def group_of(feature: Feature) -> Group:  # noqa: C901 (one case a readout)
    """Group of a feature; every feature of the grammar has one.

    Examples
    --------
    >>> from features.definition import Family
    >>> last = Base(aggregation=Aggregation.LAST, event_type="view")
    >>> group_of(Feature(readout=Readout.AGE_DAYS, bases=(last,), family=Family.RECENCY)).code
    'RECENCY_VIEW'
    """
    if not feature.bases:
        return Group(topic=Topic.SEASON, event_type=None)
    first, last = feature.bases[0], feature.bases[-1]
    match feature.readout:
        case Readout.AGE_DAYS if first.aggregation is Aggregation.LAST:
            detail = "" if first.where is None else f"{first.where.field} {first.where.value}"
            return Group(topic=Topic.RECENCY, event_type=first.event_type, detail=detail)
        case Readout.AGE_PER_GAP:
            topic = Topic.RECENCY
        case Readout.AGE_DAYS | Readout.SPAN_DAYS:
            topic = Topic.TENURE
        case Readout.AGE_UNANSWERED:
            topic = Topic.UNANSWERED
        case Readout.TREND:
            topic = Topic.TREND
        case Readout.DIFFERENCE:
            topic = Topic.BALANCE
        case Readout.GAP_MEAN_DAYS | Readout.GAP_SD_DAYS | Readout.GAP_VARIATION | Readout.SPREAD:
            topic = Topic.RHYTHM
        case Readout.P_ALIVE | Readout.EXPECTED_ORDERS:
            topic = Topic.OUTLOOK
        case Readout.DAY_OF_YEAR:
            topic = Topic.SEASON
        case Readout.RATIO if first.event_type != last.event_type:
            return Group(topic=Topic.MIX, event_type=first.event_type, detail=last.event_type or "")
        case Readout.VALUE | Readout.RATIO | Readout.SHARE:
            return _by_measure(first)
        case _:
            assert_never(feature.readout)
    return Group(topic=topic, event_type=first.event_type)


def _by_measure(base: Base) -> Group:
    match base.aggregation:
        case Aggregation.COUNT | Aggregation.LINES | Aggregation.ACTIVE_DAYS | Aggregation.STREAK:
            return Group(topic=Topic.FREQUENCY, event_type=base.event_type)
        case Aggregation.SUM | Aggregation.PRESENT | Aggregation.LAST_NUMBER:
            return _by_column(base)
        case Aggregation.GAP_COUNT | Aggregation.GAP_SUM | Aggregation.GAP_SQUARES | Aggregation.GAP_MAX:
            topic = Topic.RHYTHM
        case Aggregation.WEEKDAY_SQUARES | Aggregation.HOUR_SQUARES | Aggregation.WEEKEND:
            topic = Topic.RHYTHM
        case Aggregation.FIRST | Aggregation.LAST:
            topic = Topic.TENURE
        case Aggregation.DISTINCT | Aggregation.TOP:
            topic = Topic.VARIETY
        case Aggregation.RUNNING_OUT:
            topic = Topic.EXPIRY
        case Aggregation.FIRST_ORDER_SUM | Aggregation.FIRST_ORDER_IS:
            topic = Topic.BEGINNING
        case Aggregation.ATTRIBUTE:
            return Group(topic=Topic.ATTRIBUTE, event_type=None, detail=str(base.field))
        case _:
            assert_never(base.aggregation)
    return Group(topic=topic, event_type=base.event_type)


def _by_column(base: Base) -> Group:
    column = str(base.field)
    if column in {"amount", "discount"}:
        topic = Topic.SPEND if column == "amount" else Topic.DISCOUNT
        return Group(topic=topic, event_type=base.event_type)
    detail = column.removesuffix("_id") if column in TEXTS else column
    return Group(topic=Topic.AMOUNT, event_type=base.event_type, detail=detail)

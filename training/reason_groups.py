"""Which features belong together in a marketer's mind: recency of purchases, their frequency, spend, rhythm …."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from features.definition import Aggregation, Base, Feature, Readout
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
        The other event type of a mix, the field of an amount; else empty.
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
            case _:
                return f"{self.topic.upper()}_{who}"


def group_of(feature: Feature) -> Group:
    """Group of a feature; every feature of the grammar has one.

    Examples
    --------
    >>> from features.definition import Family
    >>> last = Base(aggregation=Aggregation.LAST, event_type="view")
    >>> group_of(Feature(readout=Readout.AGE_DAYS, bases=(last,), family=Family.RECENCY)).code
    'RECENCY_VIEW'
    """
    first = feature.bases[0]
    match feature.readout:
        case Readout.AGE_DAYS:
            topic = Topic.RECENCY if first.aggregation is Aggregation.LAST else Topic.TENURE
        case Readout.AGE_PER_GAP:
            topic = Topic.RECENCY
        case Readout.SPAN_DAYS:
            topic = Topic.TENURE
        case Readout.TREND:
            topic = Topic.TREND
        case Readout.GAP_MEAN_DAYS | Readout.GAP_SD_DAYS | Readout.GAP_VARIATION:
            topic = Topic.RHYTHM
        case Readout.RATIO if first.event_type != feature.bases[1].event_type:
            return Group(topic=Topic.MIX, event_type=first.event_type, detail=feature.bases[1].event_type or "")
        case Readout.VALUE | Readout.RATIO | Readout.SHARE:
            return _by_measure(first)
        case _:
            assert_never(feature.readout)
    return Group(topic=topic, event_type=first.event_type)


def _by_measure(base: Base) -> Group:
    match base.aggregation:
        case Aggregation.COUNT | Aggregation.LINES | Aggregation.ACTIVE_DAYS:
            return Group(topic=Topic.FREQUENCY, event_type=base.event_type)
        case Aggregation.SUM | Aggregation.PRESENT:
            if base.field in {"amount", "discount"}:
                topic = Topic.SPEND if base.field == "amount" else Topic.DISCOUNT
                return Group(topic=topic, event_type=base.event_type)
            return Group(topic=Topic.AMOUNT, event_type=base.event_type, detail=base.field or "")
        case Aggregation.GAP_COUNT | Aggregation.GAP_SUM | Aggregation.GAP_SQUARES | Aggregation.GAP_MAX:
            return Group(topic=Topic.RHYTHM, event_type=base.event_type)
        case Aggregation.FIRST | Aggregation.LAST:
            return Group(topic=Topic.TENURE, event_type=base.event_type)
        case _:
            assert_never(base.aggregation)

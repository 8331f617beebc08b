"""Campaign response: what follows being reached by a campaign."""

from __future__ import annotations

from collections.abc import Iterator

from features.catalogue.forms import Types, distinct, has, per
from features.catalogue.traits import LONG, MIDDLE, base, ratio, value
from features.definition import Aggregation, Family, Feature

__all__ = ["features"]


def features(types: Types) -> Iterator[Feature]:
    """List the family's features."""
    yield from distinct(Family.CAMPAIGN, types, "campaign_exposed", "campaign_id", days=MIDDLE)
    for name in ("message_open", "message_click", "purchase"):
        yield from per(Family.CAMPAIGN, types, name, "campaign_exposed", (MIDDLE,))
    if has(types, "purchase", "campaign_id"):
        answers = base(Aggregation.PRESENT, "purchase", LONG, "campaign_id")
        yield value(Family.CAMPAIGN, answers)
        yield ratio(Family.CAMPAIGN, answers, base(Aggregation.LINES, "purchase", LONG))
        if "campaign_exposed" in types:
            yield ratio(Family.CAMPAIGN, answers, base(Aggregation.COUNT, "campaign_exposed", LONG))

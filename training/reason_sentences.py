"""One sentence about a customer for a group of features, from the values of the row; null is said, never printed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.definition import TAIL_DAYS, Aggregation, Base, Feature, Readout
from training.reason_groups import Group, Topic
from training.reason_texts import Texts

__all__ = ["Facts", "sentence"]

_ROUND: Final = 0.5  # ages are rounded down (a day that is not over does not count), gaps to the nearest day
_A, _R = Aggregation, Readout
_TEMPLATES: Final[Mapping[tuple[Readout, Aggregation, str | None], str]] = {
    (_R.VALUE, _A.ACTIVE_DAYS, None): "active_days",
    (_R.VALUE, _A.GAP_MAX, None): "gap_max",
    (_R.VALUE, _A.SUM, "amount"): "spend",
    (_R.VALUE, _A.SUM, "discount"): "discount",
    (_R.RATIO, _A.SUM, "amount"): "mean_spend",
    (_R.RATIO, _A.SUM, "discount"): "mean_discount",
    (_R.VALUE, _A.LINES, None): "lines",
    (_R.RATIO, _A.LINES, None): "mean_lines",
    (_R.RATIO, _A.COUNT, None): "mix",
    (_R.SHARE, _A.SUM, "discount"): "discount_share",
    (_R.TREND, _A.COUNT, None): "trend",
    (_R.TREND, _A.SUM, "amount"): "trend_spend",
    (_R.TREND, _A.SUM, "discount"): "trend_discount",
    (_R.GAP_MEAN_DAYS, _A.GAP_SUM, None): "gap_mean",
    (_R.GAP_SD_DAYS, _A.GAP_SQUARES, None): "gap_sd",
    (_R.GAP_VARIATION, _A.GAP_SQUARES, None): "gap_variation",
    (_R.SPAN_DAYS, _A.FIRST, None): "span",
    (_R.AGE_DAYS, _A.FIRST, None): "first",
    (_R.AGE_UNANSWERED, _A.LAST, None): "unanswered",
    (_R.VALUE, _A.STREAK, None): "streak",
    (_R.VALUE, _A.RUNNING_OUT, "duration_seconds"): "expiry",
    (_R.SPREAD, _A.COUNT, None): "spread",
    (_R.P_ALIVE, _A.COUNT, None): "p_alive",
    (_R.EXPECTED_ORDERS, _A.COUNT, None): "expected",
}
"""What is said of a feature without a filter; anything else is said by its own description."""
_BARE: Final = frozenset({"ratio", "probability", "as recorded", "events", "orders", "rows"})
"""Units that say nothing new behind a number."""
_BY_UNIT: Final = {"money": "money", "share": "percent"}
_YES_OR_NO: Final = "1 or 0"
_AGES: Final = frozenset({Readout.AGE_DAYS, Readout.AGE_UNANSWERED})


class Facts:
    """The values of one customer, looked up by what they mean, and how to write them.

    Parameters
    ----------
    features : sequence of Feature
        The columns.
    values : float32 array [f]
        The customer's row.
    texts : Texts
        The language.
    currency : str
        Written behind amounts.
    """

    def __init__(self, features: Sequence[Feature], values: NDArray[np.float32], texts: Texts, currency: str) -> None:
        self.features, self.texts, self._currency = features, texts, currency
        self._row = [None if math.isnan(value) else value for value in values.tolist()]

    def value(self, position: int) -> float | None:
        """Value of a column, None if null."""
        return self._row[position]

    def find(self, readout: Readout, base: Base) -> float | None:
        """Value of the first column with this readout (one of aggregates) whose first one measures the same."""
        for position, feature in enumerate(self.features):
            if feature.readout is readout and _same_measure(feature.bases[0], base):
                return self._row[position]
        return None

    def longer(self, base: Base) -> tuple[int, float] | None:
        """The next longer window of a plain measure, and its value."""
        found = [
            (other.window_days, value)
            for feature, value in zip(self.features, self._row, strict=True)
            if feature.readout is Readout.VALUE and value is not None
            for other in feature.bases
            if (other.aggregation, other.event_type) == (base.aggregation, base.event_type)
            and (other.window_days or 0) > (base.window_days or 0)
        ]
        return min(((window or 0, value) for window, value in found), default=None)

    def noun(self, event_type: str | None) -> tuple[str, str]:
        """Singular and plural of an event type."""
        if event_type is None:
            return self.texts.any_event
        plain = " ".join(event_type.replace("_", " ").split())
        return self.texts.nouns.get(event_type, (plain, plain + self.texts.plural_suffix))

    def days(self, days: float) -> str:
        """A number of days, rounded down to a whole one."""
        whole = math.floor(days)
        return self.texts.days[min(max(whole, 0), 2)].format(n=whole)

    def money(self, amount: float) -> str:
        """An amount with two decimals and the currency."""
        return f"{amount:,.2f} {self._currency}".rstrip()

    def say(self, template: str, **words: object) -> str:
        """Fill a template; the first letter becomes a capital."""
        text = self.texts.templates[template].format(**words)
        return text[:1].upper() + text[1:]


def sentence(facts: Facts, group: Group, leading: int) -> str:
    """One sentence for a group.

    Parameters
    ----------
    facts : Facts
        The customer.
    group : Group
        What to speak about.
    leading : int
        Position of the group's feature that moved the score most.

    Returns
    -------
    str
        Without a full stop.
    """
    if group.topic is Topic.RECENCY and not group.detail:
        return _recency(facts, group.event_type, leading)
    feature, value = facts.features[leading], facts.value(leading)
    if value is None:
        return _null(facts, feature)
    if not feature.bases:
        ahead = any(feature.parameters)
        return facts.say("plain" if ahead else "season", what=_what(feature), number=_number(value), n=round(value))
    first, last = feature.bases[0], feature.bases[-1]
    if (feature.readout, first.aggregation) == (Readout.VALUE, Aggregation.COUNT):
        return _count(facts, first, value)
    template = _template(feature, value)
    lifelong = f"{template}_life"
    singular, plural = facts.noun(first.event_type)
    return facts.say(
        lifelong if first.window_days is None and lifelong in facts.texts.templates else template,
        event=singular,
        events=plural,
        other=facts.noun(last.event_type)[0],
        window=first.window_days,
        longer=last.window_days,
        tail=TAIL_DAYS,
        ahead=_number(feature.parameters[-1]) if feature.parameters else "",
        n=round(value),
        percent=round(100 * value),
        ratio=_number(value),
        number=_number(value),
        unit=feature.unit,
        money=facts.money(value),
        days=facts.days(value if feature.readout in _AGES else value + _ROUND),
        what=_what(feature),
    )


def _null(facts: Facts, feature: Feature) -> str:
    if not feature.bases or any(base.where is not None for base in feature.bases):
        return _why(facts, feature)
    last = feature.bases[-1]
    singular, plural = facts.noun(last.event_type)
    match feature.readout:
        case Readout.AGE_DAYS | Readout.SPAN_DAYS | Readout.P_ALIVE | Readout.EXPECTED_ORDERS:
            return facts.say("never", event=singular)
        case Readout.RATIO | Readout.TREND if last.aggregation is Aggregation.COUNT:
            none = "never" if last.window_days is None else "count_none"
            return facts.say(none, event=singular, events=plural, window=last.window_days)
        case Readout.GAP_MEAN_DAYS | Readout.GAP_SD_DAYS | Readout.GAP_VARIATION | Readout.AGE_PER_GAP:
            return facts.say("rhythm_none", events=plural)
        case Readout.SHARE | Readout.TREND if last.window_days is not None and last.field in {"amount", "discount"}:
            none = "discount_none" if last.field == "discount" else "spend_none"
            return facts.say(none, events=plural, window=last.window_days)
        case _ if last.aggregation is Aggregation.GAP_MAX:
            return facts.say("rhythm_none", events=plural)
        case _:
            return _why(facts, feature)


def _why(facts: Facts, feature: Feature) -> str:
    """A null explains itself: what is missing is the fact."""
    if feature.null_meaning:
        return facts.say("null", why=feature.null_meaning)
    return facts.say("unknown", what=_what(feature))


def _template(feature: Feature, value: float) -> str:
    first, last = feature.bases[0], feature.bases[-1]
    if feature.unit == _YES_OR_NO:
        return "yes" if value else "no"
    if first.aggregation is Aggregation.STREAK and feature.readout is Readout.VALUE and not value:
        return "streak_none"
    other = _BY_UNIT.get(feature.unit, "plain" if feature.unit in _BARE else "other")
    if any(base.where is not None for base in feature.bases):
        return other
    if feature.readout is Readout.RATIO:
        across = first.event_type != last.event_type
        if last.aggregation is not Aggregation.COUNT or across != (first.aggregation is Aggregation.COUNT):
            return other  # lines an order, refunds a purchase …
        if first.window_days != last.window_days:
            return other
    return _TEMPLATES.get((feature.readout, first.aggregation, first.field), other)


def _same_measure(one: Base, other: Base) -> bool:
    """Whether two aggregates measure the same of the same rows, in any window."""
    return (one.aggregation, one.event_type, one.field, one.where) == (
        *(other.aggregation, other.event_type, other.field, other.where),
    )


def _recency(facts: Facts, event_type: str | None, leading: int) -> str:
    last = Base(aggregation=Aggregation.LAST, event_type=event_type)
    gaps = Base(aggregation=Aggregation.GAP_SUM, event_type=event_type)
    age, gap = facts.find(Readout.AGE_DAYS, last), facts.find(Readout.GAP_MEAN_DAYS, gaps)
    noun = facts.noun(event_type)[0]
    if age is None:
        feature, value = facts.features[leading], facts.value(leading)
        if feature.readout is Readout.AGE_DAYS or value is None:
            return facts.say("never", event=noun)
        return facts.say("other", what=_what(feature), number=_number(value), unit=feature.unit)
    late = age >= 1 and (gap is None or age >= gap)
    words = {"event": noun, "days": facts.days(age)}
    if gap is None:
        return facts.say("silent" if late else "lately", **words)
    return facts.say("silent_usual" if late else "lately_usual", gap=facts.days(gap + _ROUND), **words)


def _count(facts: Facts, base: Base, value: float) -> str:
    singular, plural = facts.noun(base.event_type)
    n = round(value)
    events = singular if n == 1 else plural
    if base.window_days is None:
        return facts.say("count_life", n=n, events=events)
    kind = "count" if n else "count_none"
    said = facts.say(kind, n=n, events=events, window=base.window_days)
    more = facts.longer(base)
    if more is None or round(more[1]) <= n:
        return said
    return facts.say("count_more", said=said, n=round(more[1]), window=more[0])


def _what(feature: Feature) -> str:
    return feature.description.rstrip(".")


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"

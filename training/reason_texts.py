"""Every word of the reasons, one table a language; a further language is one more entry of :data:`TEXTS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from features.nouns import NOUNS

__all__ = ["TEXTS", "Texts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The words of one language.

    Parameters
    ----------
    nouns : mapping of str to (singular, plural)
        For each built-in event type.
    any_event : (singular, plural)
        For features over events of every type.
    plural_suffix : str
        Makes the plural of an event type that has no noun here.
    days : (less than one, one, more)
        With ``{n}``.
    templates : mapping of str to str
        By what is said; the placeholders are the same in every language.
    """

    nouns: Mapping[str, tuple[str, str]]
    any_event: tuple[str, str]
    plural_suffix: str
    days: tuple[str, str, str]
    templates: Mapping[str, str]


_ENGLISH: Final = Texts(
    nouns=NOUNS,
    any_event=("activity", "activities"),
    plural_suffix="s",
    days=("less than a day", "{n} day", "{n} days"),
    templates={
        "silent": "No {event} for {days}",
        "silent_usual": "No {event} for {days}; their usual gap is {gap}",
        "lately": "Last {event} {days} ago",
        "lately_usual": "Last {event} {days} ago; their usual gap is {gap}",
        "never": "No {event} yet",
        "count": "{n} {events} in the last {window} days",
        "count_none": "No {events} in the last {window} days",
        "count_more": "{said}, {n} in the last {window} days",
        "count_life": "{n} {events} so far",
        "active_days": "Days with {events} in the last {window} days: {n}",
        "active_days_life": "Days with {events} in the last {tail} days: {n}",
        "spend": "{events} worth {money} in the last {window} days",
        "spend_life": "{events} worth {money} so far",
        "spend_none": "No {events} of any value in the last {window} days",
        "discount_none": "No discounts on {events} in the last {window} days",
        "discount": "Discounts of {money} on {events} in the last {window} days",
        "discount_life": "Discounts of {money} on {events} so far",
        "discount_share": "Discounts were {percent} % of the price of {events} in the last {window} days",
        "discount_share_life": "Discounts were {percent} % of the price of {events} so far",
        "mean_spend": "{money} on average for each {event} in the last {window} days",
        "mean_spend_life": "{money} on average for each {event} so far",
        "mean_discount": "A discount of {money} on average for each {event} in the last {window} days",
        "mean_discount_life": "A discount of {money} on average for each {event} so far",
        "lines": "{n} rows in the {events} of the last {window} days",
        "lines_life": "{n} rows in all {events} so far",
        "mean_lines": "{ratio} rows for each {event} in the last {window} days",
        "mean_lines_life": "{ratio} rows for each {event} so far",
        "mix": "{ratio} {events} for each {other} in the last {window} days",
        "mix_life": "{ratio} {events} for each {other} so far",
        "trend": "{events} in the last {window} days run at {percent} % of the pace of the last {longer} days",
        "trend_spend": (
            "Spend on {events} in the last {window} days runs at {percent} % of the pace of the last {longer} days"
        ),
        "trend_discount": (
            "Discounts on {events} in the last {window} days run at {percent} % of the pace of the last {longer} days"
        ),
        "rhythm_none": "Too few {events} to know their rhythm",
        "gap_mean": "Usually {days} between {events}",
        "gap_sd": "The time between {events} varies by {days} around its mean",
        "gap_variation": "The time between {events} varies by {percent} % of its mean",
        "spread": "{events} of the last {window} days spread over {number} {unit}",
        "gap_max": "The longest time between {events} in the last {tail} days was {days}",
        "first": "First {event} {days} ago",
        "span": "{days} between the first and the last of the {events}",
        "unanswered": "Last {event} {days} ago, with no {other} since",
        "season": "The time of the year: day {n}",
        "p_alive": "A probability of {percent} % that there will be further {events}",
        "expected": "Expected {events} in the next {ahead} days: {number}",
        "streak": "{days} in a row with {events}",
        "streak_none": "No {events} today or yesterday",
        "expiry": "{events} running out in the next {window} days: {n}",
        "yes": "{what}: yes",
        "no": "{what}: no",
        "other": "{what}: {number} {unit}",
        "plain": "{what}: {number}",
        "money": "{what}: {money}",
        "percent": "{what}: {percent} %",
        "null": "{why}",
        "unknown": "{what}: not known",
    },
)

TEXTS: Final[Mapping[str, Texts]] = {"en": _ENGLISH}

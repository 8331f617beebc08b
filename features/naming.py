"""What a feature is called, its unit, when it is null, and a sentence about it: all derived from its definition."""

from __future__ import annotations

from typing import assert_never

from features.grammar import Aggregation, Base, Readout
from features.naming_base import digest, measure, slug, subject, unit_of, window
from features.naming_phrase import absent, phrase, singular, who, within, zero
from features.naming_ratio import ratio_name, ratio_sentence, ratio_unit
from features.nouns import an

__all__ = ["description", "name", "null_meaning", "slug", "unit"]


def name(readout: Readout, bases: tuple[Base, ...], parameters: tuple[float, ...] = ()) -> str:
    """Derived name of a feature.

    Examples
    --------
    >>> count = Base(aggregation=Aggregation.COUNT, event_type="purchase", window_days=28)
    >>> name(Readout.VALUE, (count,))
    'purchase_count_28d'
    >>> name(Readout.DAY_OF_YEAR, (), (14.0,))
    'day_of_year_ahead_14d'
    """
    if readout is Readout.DAY_OF_YEAR:
        return f"day_of_year_ahead_{parameters[0]:.0f}d" if parameters[0] else "day_of_year"
    return _name(readout, bases, parameters) + ("" if _all_in_name(readout, bases) else f"_{digest(repr(bases))}")


def _name(readout: Readout, bases: tuple[Base, ...], parameters: tuple[float, ...]) -> str:  # noqa: C901 (one case a readout)
    first, second = bases[0], bases[-1]
    rows = subject(first)
    match readout:
        case Readout.VALUE:
            return f"{measure(first)}{window(first)}"
        case Readout.AGE_DAYS:
            if first.event_type is None and first.aggregation is Aggregation.FIRST:
                return f"tenure_days{window(first, tail='')}"
            return f"days_since_{first.aggregation}_{rows}{window(first, tail='')}"
        case Readout.AGE_UNANSWERED:
            which = "first_" if first.aggregation is Aggregation.FIRST else ""
            answer = "first_" if second.aggregation is Aggregation.FIRST else ""
            asked = f"{rows}_days_since_{which}unanswered{window(first, tail='')}"
            return f"{asked}_by_{answer}{subject(second)}{window(second, tail='')}"
        case Readout.SPAN_DAYS:
            return f"days_first_to_last_{rows}{window(first, tail='')}"
        case Readout.RATIO:
            return ratio_name(first, second)
        case Readout.TREND:
            than = "" if measure(first) == measure(second) else f"{measure(second)}_"
            return f"{measure(first)}_{first.window_days}d_per_{than}{second.window_days}d"
        case Readout.SHARE:
            return f"{rows}_{first.field}_share{window(first)}"
        case Readout.DIFFERENCE:
            return _difference(bases)
        case Readout.SPREAD:
            return f"{rows}_{second.aggregation.removesuffix('_squares')}_spread{window(first)}"
        case Readout.GAP_MEAN_DAYS | Readout.GAP_SD_DAYS | Readout.GAP_VARIATION:
            return f"{rows}_{readout}{window(first, tail='')}"
        case Readout.AGE_PER_GAP:
            return f"{rows}_days_since_last_per_gap_mean{window(second, tail='')}"
        case Readout.P_ALIVE:
            return "p_alive" if first.event_type == "purchase" else f"{rows}_p_alive"
        case Readout.EXPECTED_ORDERS:
            return f"{rows}_expected_count_{f'{parameters[-1]:g}'.replace('.', '_')}d"
        case Readout.DAY_OF_YEAR:
            raise AssertionError("named by `name`")
        case _:
            assert_never(readout)


def unit(readout: Readout, bases: tuple[Base, ...], parameters: tuple[float, ...] = ()) -> str:  # noqa: ARG001 (one signature)
    """Unit of a feature's value.

    Examples
    --------
    >>> unit(Readout.VALUE, (Base(aggregation=Aggregation.SUM, event_type="purchase", field="amount"),))
    'money'
    """
    match readout:
        case Readout.VALUE | Readout.DIFFERENCE | Readout.EXPECTED_ORDERS:
            return unit_of(bases[0])
        case Readout.RATIO:
            return ratio_unit(bases[0], bases[1])
        case Readout.SHARE:
            return "share"
        case Readout.TREND | Readout.GAP_VARIATION | Readout.AGE_PER_GAP:
            return "ratio"
        case (
            Readout.AGE_DAYS | Readout.AGE_UNANSWERED | Readout.SPAN_DAYS | Readout.GAP_MEAN_DAYS | Readout.GAP_SD_DAYS
        ):
            return "days"
        case Readout.SPREAD:
            return "weekdays" if bases[1].aggregation is Aggregation.WEEKDAY_SQUARES else "hours of the day"
        case Readout.DAY_OF_YEAR:
            return "day of the year"
        case Readout.P_ALIVE:
            return "probability"
        case _:
            assert_never(readout)


def null_meaning(readout: Readout, bases: tuple[Base, ...], parameters: tuple[float, ...] = ()) -> str:  # noqa: ARG001
    """When a feature is null; empty if it never is."""
    if readout is Readout.DAY_OF_YEAR:
        return ""
    first, second = bases[0], bases[-1]
    match readout:
        case Readout.VALUE | Readout.DIFFERENCE:
            return _any_of(*map(absent, bases))
        case Readout.AGE_DAYS | Readout.SPAN_DAYS | Readout.SPREAD | Readout.P_ALIVE | Readout.EXPECTED_ORDERS:
            return f"no {who(first)}{within(first)}"
        case Readout.AGE_UNANSWERED:
            return f"no {who(first)}{within(first)}, or {an(singular(second))} since the {first.aggregation} of them"
        case Readout.RATIO | Readout.TREND:
            return _any_of(absent(first), absent(second), zero(second))
        case Readout.SHARE:
            return f"{first.field} and {second.field} add up to nothing{within(first)}"
        case Readout.GAP_MEAN_DAYS:
            return f"fewer than two {who(first)}{within(first)}"
        case Readout.GAP_SD_DAYS | Readout.GAP_VARIATION:
            return f"fewer than three {who(first)}{within(first)}"
        case Readout.AGE_PER_GAP:
            return f"fewer than two {who(first)}{within(second)}, or no time between them"
        case _:
            assert_never(readout)


def description(readout: Readout, bases: tuple[Base, ...], parameters: tuple[float, ...] = ()) -> str:
    """One sentence about a feature.

    Examples
    --------
    >>> description(Readout.VALUE, (Base(aggregation=Aggregation.COUNT, event_type="purchase", window_days=28),))
    'Number of purchases in the last 28 days.'
    """
    if readout is Readout.DAY_OF_YEAR:
        when = f" {parameters[0]:.0f} days after the cutoff" if parameters[0] else " of the cutoff"
        return f"Day of the year{when}, 1 to 366."
    text = _sentence(readout, bases, parameters)
    return f"{text[:1].upper()}{text[1:]}."


def _sentence(readout: Readout, bases: tuple[Base, ...], parameters: tuple[float, ...]) -> str:  # noqa: C901 (one case a readout)
    first, second = bases[0], bases[-1]
    them, then = who(first), within(first)
    match readout:
        case Readout.VALUE:
            return f"{phrase(first)}{then}"
        case Readout.AGE_DAYS:
            return f"days since the {first.aggregation} {singular(first)}{then}"
        case Readout.AGE_UNANSWERED:
            return f"days since the {first.aggregation} {singular(first)}{then}, with no {singular(second)} since"
        case Readout.SPAN_DAYS:
            return f"days between the first and the last {singular(first)}{then}"
        case Readout.RATIO:
            return ratio_sentence(first, second)
        case Readout.TREND:
            other = "that" if measure(first) == measure(second) else phrase(second)
            return f"{phrase(first)} a day{then} against {other}{within(second)}; 1 is steady, less is fading"
        case Readout.SHARE:
            return f"{first.field} as a share of {first.field} plus {second.field}, {them}{then}"
        case Readout.DIFFERENCE:
            return " minus ".join(map(phrase, bases)) + then
        case Readout.SPREAD:
            slots = ("weekdays", 7) if second.aggregation is Aggregation.WEEKDAY_SQUARES else ("hours of the day", 24)
            return f"over how many {slots[0]} the {them}{then} spread: 1 is always the same, {slots[1]} is all alike"
        case Readout.GAP_MEAN_DAYS:
            return f"mean days between consecutive {them}{then}"
        case Readout.GAP_SD_DAYS:
            return f"standard deviation of the days between consecutive {them}{then}"
        case Readout.GAP_VARIATION:
            return f"standard deviation of the days between consecutive {them} divided by their mean{then}"
        case Readout.AGE_PER_GAP:
            usual = f"the customer's own mean days between them{within(second)}"
            return f"days since the last {singular(first)} divided by {usual}"
        case Readout.P_ALIVE:
            return f"probability that there will be further {them}, by the fitted MBG/NBD model"
        case Readout.EXPECTED_ORDERS:
            return f"expected number of {them} in the next {parameters[-1]:g} days, by the fitted MBG/NBD model"
        case Readout.DAY_OF_YEAR:
            raise AssertionError("described by `description`")
        case _:
            assert_never(readout)


def _difference(bases: tuple[Base, ...]) -> str:
    """Names of what is subtracted, the common ending said once."""
    endings = {f"{measure(base).removeprefix(subject(base))}{window(base)}" for base in bases}
    if len(endings) == 1:
        return "_minus_".join(map(subject, bases)) + endings.pop()
    return "_minus_".join(f"{measure(base)}{window(base)}" for base in bases)


def _all_in_name(readout: Readout, bases: tuple[Base, ...]) -> bool:
    """Whether a name that speaks of one aggregate says it all, because the others look at the same rows."""
    rows = {(base.event_type, base.where) for base in bases}
    windows = {base.window_days for base in bases}
    match readout:
        case Readout.SPAN_DAYS | Readout.SPREAD | Readout.GAP_MEAN_DAYS | Readout.GAP_SD_DAYS | Readout.GAP_VARIATION:
            return len(rows) == len(windows) == 1
        case Readout.SHARE:
            fields = (bases[0].field, bases[1].field)
            return len(rows) == len(windows) == 1 and fields in {("discount", "amount"), ("amount", "discount")}
        case Readout.AGE_PER_GAP:
            return len(rows) == 1 and bases[0].window_days is None and bases[1].window_days == bases[2].window_days
        case Readout.P_ALIVE | Readout.EXPECTED_ORDERS:
            return len(rows) == 1 and windows == {None}
        case _:
            return True


def _any_of(*cases: str) -> str:
    return ", or ".join(dict.fromkeys(case for case in cases if case))

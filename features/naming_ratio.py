"""What a ratio of two base aggregates is called: a mean and a share have words of their own."""

from __future__ import annotations

from typing import Final

from features.grammar import Aggregation, Base
from features.naming_base import measure, slug, subject, unit_of, value_slug, window
from features.naming_phrase import phrase, who, within
from features.nouns import FIELDS

__all__ = ["ratio_name", "ratio_sentence", "ratio_unit"]

_A: Final = Aggregation
_SINGULAR: Final = {plural: one for one, plural in FIELDS.values()} | {"1 or 0": "1"}


def ratio_name(top: Base, bottom: Base) -> str:
    """Name of ``top / bottom``."""
    after = window(top) if window(top) == window(bottom) else f"{window(top)}_per{window(bottom)}"
    if _is_share(top, bottom):
        return f"{measure(top).removesuffix('_count')}_share{after}"
    same_type, same_rows = top.event_type == bottom.event_type, _same_rows(top, bottom)
    if _is_mean(top, bottom):
        return f"{subject(top)}_mean_{top.field}{after}"
    if top.aggregation is _A.SUM and bottom.aggregation is _A.COUNT and same_rows:
        return f"{subject(top)}_{top.field}_mean{after}"
    if top.where is not None and top.where == bottom.where and not same_type:  # the common filter is said once
        where = f"_{top.where.field}_{value_slug(top.where.value)}"
        of_top, of_bottom = measure(top, of=slug(top.event_type)), measure(bottom, of=slug(bottom.event_type))
        return f"{of_top}_per_{of_bottom}{where}{after}"
    other = measure(bottom)
    if same_rows:
        other = other.removeprefix(f"{subject(bottom)}_").removeprefix(f"first_{subject(bottom)}_")
    return f"{measure(top)}_per_{other}{after}"


def ratio_unit(top: Base, bottom: Base) -> str:
    """Unit of ``top / bottom``."""
    above, below = unit_of(top), unit_of(bottom)
    if _is_mean(top, bottom):
        return above
    if _is_share(top, bottom):
        return "share"
    if above == below:
        return "ratio"
    return f"{above} per {_SINGULAR.get(below, below.removesuffix('s'))}"


def ratio_sentence(top: Base, bottom: Base) -> str:
    """Sentence about ``top / bottom``, without capital and full stop."""
    if within(top) != within(bottom):
        return f"{phrase(top)}{within(top)} divided by the {phrase(bottom)}{within(bottom)}"
    then = within(top)
    if _is_share(top, bottom):
        return f"share of {_share_of(top)}{then}"
    if _is_mean(top, bottom):
        return f"mean {FIELDS[str(top.field)][0]} of {who(top)}{then}"
    return f"{phrase(top)} divided by the {phrase(bottom)}{then}"


def _share_of(top: Base) -> str:
    rows = phrase(top).removeprefix("number of ")
    if top.aggregation is _A.LINES and top.where is not None:
        whole = who(Base(aggregation=_A.LINES, event_type=top.event_type))
        return f"{rows} among all {whole}"
    return rows


def _same_rows(top: Base, bottom: Base) -> bool:
    return (top.event_type, top.where) == (bottom.event_type, bottom.where)


def _is_mean(top: Base, bottom: Base) -> bool:
    """Whether it is the mean of a number over the rows that have it."""
    sums = top.aggregation is _A.SUM and bottom.aggregation is _A.PRESENT
    return sums and _same_rows(top, bottom) and top.field == bottom.field


def _is_share(top: Base, bottom: Base) -> bool:
    """Whether the bottom counts everything of which the top counts a part, and so need not be named."""
    if top.event_type != bottom.event_type or top.last_lines != bottom.last_lines:
        return False
    match top.aggregation, bottom.aggregation:
        case _A.LINES, _A.LINES:
            return top.where is not None and bottom.where is None
        case _A.PRESENT, _A.LINES:
            return top.where == bottom.where
        case _A.WEEKEND, _A.COUNT:
            return True
        case _A.TOP, _A.PRESENT:
            return top.where == bottom.where and top.field == bottom.field
        case _:
            return False

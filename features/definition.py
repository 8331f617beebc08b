"""A feature as data: base aggregates and a closed kind of arithmetic over them.

Name, unit, meaning of null and description follow from the definition (:mod:`features.naming`); nobody writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from features import naming
from features.errors import UsageError
from features.grammar import (
    MAX_EVENTS,
    NULL_INT,
    TAIL_DAYS,
    Aggregation,
    Base,
    Family,
    Readout,
    base_from_dict,
)

__all__ = [
    "MAX_EVENTS",
    "NULL_INT",
    "TAIL_DAYS",
    "Aggregation",
    "Base",
    "Family",
    "Feature",
    "Readout",
    "feature_from_dict",
]

_GAPS: Final = (Aggregation.GAP_SQUARES, Aggregation.GAP_SUM, Aggregation.GAP_COUNT)
_SHAPES: Final[Mapping[Readout, tuple[tuple[Aggregation, ...] | None, int]]] = {
    Readout.VALUE: (None, 1),
    Readout.AGE_DAYS: (None, 1),
    Readout.SPAN_DAYS: ((Aggregation.FIRST, Aggregation.LAST), 2),
    Readout.RATIO: (None, 2),
    Readout.TREND: (None, 2),
    Readout.SHARE: ((Aggregation.SUM, Aggregation.SUM), 2),
    Readout.GAP_MEAN_DAYS: (_GAPS[1:], 2),
    Readout.GAP_SD_DAYS: (_GAPS, 3),
    Readout.GAP_VARIATION: (_GAPS, 3),
    Readout.AGE_PER_GAP: ((Aggregation.LAST, *_GAPS[1:]), 3),
}
_TIMES: Final = frozenset({Aggregation.FIRST, Aggregation.LAST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature: base aggregates and the arithmetic over them.

    Parameters
    ----------
    readout : Readout
        The arithmetic.
    bases : tuple of Base
        What it is applied to, in the readout's order.
    family : Family
        Where it is listed; affects no value.

    Raises
    ------
    UsageError
        If the readout does not fit the base aggregates.

    Examples
    --------
    >>> last = Base(aggregation=Aggregation.LAST, event_type="purchase")
    >>> Feature(readout=Readout.AGE_DAYS, bases=(last,), family=Family.RECENCY).name
    'days_since_last_purchase'
    """

    readout: Readout
    bases: tuple[Base, ...]
    family: Family

    def __post_init__(self) -> None:
        expected, count = _SHAPES[self.readout]
        found = tuple(base.aggregation for base in self.bases)
        wrong_times = any((a in _TIMES) != (self.readout is Readout.AGE_DAYS) for a in found) and expected is None
        if len(found) != count or (expected is not None and found != expected) or wrong_times:
            raise UsageError(
                f"the readout {self.readout} was given {', '.join(found) or 'nothing'}",
                expected=", ".join(expected) if expected else f"{count} aggregate(s) it can be applied to",
            )
        if self.readout is Readout.TREND and any(base.window_days is None for base in self.bases):
            raise UsageError("a trend was given an aggregate without a window", expected="two windows")

    @property
    def name(self) -> str:
        """Derived name, such as ``purchase_amount_sum_91d``."""
        return naming.name(self.readout, self.bases)

    @property
    def unit(self) -> str:
        """Unit of the value: ``days``, ``money``, ``orders``, ``ratio`` …."""
        return naming.unit(self.readout, self.bases)

    @property
    def null_meaning(self) -> str:
        """When the value is null; empty if it never is."""
        return naming.null_meaning(self.readout, self.bases)

    @property
    def description(self) -> str:
        """One sentence a marketer understands."""
        return naming.description(self.readout, self.bases)

    @property
    def window_days(self) -> int | None:
        """Window of the first base aggregate."""
        return self.bases[0].window_days

    def to_dict(self) -> dict[str, object]:
        """Return the parts as JSON can hold them; :func:`feature_from_dict` reads them back."""
        return {
            "readout": str(self.readout),
            "bases": [base.to_dict() for base in self.bases],
            "family": str(self.family),
        }


def feature_from_dict(parts: Mapping[str, object]) -> Feature:
    """Feature of what :meth:`Feature.to_dict` gave.

    Raises
    ------
    UsageError
        If it is no such thing.

    Examples
    --------
    >>> count = Base(aggregation=Aggregation.COUNT, event_type="view", window_days=7)
    >>> view = Feature(readout=Readout.VALUE, bases=(count,), family=Family.FREQUENCY)
    >>> feature_from_dict(view.to_dict()) == view
    True
    """
    try:
        listed = parts["bases"]
        bases = tuple(base_from_dict(base) for base in listed) if isinstance(listed, list) else ()
        return Feature(readout=Readout(str(parts["readout"])), bases=bases, family=Family(str(parts["family"])))
    except (KeyError, ValueError, TypeError) as error:
        raise UsageError(
            f"a feature cannot be read: {error}",
            expected="readout, bases and family as `to_dict` writes them",
        ) from error

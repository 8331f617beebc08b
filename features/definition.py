"""A feature as data: base aggregates and a closed kind of arithmetic over them.

Name, unit, meaning of null and description follow from the definition (:mod:`features.naming`); nobody writes them.
"""

from __future__ import annotations

import math
import sys
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
    Where,
    base_from_dict,
)
from features.words import OF_ONE_WINDOW

__all__ = [
    "MAX_EVENTS",
    "NULL_INT",
    "PARAMETERS",
    "SHAPES",
    "TAIL_DAYS",
    "Aggregation",
    "Base",
    "Family",
    "Feature",
    "Readout",
    "Where",
    "feature_from_dict",
    "shape_text",
]

_TIMES: Final = frozenset({Aggregation.FIRST, Aggregation.LAST})
_NUMBERS: Final = frozenset(Aggregation) - _TIMES
_TIME: Final = (_TIMES,)
_ANY: Final = (_NUMBERS,)
_GAPS: Final = tuple(frozenset({a}) for a in (Aggregation.GAP_SQUARES, Aggregation.GAP_SUM, Aggregation.GAP_COUNT))
_SUM, _COUNT, _FIRST, _LAST = (
    frozenset({aggregation})
    for aggregation in (Aggregation.SUM, Aggregation.COUNT, Aggregation.FIRST, Aggregation.LAST)
)
_SQUARES: Final = frozenset({Aggregation.WEEKDAY_SQUARES, Aggregation.HOUR_SQUARES})
SHAPES: Final[Mapping[Readout, tuple[tuple[frozenset[Aggregation], ...], ...]]] = {
    Readout.VALUE: (_ANY,),
    Readout.AGE_DAYS: (_TIME,),
    Readout.AGE_UNANSWERED: (_TIME * 2,),
    Readout.SPAN_DAYS: ((_FIRST, _LAST),),
    Readout.RATIO: (_ANY * 2,),
    Readout.TREND: (_ANY * 2,),
    Readout.SHARE: ((_SUM, _SUM),),
    Readout.DIFFERENCE: (_ANY * 2, _ANY * 3),
    Readout.SPREAD: ((_COUNT, _SQUARES),),
    Readout.GAP_MEAN_DAYS: (_GAPS[1:],),
    Readout.GAP_SD_DAYS: (_GAPS,),
    Readout.GAP_VARIATION: (_GAPS,),
    Readout.AGE_PER_GAP: ((_LAST, *_GAPS[1:]),),
    Readout.DAY_OF_YEAR: ((),),
    Readout.P_ALIVE: ((_COUNT, _FIRST, _LAST),),
    Readout.EXPECTED_ORDERS: ((_COUNT, _FIRST, _LAST),),
}
"""Each readout's aggregations, position by position; DIFFERENCE takes two or three."""
_OF_ONE_TYPE: Final = frozenset(
    {
        *(Readout.SPAN_DAYS, Readout.SPREAD, Readout.GAP_MEAN_DAYS, Readout.GAP_SD_DAYS, Readout.GAP_VARIATION),
        *(Readout.AGE_PER_GAP, Readout.P_ALIVE, Readout.EXPECTED_ORDERS),
    }
)
PARAMETERS: Final[Mapping[Readout, tuple[str, ...]]] = {
    Readout.DAY_OF_YEAR: ("days_ahead",),
    Readout.P_ALIVE: ("r", "alpha", "a", "b"),
    Readout.EXPECTED_ORDERS: ("r", "alpha", "a", "b", "horizon_days"),
}


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
    parameters : tuple of float
        Numbers the readout needs: ``days_ahead`` of the day of the year (0 to 730), ``r, alpha, a, b`` of a fitted
        MBG/NBD (all above 0, time in days) and ``horizon_days``; empty for every other readout.

    Raises
    ------
    UsageError
        If the readout does not fit the base aggregates or the parameters.

    Examples
    --------
    >>> last = Base(aggregation=Aggregation.LAST, event_type="purchase")
    >>> Feature(readout=Readout.AGE_DAYS, bases=(last,), family=Family.RECENCY).name
    'days_since_last_purchase'
    """

    readout: Readout
    bases: tuple[Base, ...]
    family: Family
    parameters: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        found = tuple(base.aggregation for base in self.bases)
        shapes = SHAPES[self.readout]
        if not any(len(shape) == len(found) and all(map(frozenset.__contains__, shape, found)) for shape in shapes):
            raise UsageError(
                f"the readout {self.readout} was given {', '.join(found) or 'nothing'}",
                expected=" or ".join(shape_text(shape) for shape in shapes),
            )
        if self.readout is Readout.TREND and any(base.window_days is None for base in self.bases):
            raise UsageError("a trend was given an aggregate without a window", expected="two windows")
        self._check_units()
        if self.readout in _OF_ONE_TYPE and len({base.event_type for base in self.bases}) > 1:
            types = ", ".join(str(base.event_type) for base in self.bases)
            raise UsageError(f"the readout {self.readout} was given {types}", expected="one event type")
        if len({base.window_days for base in self.bases if base.aggregation in OF_ONE_WINDOW}) > 1 and (
            self.readout in _OF_ONE_TYPE
        ):
            raise UsageError(f"the readout {self.readout} was given several windows", expected="one window")
        self._check_parameters()

    def _check_units(self) -> None:
        if self.readout not in {Readout.DIFFERENCE, Readout.SHARE}:
            return
        units = [naming.unit(Readout.VALUE, (base,)) for base in self.bases]
        scales = [base.scale for base in self.bases]
        if len(set(units)) > 1 or len(set(scales)) > 1:
            kept = ", ".join(f"{unit} in 1/{scale}" for unit, scale in zip(units, scales, strict=True))
            raise UsageError(f"a {self.readout} of {kept}", expected="one unit, kept alike")

    def _check_parameters(self) -> None:
        names, given = PARAMETERS.get(self.readout, ()), self.parameters
        least = 0.0 if self.readout is Readout.DAY_OF_YEAR else sys.float_info.min
        fits = len(given) == len(names) and all(math.isfinite(number) and number >= least for number in given)
        if not fits or (self.readout is Readout.DAY_OF_YEAR and not (float(given[0]).is_integer() and given[0] <= 730)):
            raise UsageError(
                f"the readout {self.readout} was given the parameters {given}",
                expected=f"{', '.join(names) or 'none'}{' (above 0)' if len(names) > 1 else ''}",
            )

    @property
    def name(self) -> str:
        """Derived name, such as ``purchase_amount_sum_91d``."""
        return naming.name(self.readout, self.bases, self.parameters)

    @property
    def unit(self) -> str:
        """Unit of the value: ``days``, ``money``, ``orders``, ``ratio`` …."""
        return naming.unit(self.readout, self.bases, self.parameters)

    @property
    def null_meaning(self) -> str:
        """When the value is null; empty if it never is."""
        return naming.null_meaning(self.readout, self.bases, self.parameters)

    @property
    def description(self) -> str:
        """One sentence a marketer understands."""
        return naming.description(self.readout, self.bases, self.parameters)

    @property
    def window_days(self) -> int | None:
        """Window of the first base aggregate; None if there is none."""
        return self.bases[0].window_days if self.bases else None

    def to_dict(self) -> dict[str, object]:
        """Return the parts as JSON can hold them; :func:`feature_from_dict` reads them back."""
        return {
            "readout": str(self.readout),
            "bases": [base.to_dict() for base in self.bases],
            "family": str(self.family),
        } | ({"parameters": list(self.parameters)} if self.parameters else {})


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
        parameters = parts.get("parameters", [])
        return Feature(
            readout=Readout(str(parts["readout"])),
            bases=bases,
            family=Family(str(parts["family"])),
            parameters=tuple(float(number) for number in parameters) if isinstance(parameters, list) else (),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise UsageError(
            f"a feature cannot be read: {error}",
            expected="readout, bases and family as `to_dict` writes them",
        ) from error


def shape_text(shape: tuple[frozenset[Aggregation], ...]) -> str:
    """What a readout takes, in words."""
    kinds = {_NUMBERS: "a number", _TIMES: "a time"}
    return ", ".join(kinds.get(kind) or "/".join(sorted(kind)) for kind in shape) or "nothing"

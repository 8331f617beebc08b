"""The words of the feature grammar: what is measured (a base aggregate) and how it can be read out.

A *base aggregate* is an exact integer about one customer at one cutoff: an aggregation of one event type, perhaps only
of rows with a certain text, perhaps of one column of its rows, perhaps in a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from features.errors import UsageError, did_you_mean
from features.events import FILTERS, SCALES, TEXTS
from features.words import OF_A_COLUMN, OF_A_TEXT, OF_THE_TAIL, WHOLE_LIFE, Aggregation, Family, Readout

__all__ = [
    "ATTRIBUTE_SCALE",
    "MAX_EVENTS",
    "NULL_INT",
    "TAIL_DAYS",
    "Aggregation",
    "Base",
    "Family",
    "Readout",
    "Where",
    "base_from_dict",
]

NULL_INT: Final = -(2**63)
"""A base aggregate that is not defined: the first time of what never happened."""
MAX_EVENTS: Final = 4_096
"""Windows, gaps and active days look at this many of a customer's last events (and ties of the oldest one)."""
TAIL_DAYS: Final = 400
"""Windows, gaps and active days look at events not older than this."""

ATTRIBUTE_SCALE: Final = 1_000
"""Numbers of attributes are kept in thousandths."""

_DAY_MINUTES: Final = 1_440
_SCALED: Final = frozenset({Aggregation.SUM, Aggregation.LAST_NUMBER, Aggregation.FIRST_ORDER_SUM})
_BY_ROW: Final = frozenset(
    {
        Aggregation.LINES,
        Aggregation.SUM,
        Aggregation.PRESENT,
        Aggregation.ACTIVE_DAYS,
        Aggregation.STREAK,
        Aggregation.FIRST,
        Aggregation.LAST,
        Aggregation.LAST_NUMBER,
        Aggregation.DISTINCT,
        Aggregation.TOP,
        Aggregation.RUNNING_OUT,
    }
)
"""What a filter can be put on: a filtered row stands for itself, whatever order it belongs to."""
_OF_ONE_TYPE: Final = frozenset({Aggregation.LAST_NUMBER, Aggregation.FIRST_ORDER_SUM, Aggregation.FIRST_ORDER_IS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A filter: only rows whose column has this value.

    Parameters
    ----------
    field : str
        One of :data:`features.events.FILTERS`.
    value : str
        Compared exactly, case and all.
    """

    field: str
    value: str

    def __post_init__(self) -> None:
        if self.field not in FILTERS:
            raise UsageError(f"a filter on {self.field!r}", expected=f"one of {', '.join(FILTERS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """One base aggregate.

    Parameters
    ----------
    aggregation : Aggregation
        What is measured.
    event_type : str or None
        Which events; None is every event, each row its own order. None for an attribute.
    field : str or None
        The column: a key of :data:`features.events.SCALES` for numbers, one of :data:`features.events.TEXTS` for what
        distinguishes values, an attribute's name.
    window_days : int or None
        ``[cutoff - window, cutoff)`` in days of 86,400 s, at most :data:`TAIL_DAYS`. None: the whole life, or the
        tail for those aggregations that see no more. For ``RUNNING_OUT`` the days *after* the cutoff.
    where : Where or None
        A filter. Each row that passes is then counted by itself, and only in a window or in the tail.
    last_lines : int or None
        Of the tail, only so many of the newest rows (and ties of the oldest one), for ``DISTINCT`` and ``TOP``.
    value : str or None
        The text that is looked for, for ``FIRST_ORDER_IS``, and for an attribute that is a text.

    Raises
    ------
    UsageError
        If the parts do not fit together.

    Examples
    --------
    >>> Base(aggregation=Aggregation.COUNT, event_type="purchase", window_days=28).to_dict()
    {'aggregation': 'count', 'event_type': 'purchase', 'window_days': 28}
    """

    aggregation: Aggregation
    event_type: str | None
    field: str | None = None
    window_days: int | None = None
    where: Where | None = None
    last_lines: int | None = None
    value: str | None = None

    def __post_init__(self) -> None:
        self._check_field()
        self._check_window()
        if self.where is not None:
            self._check_filter()
        wants_value = self.aggregation is Aggregation.FIRST_ORDER_IS
        if wants_value != (self.value is not None) and self.aggregation is not Aggregation.ATTRIBUTE:
            raise UsageError(
                f"the aggregation {self.aggregation} has value {self.value!r}",
                expected="a text to look for" if wants_value else "no value",
            )
        if self.event_type is None and self.aggregation in _OF_ONE_TYPE:
            raise UsageError(f"the aggregation {self.aggregation} of every event", expected="an event type")
        if self.event_type is not None and self.aggregation is Aggregation.ATTRIBUTE:
            raise UsageError(f"an attribute of the event type {self.event_type!r}", expected="no event type")

    @property
    def scale(self) -> int:
        """How many of the aggregate's integers make one of its unit."""
        if self.aggregation in _SCALED and self.field is not None:
            return SCALES[self.field]
        if self.aggregation in {Aggregation.GAP_SUM, Aggregation.GAP_MAX}:
            return _DAY_MINUTES
        return ATTRIBUTE_SCALE if self.aggregation is Aggregation.ATTRIBUTE and self.value is None else 1

    def _check_field(self) -> None:
        if (self.field is not None) != (self.aggregation in OF_A_COLUMN):
            needs = "a field" if self.aggregation in OF_A_COLUMN else "no field"
            raise UsageError(f"the aggregation {self.aggregation} has field {self.field!r}", expected=needs)
        if self.field is None or self.aggregation is Aggregation.ATTRIBUTE:
            return
        allowed: tuple[str, ...] = TEXTS if self.aggregation in OF_A_TEXT else tuple(SCALES)
        if self.aggregation is Aggregation.PRESENT:
            allowed = (*SCALES, *TEXTS)
        if self.aggregation is Aggregation.FIRST_ORDER_IS:
            allowed = FILTERS
        if self.aggregation is Aggregation.RUNNING_OUT:
            allowed = ("duration_seconds",)
        if self.field not in allowed:
            raise UsageError(
                f"the field {self.field!r} does not fit the aggregation {self.aggregation}",
                expected=f"one of {', '.join(allowed)}",
                remedy=did_you_mean(self.field, allowed),
            )

    def _check_window(self) -> None:
        if self.window_days is not None and not 1 <= self.window_days <= TAIL_DAYS:
            raise UsageError(f"a window of {self.window_days} days", expected=f"1 to {TAIL_DAYS} days")
        if self.window_days is not None and self.aggregation in WHOLE_LIFE:
            raise UsageError(f"the aggregation {self.aggregation} has a window", expected="no window")
        needs = self.aggregation is Aggregation.RUNNING_OUT or (
            self.aggregation is Aggregation.PRESENT and self.field in TEXTS
        )
        if needs and self.window_days is None:
            raise UsageError(f"the aggregation {self.aggregation} of {self.field} has no window", expected="a window")
        if self.last_lines is not None:
            fits = self.aggregation in {Aggregation.DISTINCT, Aggregation.TOP} and self.window_days is None
            if not fits or not 1 <= self.last_lines <= MAX_EVENTS:
                raise UsageError(
                    f"the last {self.last_lines} lines of the aggregation {self.aggregation}",
                    expected=f"1 to {MAX_EVENTS} lines for distinct and top, without a window",
                )

    def _check_filter(self) -> None:
        if self.event_type is None or self.aggregation not in _BY_ROW:
            raise UsageError(
                f"a filter on the aggregation {self.aggregation} of {self.event_type or 'every event'}",
                expected=f"an event type, and one of {', '.join(sorted(_BY_ROW))}",
                remedy="count lines instead of orders, or map the rows to an event type of their own",
            )
        if self.window_days is None and self.aggregation not in OF_THE_TAIL:
            raise UsageError(
                f"a filter on the aggregation {self.aggregation} without a window",
                expected=f"a window of 1 to {TAIL_DAYS} days",
            )

    def to_dict(self) -> dict[str, object]:
        """Return the parts as JSON can hold them; those that are None are left out, but for the event type."""
        parts: dict[str, object] = {"aggregation": str(self.aggregation), "event_type": self.event_type}
        if self.where is not None:
            parts["where"] = {"field": self.where.field, "value": self.where.value}
        for name in ("field", "window_days", "last_lines", "value"):
            if (part := getattr(self, name)) is not None:
                parts[name] = part
        return parts


def base_from_dict(parts: Mapping[str, object]) -> Base:
    """Base aggregate of what :meth:`Base.to_dict` gave.

    Raises
    ------
    KeyError, TypeError, ValueError, UsageError
        If it is no such thing.

    Examples
    --------
    >>> base_from_dict({"aggregation": "last", "event_type": "view"}).aggregation
    <Aggregation.LAST: 'last'>
    """
    known = {"aggregation", "event_type", "field", "window_days", "where", "last_lines", "value"}
    if unknown := sorted(set(parts) - known):
        raise UsageError(f"an aggregate has {', '.join(unknown)}", expected=f"only {', '.join(sorted(known))}")
    where = parts.get("where")
    if where is not None:
        if not isinstance(where, Mapping) or set(where) != {"field", "value"}:
            raise TypeError(f"a filter is {where!r}, not a field and a value")
        where = Where(field=str(where["field"]), value=str(where["value"]))
    texts = {name: parts.get(name) for name in ("event_type", "field", "value")}
    counts = {name: parts.get(name) for name in ("window_days", "last_lines")}
    if not all(isinstance(text, str | None) for text in texts.values()) or any(
        isinstance(count, bool) or not isinstance(count, int | None) for count in counts.values()
    ):
        raise TypeError(f"the aggregate {dict(parts)} has parts of other types")
    aggregation = Aggregation(str(parts["aggregation"]))
    return Base(aggregation=aggregation, where=where, **texts, **counts)  # type: ignore[arg-type] # checked above

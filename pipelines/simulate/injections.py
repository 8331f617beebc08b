"""Changes put into a log on purpose, ``NAME@DATE:STRENGTH``, of kinds that a monitor must tell from each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from features.errors import did_you_mean
from features.events import EVENT_TYPES, TRAIT_COLUMNS

__all__ = ["KINDS", "Injection", "parse_injection"]

KINDS: Final = {
    "stops": "share of an event type's rows that no longer arrive: stops.TYPE, by default stops.view",
    "doubles": "share of an event type's rows that arrive twice with ids of their own: doubles.TYPE (view)",
    "loses": "share of an event type's rows that lose a field: loses.TYPE.FIELD (purchase.category)",
    "flips": "share of two event types' rows that carry each other's name: flips.TYPE.TYPE (view.click)",
    "covariate": "other people join, and more of them; how people behave, given who they are, stays",
    "concept": "the same people behave otherwise; 1 costs a model trained before about 5 % log loss",
    "season": "a peak of visits around this day of every year; nothing else changes",
    "nothing": "nothing at all: a control",
}
"""Kind → what its strength means."""
_DEFAULTS: Final = {
    "stops": ("view",),
    "doubles": ("view",),
    "loses": ("purchase", "category"),
    "flips": ("view", "click"),
}
_SHARES: Final = ("stops", "doubles", "loses", "flips")
_MOST: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """One change.

    Parameters
    ----------
    kind : str
        A key of :data:`KINDS`.
    arguments : tuple of str
        Event types and field.
    at : date
        From this day on (``season``: around this day of every year).
    strength : float
        0: nothing happens.
    """

    kind: str
    arguments: tuple[str, ...] = ()
    at: date
    strength: float

    def __str__(self) -> str:
        return f"{'.'.join((self.kind, *self.arguments))}@{self.at}:{self.strength:g}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"text": str(self)}


def parse_injection(text: str) -> tuple[Injection | None, list[str]]:
    """Read one injection; with it, or instead of it, everything that is wrong.

    Examples
    --------
    >>> injection, problems = parse_injection("stops.cart@2023-06-01:0.5")
    >>> str(injection), problems
    ('stops.cart@2023-06-01:0.5', [])
    >>> parse_injection("concpt@2023-06-01:1")[1]
    ["--inject concpt@2023-06-01:1: there is no injection 'concpt'; did you mean 'concept'?"]
    """
    name, has_date, rest = text.partition("@")
    day, has_strength, strength = rest.partition(":")
    kind, *arguments = name.split(".")
    problems: list[str] = []
    if not (has_date and has_strength):
        problems.append("expected NAME@DATE:STRENGTH, such as concept@2023-06-01:1")
    if kind not in KINDS:
        problems.append(f"there is no injection {kind!r}; {did_you_mean(kind, KINDS)}")
    else:
        problems += _argument_problems(kind, arguments)
    at = _read_date(day)
    if has_date and at is None:
        problems.append(f"{day!r} is not a date; expected YYYY-MM-DD")
    size = _read_number(strength)
    limit = 1.0 if kind in _SHARES else _MOST
    if has_strength and (size is None or not 0 <= size <= limit):
        problems.append(f"the strength {strength!r} is not a number from 0 to {limit:g}")
    if problems or at is None or size is None:
        return None, [f"--inject {text}: {problem}" for problem in problems]
    return Injection(kind=kind, arguments=tuple(arguments) or _DEFAULTS.get(kind, ()), at=at, strength=size), []


def _argument_problems(kind: str, arguments: list[str]) -> list[str]:
    if not arguments:
        return []
    wanted = len(_DEFAULTS.get(kind, ()))
    if len(arguments) != wanted:
        return [f"{kind} takes {wanted} names after it, found {len(arguments)}"]
    types = arguments[:1] if kind == "loses" else arguments
    problems = [
        f"there is no event type {one!r}; {did_you_mean(one, EVENT_TYPES)}" for one in types if one not in EVENT_TYPES
    ]
    if kind == "loses" and arguments[1] not in TRAIT_COLUMNS:
        problems.append(f"there is no field {arguments[1]!r}; {did_you_mean(arguments[1], TRAIT_COLUMNS)}")
    return problems


def _read_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _read_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

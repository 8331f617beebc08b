"""Generated page of the feature grammar: its words, and what each takes, found by asking the grammar itself."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

from features.definition import PARAMETERS, SHAPES, shape_text
from features.errors import UsageError
from features.events import FILTERS, SCALES, TEXTS
from features.grammar import MAX_EVENTS, TAIL_DAYS, Base, Where
from features.words import MEASURED, OF_THE_TAIL, READ_OUT, Aggregation, Family, Readout

__all__ = ["grammar_page"]

_CHOICES: dict[str, tuple[Any, ...]] = {
    "event_type": ("view", None),
    "field": (None, *SCALES, *TEXTS),
    "window_days": (None, 28),
    "where": (None, Where(field="device", value="app")),
    "last_lines": (None, 50),
    "value": (None, "app"),
}


def grammar_page(written_by: str) -> str:
    """Markdown of every word of the grammar.

    Parameters
    ----------
    written_by : str
        The line that says not to edit the page.
    """
    lines = [
        "# The feature grammar",
        written_by,
        "A feature is a *readout* of *base aggregates*. This is all that a family of the catalogue, or a `[[feature]]`",
        "of a project (see [data.md](data.md)), can say; name, unit, null meaning and description follow from it.",
        "",
        "```toml",
        "[[feature]]",
        'family = "engagement"',
        'readout = "ratio"',
        'bases = [{ aggregation = "lines", event_type = "view", window_days = 28 }, ...]',
        "```",
        "",
        "## Aggregations",
        "",
        "An order is a distinct `order_id` (absent: the row) at the time of its earliest line. Where `event_type` is",
        f"optional, every event counts without one. `window_days` is 1 to {TAIL_DAYS}; without one, *lifetime* looks",
        f"at everything and *tail* at the last {MAX_EVENTS:,} events of the last {TAIL_DAYS} days. `where` is",
        f'`{{ field = "...", value = "..." }}` with one of {_listed(FILTERS)}; the value is compared exactly.',
        "",
        "| aggregation | measures | `event_type` | `field` | `window_days` | also takes |",
        "|---|---|---|---|---|---|",
        *(_aggregation_row(one) for one in Aggregation),
        "",
        f"Numbers: {_listed(SCALES)}. Texts: {_listed(TEXTS)}.",
        "",
        "## Readouts",
        "",
        "What cannot be computed (a division by 0, the gap after one order) is null.",
        "",
        "| readout | gives | `bases`, in this order | `parameters` |",
        "|---|---|---|---|",
        *(_readout_row(one) for one in Readout),
        "",
        "A time is `first` or `last`; a number is any other aggregation.",
        "",
        "## Families",
        "",
        f"Where a feature is listed, and nothing else: {_listed(Family)}.",
    ]
    return "\n".join(lines) + "\n"


def _aggregation_row(aggregation: Aggregation) -> str:
    fits = [parts for parts in _combinations() if _is_base(aggregation, parts)]
    found = {
        name: [value for value in values if any(parts[name] == value for parts in fits)]
        for name, values in _CHOICES.items()
    }
    event_type = "no" if found["event_type"] == [None] else "optional" if None in found["event_type"] else "required"
    window = "required" if None not in found["window_days"] else "no"
    if found["window_days"] == [None, 28]:
        window = "optional, else *tail*" if aggregation in OF_THE_TAIL else "optional, else *lifetime*"
    also = [f"`{name}`" for name in ("where", "last_lines", "value") if any(one is not None for one in found[name])]
    cells = (f"`{aggregation}`", MEASURED[aggregation], event_type, _fields(aggregation, found["field"]), window)
    return f"| {' | '.join(cells)} | {', '.join(also)} |"


def _readout_row(readout: Readout) -> str:
    shapes = " or ".join(shape_text(shape) for shape in SHAPES[readout])
    return f"| `{readout}` | {READ_OUT[readout]} | {shapes} | {_listed(PARAMETERS.get(readout, ()))} |"


def _fields(aggregation: Aggregation, found: list[str | None]) -> str:
    names: dict[str | None, str] = {None: "no", **dict.fromkeys(SCALES, "a number"), **dict.fromkeys(TEXTS, "a text")}
    if aggregation is Aggregation.ATTRIBUTE:
        return "an attribute's name"
    if found in ([*SCALES], [*TEXTS], [*SCALES, *TEXTS], [None]):
        return " or ".join(dict.fromkeys(names[name] for name in found))
    return _listed(name for name in found if name is not None)


def _combinations() -> list[dict[str, Any]]:
    return [dict(zip(_CHOICES, values, strict=True)) for values in product(*_CHOICES.values())]


def _is_base(aggregation: Aggregation, parts: dict[str, Any]) -> bool:
    try:
        Base(aggregation=aggregation, **parts)
    except UsageError:
        return False
    return True


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)

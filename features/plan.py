"""Compile features into a plan: the base table's columns, the kernel's arrays, and the fingerprint.

The fingerprint travels with a model. It changes with everything that can change a feature's value: the features and
their order, the time zone, the tail's limits, the kernel's version. Base aggregates that a caller adds for itself
(``extra``) are not part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from features.definition import MAX_EVENTS, TAIL_DAYS, Aggregation, Base, Feature, Readout
from features.errors import UsageError
from features.events import SCALES
from features.kernel_program import KERNEL_VERSION, Program
from features.kernel_readout import (
    AGE,
    AGE_PER_GAP,
    GAP_SD,
    GAP_VARIATION,
    QUOTIENT,
    SHARE,
    SPAN,
    VALUE,
    ReadoutProgram,
)
from features.layout import Layout

__all__ = ["Plan", "compile_plan"]

_OPERATIONS = {
    Readout.VALUE: VALUE,
    Readout.AGE_DAYS: AGE,
    Readout.SPAN_DAYS: SPAN,
    Readout.RATIO: QUOTIENT,
    Readout.TREND: QUOTIENT,
    Readout.SHARE: SHARE,
    Readout.GAP_MEAN_DAYS: QUOTIENT,
    Readout.GAP_SD_DAYS: GAP_SD,
    Readout.GAP_VARIATION: GAP_VARIATION,
    Readout.AGE_PER_GAP: AGE_PER_GAP,
}
_DAY_MINUTES = 1_440


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Features, compiled. Made by :func:`compile_plan`; not to be stored: store the features.

    Parameters
    ----------
    features : tuple of Feature
        The feature table's columns.
    feature_names : tuple of str
        Their names.
    base : tuple of Base
        The base table's columns: what the features need, then what the caller added.
    timezone : str
        IANA name.
    max_events : int
        How many of a customer's last events windows see.
    fingerprint : str
        SHA-256, 64 hexadecimal digits.
    event_types : tuple of str
        Event types the kernel tells apart; class i + 1 is the i-th, class 0 every other type.
    streams : tuple of (str or None)
        The kernel's streams; None is every event.
    numbers : tuple of str
        Numeric columns of the log that are needed.
    program, readout_program
        Arrays for the kernel.
    """

    features: tuple[Feature, ...]
    feature_names: tuple[str, ...]
    base: tuple[Base, ...]
    timezone: str
    max_events: int
    fingerprint: str
    event_types: tuple[str, ...]
    streams: tuple[str | None, ...]
    numbers: tuple[str, ...]
    program: Program
    readout_program: ReadoutProgram
    positions: dict[Base, int] = field(repr=False)
    classes: dict[str, int] = field(repr=False)

    def base_index(self, base: Base) -> int:
        """Column of a base aggregate in the base table.

        Raises
        ------
        UsageError
            If the plan has no such column.
        """
        if base not in self.positions:
            raise UsageError(
                f"the plan has no base aggregate {base.to_dict()}", remedy="pass it as `extra` to compile_plan"
            )
        return self.positions[base]


def compile_plan(
    features: Sequence[Feature], *, timezone: str, extra: Sequence[Base] = (), max_events: int = MAX_EVENTS
) -> Plan:
    """Compile features.

    Parameters
    ----------
    features : sequence of Feature
        In the feature table's order; names must be distinct.
    timezone : str
        IANA name of the project's time zone.
    extra : sequence of Base
        Further base aggregates the caller wants, such as a target's last time of activity.
    max_events : int
        How many of a customer's last events windows see.

    Raises
    ------
    UsageError
        If two features have the same name or ``max_events`` is less than 1.
    CutoffError
        If there is no such time zone.

    Examples
    --------
    >>> from features.definition import Family
    >>> count = Base(aggregation=Aggregation.COUNT, event_type="purchase", window_days=28)
    >>> frequency = Feature(readout=Readout.VALUE, bases=(count,), family=Family.FREQUENCY)
    >>> plan = compile_plan([frequency], timezone="Europe/Berlin")
    >>> plan.feature_names, plan.base_index(count), plan.event_types, len(plan.fingerprint)
    (('purchase_count_28d',), 0, ('purchase',), 64)
    """
    if max_events < 1:
        raise UsageError(f"max_events is {max_events}", expected="at least 1")
    names = tuple(feature.name for feature in features)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UsageError(f"two features are called {', '.join(twice)}", expected="distinct names")
    bases = tuple(dict.fromkeys([*(base for feature in features for base in feature.bases), *extra]))
    positions = {base: at for at, base in enumerate(bases)}
    layout = Layout(bases, timezone=timezone, max_events=max_events)
    return Plan(
        features=tuple(features),
        feature_names=names,
        base=bases,
        timezone=timezone,
        max_events=max_events,
        fingerprint=_fingerprint(features, timezone, max_events),
        event_types=layout.event_types,
        streams=tuple(layout.streams),
        numbers=tuple(layout.numbers),
        program=layout.program(),
        readout_program=_readout_program(features, positions),
        positions=positions,
        classes={name: at for at, name in enumerate(layout.event_types, 1)},
    )


def _fingerprint(features: Sequence[Feature], timezone: str, max_events: int) -> str:
    content = {
        "kernel": KERNEL_VERSION,
        "timezone": timezone,
        "max_events": max_events,
        "tail_days": TAIL_DAYS,
        "scales": SCALES,
        "features": [{"readout": f.readout, "bases": [base.to_dict() for base in f.bases]} for f in features],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _readout_program(features: Sequence[Feature], positions: dict[Base, int]) -> ReadoutProgram:
    columns = [[positions[base] for base in feature.bases] for feature in features]
    units = [[_unit(feature.readout, base) for base in feature.bases] for feature in features]
    return ReadoutProgram(
        operation=np.array([_OPERATIONS[feature.readout] for feature in features], dtype=np.int64),
        column=np.array([[*c, c[-1], c[-1]][:3] for c in columns], dtype=np.int64).reshape(-1, 3),
        unit=np.array([[*u, 1.0][:2] for u in units], dtype=np.float64).reshape(-1, 2),
    )


def _unit(readout: Readout, base: Base) -> float:
    """How many of the kernel's integers make one of the feature's units."""
    unit = 1
    if base.aggregation is Aggregation.SUM and base.field is not None:
        unit = SCALES[base.field]
    elif base.aggregation in {Aggregation.GAP_SUM, Aggregation.GAP_MAX}:
        unit = _DAY_MINUTES
    if readout is Readout.TREND and base.window_days is not None:
        unit *= base.window_days
    return float(unit)

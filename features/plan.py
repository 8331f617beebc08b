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

from features import kernel_readout as r
from features.definition import MAX_EVENTS, TAIL_DAYS, Base, Feature, Readout
from features.errors import UsageError
from features.events import SCALES
from features.kernel_program import KERNEL_VERSION, Ints, Program
from features.kernel_readout import ReadoutProgram
from features.kernel_windows import lay_edges
from features.kernel_words import pack_words
from features.layout import Layout, Reading, Stream
from features.local_time import offset_table

__all__ = ["Plan", "compile_plan"]

_OPERATIONS = {
    Readout.VALUE: r.VALUE,
    Readout.AGE_DAYS: r.AGE,
    Readout.AGE_UNANSWERED: r.AGE_UNANSWERED,
    Readout.SPAN_DAYS: r.SPAN,
    Readout.RATIO: r.QUOTIENT,
    Readout.TREND: r.QUOTIENT,
    Readout.SHARE: r.SHARE,
    Readout.DIFFERENCE: r.DIFFERENCE,
    Readout.SPREAD: r.SPREAD,
    Readout.GAP_MEAN_DAYS: r.QUOTIENT,
    Readout.GAP_SD_DAYS: r.GAP_SD,
    Readout.GAP_VARIATION: r.GAP_VARIATION,
    Readout.AGE_PER_GAP: r.AGE_PER_GAP,
    Readout.DAY_OF_YEAR: r.DAY_OF_YEAR,
    Readout.P_ALIVE: r.P_ALIVE,
    Readout.EXPECTED_ORDERS: r.EXPECTED_ORDERS,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Features, compiled. Made by :func:`compile_plan`; not to be stored: store the features.

    Parameters
    ----------
    features : tuple of Feature
        The feature table's columns.
    feature_names : tuple of str
        Their names.
    extra : tuple of Base
        Base aggregates that the caller wants to see besides: the columns of a feature table's ``base``.
    base : tuple of Base
        All that are computed: what the features need, then what the caller added.
    timezone : str
        IANA name.
    max_events : int
        How many of a customer's last events windows see.
    fingerprint : str
        SHA-256, 64 hexadecimal digits.
    event_types : tuple of str
        Event types the kernel tells apart; class i + 1 is the i-th, class 0 every other type.
    streams : tuple of Stream
        The kernel's streams.
    readings : tuple of Reading
        What the kernel needs of an event's numbers and texts.
    filters : mapping of str to tuple of str
        Text column → the values that are told apart, 1 the first.
    attributes : tuple of (str, str or None)
        Attributes that are needed, each with the text that is looked for (None: its number).
    program, readout_program
        Arrays for the kernel.
    words : int64 array
        The same in one array, for one customer and cutoff.
    kept : int64 array
        Positions of ``extra`` in ``base``.
    """

    features: tuple[Feature, ...]
    feature_names: tuple[str, ...]
    extra: tuple[Base, ...]
    base: tuple[Base, ...]
    timezone: str
    max_events: int
    fingerprint: str
    event_types: tuple[str, ...]
    streams: tuple[Stream, ...]
    readings: tuple[Reading, ...]
    filters: dict[str, tuple[str, ...]]
    attributes: tuple[tuple[str, str | None], ...]
    program: Program
    readout_program: ReadoutProgram
    words: Ints
    kept: Ints
    positions: dict[Base, int] = field(repr=False)

    def base_index(self, base: Base) -> int:
        """Column of one of the ``extra`` base aggregates in a feature table's ``base``.

        Raises
        ------
        UsageError
            If it was not passed as ``extra``.
        """
        if base not in self.positions:
            raise UsageError(
                f"the plan keeps no base aggregate {base.to_dict()}", remedy="pass it as `extra` to compile_plan"
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
    >>> from features.definition import Aggregation, Family
    >>> count = Base(aggregation=Aggregation.COUNT, event_type="purchase", window_days=28)
    >>> frequency = Feature(readout=Readout.VALUE, bases=(count,), family=Family.FREQUENCY)
    >>> plan = compile_plan([frequency], timezone="Europe/Berlin", extra=[count])
    >>> plan.feature_names, plan.base_index(count), plan.event_types, len(plan.fingerprint)
    (('purchase_count_28d',), 0, ('purchase',), 64)
    """
    if max_events < 1:
        raise UsageError(f"max_events is {max_events}", expected="at least 1")
    names = tuple(feature.name for feature in features)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UsageError(f"two features are called {', '.join(twice)}", expected="distinct names")
    extra = tuple(dict.fromkeys(extra))
    bases = tuple(dict.fromkeys([*(base for feature in features for base in feature.bases), *extra]))
    positions = {base: at for at, base in enumerate(bases)}
    layout = Layout(bases, timezone=timezone, max_events=max_events)
    program, readouts = layout.program(), _readout_program(features, positions, timezone)
    return Plan(
        features=tuple(features),
        feature_names=names,
        extra=extra,
        base=bases,
        timezone=timezone,
        max_events=max_events,
        fingerprint=_fingerprint(features, timezone, max_events),
        event_types=layout.event_types,
        streams=tuple(layout.streams),
        readings=tuple(layout.readings),
        filters={column: tuple(values) for column, values in layout.filters.items()},
        attributes=tuple(layout.attributes),
        program=program,
        readout_program=readouts,
        words=pack_words(program, lay_edges(program, np.zeros(1, dtype=np.int64)), readouts),
        kept=np.array([positions[base] for base in extra], dtype=np.int64),
        positions={base: at for at, base in enumerate(extra)},
    )


def _fingerprint(features: Sequence[Feature], timezone: str, max_events: int) -> str:
    content = {
        "kernel": KERNEL_VERSION,
        "timezone": timezone,
        "max_events": max_events,
        "tail_days": TAIL_DAYS,
        "scales": SCALES,
        "features": [
            {"readout": f.readout, "bases": [base.to_dict() for base in f.bases], "parameters": f.parameters}
            for f in features
        ],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _readout_program(features: Sequence[Feature], positions: dict[Base, int], timezone: str) -> ReadoutProgram:
    columns = [[positions[base] for base in feature.bases] or [0] for feature in features]
    units = [[_unit(feature.readout, base) for base in feature.bases] for feature in features]
    weights = [[1] * (len(feature.bases) - 1) for feature in features]
    zone = offset_table(timezone)
    return ReadoutProgram(
        operation=np.array([_OPERATIONS[feature.readout] for feature in features], dtype=np.int64),
        column=np.array([[*c, c[-1], c[-1]][:3] for c in columns], dtype=np.int64).reshape(-1, 3),
        weight=np.array([[*w, 0, 0][:2] for w in weights], dtype=np.int64).reshape(-1, 2),
        unit=np.array([[*u, 1.0, 1.0][:2] for u in units], dtype=np.float64).reshape(-1, 2),
        parameters=np.array([[*f.parameters, *[0.0] * 5][:5] for f in features], dtype=np.float64).reshape(-1, 5),
        zone_start=zone.start_us,
        zone_offset=zone.offset_us,
        zone_least=zone.least_day,
    )


def _unit(readout: Readout, base: Base) -> float:
    """How many of the kernel's integers make one of the feature's units."""
    unit = base.scale
    if readout is Readout.TREND and base.window_days is not None:
        unit *= base.window_days
    return float(unit)

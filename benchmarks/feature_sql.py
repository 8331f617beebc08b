"""The same features as SQL: one ``FILTER`` aggregate for each thing measured, one query a cutoff.

What several features share (a count that is also the bottom of a ratio) is asked for once, in an inner query; ratios
are taken in an outer one. ``tuned`` is what somebody would write who had been burnt by ``DISTINCT``: the first line
of each order and of each day is flagged once for the whole log, and every aggregate is a plain count or sum of flags.
It is right only because every line of an order has the same time here and every cutoff is a midnight.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from features.clock import to_us
from features.definition import Aggregation, Base, Feature, Readout

__all__ = ["features_sql", "flagged_sql"]

_DAY_US = 86_400_000_000


def features_sql(
    features: Sequence[Feature], cutoff: datetime, events: str, *, order_types: Collection[str], tuned: bool
) -> str:
    """Query of one row a customer with an event before the cutoff.

    Parameters
    ----------
    features : sequence of Feature
        The columns; each is an alias.
    cutoff : datetime
        Aware.
    events : str
        The log: a query, or the name of a table that :func:`flagged_sql` made if ``tuned``.
    order_types : collection of str
        Event types whose rows are lines of orders; every one of their rows has an ``order_id``.
    tuned : bool
        Whether flags stand in for ``DISTINCT``.
    """
    at = to_us(cutoff)
    bases = list(dict.fromkeys(base for feature in features for base in feature.bases))
    names = {base: f"b{number}" for number, base in enumerate(bases)}
    inner = ", ".join(f"{_base(base, at, order_types, tuned=tuned)} AS {names[base]}" for base in bases)
    outer = ", ".join(f"{_readout(feature, names, at)} AS {feature.name}" for feature in features)
    before = f"event_us < {at}"
    raw = f"SELECT *, epoch_us(event_time) AS event_us FROM ({events}) WHERE event_time < make_timestamptz({at})"
    source = f"{events} WHERE {before}" if tuned else f"({raw})"
    return f"SELECT customer_id, {outer} FROM (SELECT customer_id, {inner} FROM {source} GROUP BY customer_id)"


def flagged_sql(events: str) -> str:
    """Query of the log with what ``tuned`` needs: one window function over orders, two over days."""
    order = "(PARTITION BY customer_id, event_type, order_id)"
    day = f"(PARTITION BY customer_id, event_type, epoch_us(event_time) // {_DAY_US})"
    return (
        "SELECT customer_id, epoch_us(event_time) AS event_us, event_type, amount, discount, "
        f"order_id IS NULL OR row_number() OVER {order} = 1 AS begins_order, "
        f"row_number() OVER {day} = 1 AS begins_day FROM ({events})"
    )


def _base(base: Base, at: int, order_types: Collection[str], *, tuned: bool) -> str:
    conditions = [] if base.event_type is None else [f"event_type = '{base.event_type}'"]
    if base.window_days is not None:
        conditions.append(f"event_us >= {at - base.window_days * _DAY_US}")
    match base.aggregation:
        case Aggregation.COUNT if base.event_type in order_types and tuned:
            what = "count(*)"
            conditions.append("begins_order")
        case Aggregation.COUNT if base.event_type in order_types:
            what = "count(DISTINCT order_id)"
        case Aggregation.COUNT | Aggregation.LINES:
            what = "count(*)"
        case Aggregation.SUM:
            what = f"sum({base.field})"
        case Aggregation.ACTIVE_DAYS if tuned:
            what = "count(*)"
            conditions.append("begins_day")
        case Aggregation.ACTIVE_DAYS:
            what = f"count(DISTINCT event_us // {_DAY_US})"
        case Aggregation.FIRST:
            what = "min(event_us)"
        case Aggregation.LAST:
            what = "max(event_us)"
        case _:
            raise NotImplementedError(f"{base.aggregation} is no FILTER aggregate")
    filtered = f"{what} FILTER (WHERE {' AND '.join(conditions)})" if conditions else what
    return f"coalesce({filtered}, 0)" if base.aggregation is Aggregation.SUM else filtered


def _readout(feature: Feature, names: dict[Base, str], at: int) -> str:
    first, *others = feature.bases
    a, b = names[first], names[others[0]] if others else ""
    match feature.readout:
        case Readout.VALUE:
            return a
        case Readout.AGE_DAYS:
            return f"({at} - {a}) / {_DAY_US}.0"
        case Readout.SPAN_DAYS:
            return f"({b} - {a}) / {_DAY_US}.0"
        case Readout.RATIO:
            return f"{a} / nullif({b}, 0)"
        case Readout.TREND:
            return f"({a} / {first.window_days}.0) / nullif({b} / {others[0].window_days}.0, 0)"
        case Readout.SHARE:
            return f"{a} / nullif({a} + {b}, 0)"
        case _:
            raise NotImplementedError(f"{feature.readout} needs the order of events")

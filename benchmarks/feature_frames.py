"""The same features in pandas and in Polars, as each is usually written.

pandas: events up to the cutoff, then one ``groupby`` for each type and window, joined by customer. Polars: one lazy
``group_by`` with a filtered expression for each thing measured.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.clock import to_us
from features.definition import Aggregation, Base, Feature, Readout

__all__ = ["pandas_features", "polars_features"]

_DAY_US = 86_400_000_000


def pandas_features(features: Sequence[Feature], events: pd.DataFrame, cutoff: datetime) -> pd.DataFrame:
    """One row a customer, one column a feature; ``events`` has ``event_us`` and ``day`` besides the log's columns."""
    at = to_us(cutoff)
    known = events[events["event_us"] < at]
    bases = list(dict.fromkeys(base for feature in features for base in feature.bases))
    columns: dict[Base, pd.Series[Any]] = {}
    customers = pd.Index(known["customer_id"].unique())
    for part in dict.fromkeys((base.event_type, base.window_days) for base in bases):
        event_type, days = part
        rows = known if event_type is None else known[known["event_type"] == event_type]
        rows = rows if days is None else rows[rows["event_us"] >= at - days * _DAY_US]
        grouped = rows.groupby("customer_id", sort=False)
        for base in bases:
            if (base.event_type, base.window_days) == part:
                columns[base] = _pandas_base(base, grouped)
    aligned = {base: column.reindex(customers) for base, column in columns.items()}
    counted = {base: _zero(base, column) for base, column in aligned.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {feature.name: _readout(feature, counted, at) for feature in features}
    return pd.DataFrame(values, index=customers)


def polars_features(features: Sequence[Feature], events: pa.Table, cutoff: datetime) -> pd.DataFrame:
    """As :func:`pandas_features`; the frame comes back as pandas only so that both can be checked alike.

    Raises
    ------
    ImportError
        If Polars is not installed.
    """
    pl: Any = importlib.import_module("polars")
    at = to_us(cutoff)
    bases = list(dict.fromkeys(base for feature in features for base in feature.bases))
    names = {base: f"b{number}" for number, base in enumerate(bases)}
    asked = [_polars_base(pl, base, at).alias(names[base]) for base in bases]
    columns = {base: pl.col(names[base]) for base in bases}
    values = [_readout(feature, columns, at).alias(feature.name) for feature in features]
    known = pl.from_arrow(events).lazy().filter(pl.col("event_us") < at)
    found = known.group_by("customer_id").agg(asked).select("customer_id", *values).collect()
    return pd.DataFrame(
        {feature.name: found[feature.name].to_numpy() for feature in features}, index=found["customer_id"].to_list()
    )


def _pandas_base(base: Base, grouped: Any) -> Any:  # noqa: ANN401 (pandas' own types are generic in ways that do not matter here)
    match base.aggregation:
        case Aggregation.COUNT if base.event_type == "purchase":
            return grouped["order_id"].nunique()
        case Aggregation.COUNT | Aggregation.LINES:
            return grouped.size()
        case Aggregation.SUM:
            return grouped[base.field].sum()
        case Aggregation.ACTIVE_DAYS:
            return grouped["day"].nunique()
        case Aggregation.FIRST:
            return grouped["event_us"].min()
        case Aggregation.LAST:
            return grouped["event_us"].max()
        case _:
            raise NotImplementedError(base.aggregation)


def _polars_base(pl: Any, base: Base, at: int) -> Any:  # noqa: ANN401 (Polars may be absent)
    chosen = pl.lit(value=True) if base.event_type is None else pl.col("event_type") == base.event_type
    if base.window_days is not None:
        chosen &= pl.col("event_us") >= at - base.window_days * _DAY_US
    match base.aggregation:
        case Aggregation.COUNT if base.event_type == "purchase":
            return pl.col("order_id").filter(chosen).n_unique()
        case Aggregation.COUNT | Aggregation.LINES:
            return chosen.sum()
        case Aggregation.SUM:
            return pl.col(base.field).filter(chosen).sum()
        case Aggregation.ACTIVE_DAYS:
            return pl.col("day").filter(chosen).n_unique()
        case Aggregation.FIRST:
            return pl.col("event_us").filter(chosen).min()
        case Aggregation.LAST:
            return pl.col("event_us").filter(chosen).max()
        case _:
            raise NotImplementedError(base.aggregation)


def _zero(base: Base, column: pd.Series[Any]) -> pd.Series[Any]:
    return column if base.aggregation in {Aggregation.FIRST, Aggregation.LAST} else column.fillna(0)


def _readout(feature: Feature, columns: dict[Base, Any], at: int) -> Any:  # noqa: ANN401 (a column of either library)
    first, *others = (columns[base] for base in feature.bases)
    match feature.readout:
        case Readout.VALUE:
            return first
        case Readout.AGE_DAYS:
            return (at - first) / _DAY_US
        case Readout.SPAN_DAYS:
            return (others[0] - first) / _DAY_US
        case Readout.RATIO:
            return first / others[0]
        case Readout.TREND:
            short, long = (base.window_days or 1 for base in feature.bases)
            return (first / short) / (others[0] / long)
        case Readout.SHARE:
            return first / (first + others[0])
        case _:
            raise NotImplementedError(feature.readout)

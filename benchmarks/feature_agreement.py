"""Whether SQL, pandas and Polars give the engine's values: a peer that computes something else proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.feature_cases import frame_sql
from benchmarks.feature_frames import pandas_features, polars_features
from benchmarks.feature_plans import CUTOFFS, order_types
from benchmarks.feature_sql import features_sql, flagged_sql
from features.clock import to_us
from features.duckdb_engine import build, concat
from features.event_log import Snapshot
from features.plan import Plan

__all__ = ["TOLERANCE", "compare"]

TOLERANCE: Final = 1e-6
"""Values are float32: about 6e-8 of their size; sums of money are added up in another order."""
_AT: Final = (2, 11)


def compare(con: duckdb.DuckDBPyConnection, snapshot: Snapshot, plan: Plan) -> dict[str, Any]:
    """Largest difference of each peer, relative to 1 + the size of the value, at two cutoffs.

    Raises
    ------
    ValueError
        If a peer has other customers or other nulls, or differs by more than :data:`TOLERANCE`.
    """
    events = snapshot.scan_sql(0, len(snapshot.bucket_rows) - 1)
    con.execute(f"CREATE TEMP TABLE flagged AS {flagged_sql(events)}")
    table = con.sql(frame_sql(snapshot)).to_arrow_table()
    frame = table.to_pandas()

    def sql(cutoff: datetime, *, tuned: bool) -> pd.DataFrame:
        source = "flagged" if tuned else events
        query = features_sql(plan.features, cutoff, source, order_types=order_types(snapshot), tuned=tuned)
        found: pd.DataFrame = con.sql(query).df()
        return found.set_index("customer_id")

    peers: dict[str, Callable[[datetime], pd.DataFrame]] = {
        "sql": lambda cutoff: sql(cutoff, tuned=False),
        "sql_tuned": lambda cutoff: sql(cutoff, tuned=True),
        "pandas": lambda cutoff: pandas_features(plan.features, frame, cutoff),
        "polars": lambda cutoff: polars_features(plan.features, table, cutoff),
    }
    cutoffs = [CUTOFFS[at] for at in _AT]
    engine = concat(list(build(snapshot, plan, cutoffs)))
    found: dict[str, Any] = {"values": len(engine) * len(plan.features)}
    for name, peer in peers.items():
        worst = 0.0
        for cutoff in cutoffs:
            chosen = engine.cutoff_us == to_us(cutoff)
            ids, values = engine.customer_ids[engine.customer[chosen]], engine.values[chosen]
            try:
                theirs = peer(cutoff)
            except ImportError:
                worst = float("nan")
                break
            worst = max(worst, _difference(name, plan, ids, values, theirs))
        found[name] = None if np.isnan(worst) else worst
    return found


def _difference(
    name: str, plan: Plan, ids: NDArray[np.object_], values: NDArray[np.float32], theirs: pd.DataFrame
) -> float:
    if len(theirs) != len(ids) or set(theirs.index) != set(ids):
        raise ValueError(f"{name} has {len(theirs)} customers, the engine {len(ids)}")
    other = theirs.loc[list(ids), list(plan.feature_names)].to_numpy(dtype=np.float64, na_value=np.nan)
    nulls = np.isnan(other) != np.isnan(values)
    difference = np.nan_to_num(np.abs(other - values) / (1 + np.abs(other)))
    for at, feature in enumerate(plan.feature_names):
        if nulls[:, at].any() or difference[:, at].max() > TOLERANCE:
            raise ValueError(
                f"{name} differs in {feature}: by {difference[:, at].max():.3g}, {nulls[:, at].sum()} other nulls"
            )
    return float(difference.max())

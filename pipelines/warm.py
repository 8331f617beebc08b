"""``ebbtide warm``: compile the feature kernel into its cache, so that the first command does not wait for it."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from features.catalogue import catalogue
from features.clock import to_us
from features.duckdb_engine import build, states
from features.event_log import EventLog
from features.mapping import EventBlock
from features.outcome import Outcome
from features.plan import compile_plan

__all__ = ["warm"]

_AT = datetime(2024, 1, 1, tzinfo=UTC)


def warm() -> None:
    """Run everything compiled once, batch and online, on a log of one purchase."""
    frame = pa.table({"at": pa.array([_AT], pa.timestamp("us", tz="UTC")), "amount": [1.0]})
    expressions = {"customer_id": "'a'", "event_type": "'purchase'", "event_time": "at", "amount": "amount"}
    cutoff = _AT + timedelta(days=1)
    with tempfile.TemporaryDirectory(prefix="ebbtide-warm-") as folder:
        log = EventLog(Path(folder))
        log.ingest(
            EventBlock(name="warm", expressions=expressions), root=Path(folder), timezone="UTC", now=cutoff, frame=frame
        )
        snapshot = log.snapshot()
        plan = compile_plan(catalogue(snapshot.type_traits, season_days=(0,)), timezone="UTC")
        outcome = Outcome(name="warm", event_types=("purchase",), start_days=0, end_days=7, measure="count")
        list(build(snapshot, plan, [cutoff], received_before=[cutoff], outcomes=[outcome], threads=1))
        ((_, state),) = states(snapshot, threads=1)
        state.compact().answer(plan, to_us(cutoff))

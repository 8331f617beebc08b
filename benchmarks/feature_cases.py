"""One measured case, in a process of its own, so that its peak memory is its own.

python -m benchmarks.feature_cases NAME '{"work": "/tmp/…", "rows": 1000000, …}'      prints one JSON document
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np

from benchmarks.feature_log import LogSpec, event_log
from benchmarks.feature_plans import CUTOFFS, full_plan, order_types, panel_plan, ranges
from features.duckdb_engine import build
from features.event_log import Snapshot
from features.plan import Plan

__all__ = ["THREADS", "frame_sql", "opened", "plan_of"]

THREADS: Final = 2
_WARM_ROWS: Final = 5_000


def opened(given: dict[str, Any]) -> Snapshot:
    """Log of the case."""
    return event_log(LogSpec(rows=given["rows"], blocks=given.get("blocks", 1)), Path(given["work"]))


def _in_page_cache(given: dict[str, Any]) -> Snapshot:
    """Log of the case, every file of it read once: some machines drop pages that were not used for a minute."""
    snapshot = opened(given)
    for name in snapshot.stored.files:
        with Path(name).open("rb") as file:
            while file.read(1 << 24):
                pass
    return snapshot


def plan_of(given: dict[str, Any], snapshot: Snapshot) -> Plan:
    """Plan of the case: ``panel`` or ``full``."""
    return full_plan(snapshot) if given.get("plan") == "full" else panel_plan()


def frame_sql(snapshot: Snapshot) -> str:
    """Query of the columns that a data frame needs."""
    return (
        "SELECT customer_id, event_type, epoch_us(event_time) AS event_us, epoch_us(event_time) // 86400000000 AS day, "
        f"order_id, amount, discount FROM ({snapshot.scan_sql(0, len(snapshot.bucket_rows) - 1)})"
    )


class Clock:
    """Wall and CPU seconds, of all threads, since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Seconds so far; the CPU's tell how busy the machine was with other things."""
        return {"seconds": time.perf_counter() - self._wall, "cpu_seconds": time.process_time() - self._cpu}


def generate(given: dict[str, Any]) -> dict[str, Any]:
    """Write the log; report its size on disk."""
    clock = Clock()
    snapshot = opened(given)
    spent = clock.read()
    size = sum(Path(file).stat().st_size for file in snapshot.stored.files)
    return {
        **spent,
        "events": snapshot.rows,
        "customers": snapshot.customers,
        "disk_bytes": size,
        "event_types": len(snapshot.event_types),
    }


def floor(given: dict[str, Any]) -> dict[str, Any]:
    """Read the columns that the engine reads into Arrow, in the engine's batches or in one query; no order."""
    snapshot = _in_page_cache(given)
    plan = plan_of(given, snapshot)
    needed = dict.fromkeys(reading.column for reading in plan.readings)
    columns = ", ".join(("customer_id", "event_time", "received_at", "event_type", "order_id", *needed))
    parts = [(0, len(snapshot.bucket_rows) - 1)] if given.get("one") else ranges(snapshot)
    rows = 0
    clock = Clock()
    with _database(given) as con:
        for first, last in parts:
            rows += con.sql(f"SELECT {columns} FROM ({snapshot.scan_sql(first, last)})").to_arrow_table().num_rows
    return clock.read() | {"events": rows}


def panel(given: dict[str, Any]) -> dict[str, Any]:
    """Feature table at every cutoff: kept in memory, or each batch dropped after it was counted."""
    snapshot = _in_page_cache(given)
    plan = plan_of(given, snapshot)
    small = event_log(LogSpec(rows=_WARM_ROWS), Path(given["work"]))
    list(build(small, plan, CUTOFFS, threads=THREADS))  # loads the kernel: its start is measured on its own
    kept, rows = [], 0
    clock = Clock()
    for table in build(snapshot, plan, CUTOFFS, threads=THREADS):
        rows += len(table)
        if given.get("keep"):
            kept.append(table)
    return clock.read() | {"events": snapshot.rows, "rows": rows, "features": len(plan.features)}


def sql(given: dict[str, Any]) -> dict[str, Any]:
    """SQL at the cutoffs ``at``; seconds of each, and of the preparation they share."""
    from benchmarks.feature_sql import features_sql, flagged_sql

    snapshot = _in_page_cache(given)
    plan, tuned = plan_of(given, snapshot), bool(given.get("tuned"))
    events = snapshot.scan_sql(0, len(snapshot.bucket_rows) - 1)
    seconds, rows, prepare, clock = [], 0, 0.0, Clock()
    with _database(given) as con:
        if tuned:
            start = time.perf_counter()
            con.execute(f"CREATE TEMP TABLE flagged AS {flagged_sql(events)}")
            prepare, events = time.perf_counter() - start, "flagged"
        for at in given["at"]:
            query = features_sql(plan.features, CUTOFFS[at], events, order_types=order_types(snapshot), tuned=tuned)
            start = time.perf_counter()
            rows += con.sql(query).to_arrow_table().num_rows
            seconds.append(time.perf_counter() - start)
    return {"prepare_seconds": prepare, "seconds_a_cutoff": seconds, "rows": rows} | clock.read()


def frames(given: dict[str, Any]) -> dict[str, Any]:
    """``library`` pandas or polars at every cutoff, after the log was read into its frame."""
    from benchmarks.feature_frames import pandas_features, polars_features

    snapshot = _in_page_cache(given)
    plan = plan_of(given, snapshot)
    rows = 0
    clock = Clock()
    with _database(given) as con:
        events = con.sql(frame_sql(snapshot)).to_arrow_table()
    frame = events.to_pandas() if given["library"] == "pandas" else None
    read = clock.read()["seconds"]
    for cutoff in CUTOFFS:
        found = (
            polars_features(plan.features, events, cutoff)
            if frame is None
            else pandas_features(plan.features, frame, cutoff)
        )
        rows += len(found)
    return clock.read() | {"read_seconds": read, "rows": rows}


def agreement(given: dict[str, Any]) -> dict[str, Any]:
    """Whether the peers give the engine's values; largest difference relative to 1 + the size of the value."""
    from benchmarks.feature_agreement import compare

    snapshot = opened(given)
    with _database(given) as con:
        return compare(con, snapshot, plan_of(given, snapshot))


def vectors(given: dict[str, Any]) -> dict[str, Any]:
    """One customer's vector beside one prediction."""
    from benchmarks.feature_vector import measure

    return measure(opened(given), calls=given["calls"])


def first_vector(given: dict[str, Any]) -> dict[str, Any]:
    """Seconds to the first vector of a process, from whatever cache ``NUMBA_CACHE_DIR`` holds."""
    from benchmarks.feature_vector import first

    return first(opened(given))


def _database(given: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    spill = str(Path(given["work"]) / "spill")
    con = duckdb.connect(":memory:", config={"threads": THREADS, "temp_directory": spill})
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET parquet_metadata_cache = true")  # as the engine
    return con


_CASES: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "generate": generate,
    "floor": floor,
    "panel": panel,
    "sql": sql,
    "frames": frames,
    "agreement": agreement,
    "vectors": vectors,
    "first_vector": first_vector,
}


def main() -> int:
    """Run the case and print what it measured."""
    given = json.loads(sys.argv[2])
    found = _CASES[sys.argv[1]](given)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    json.dump(found | {"peak_bytes": peak}, sys.stdout, default=_plain)
    return 0


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is nothing JSON can hold")


if __name__ == "__main__":
    sys.exit(main())

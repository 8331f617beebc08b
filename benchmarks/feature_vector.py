"""One customer's vector, as a request for a score computes it, beside LightGBM's prediction of one row."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import duckdb
import numpy as np

from benchmarks.feature_log import EVENTS_A_CUSTOMER
from benchmarks.feature_plans import vector, vector_plan
from features.event_log import Snapshot
from features.state import EventRow, State

__all__ = ["first", "measure"]

EVENTS: Final = 2 * EVENTS_A_CUSTOMER
TREES: Final = 300
LEAVES: Final = 31
_TRAINING_ROWS: Final = 20_000


def measure(snapshot: Snapshot, *, calls: int) -> dict[str, Any]:
    """Medians in µs of many calls: from the state in memory, from its bytes, and LightGBM in three ways."""
    plan, state = vector_plan(snapshot), _state(snapshot)
    packed = state.encode()
    row = vector(state, plan).reshape(1, -1)
    boosters = _boosters(row.shape[1])
    timed: dict[str, Callable[[], object]] = {
        "vector": lambda: vector(state, plan),
        "decode_and_vector": lambda: vector(State.decode(packed), plan),
        **{name: partial(predict, row) for name, predict in boosters.items()},
    }
    found: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(5):  # in turns, so that a disturbance of the machine meets all of them
        for name, call in timed.items():
            found[name].append(_median_us(call, calls // 5))
    return {
        "events": state.event_count,
        "features": row.shape[1],
        "state_bytes": len(packed),
        "trees": TREES,
        "leaves": LEAVES,
        "calls": calls,
        **{name: float(np.median(times)) for name, times in found.items()},
    }


def first(snapshot: Snapshot) -> dict[str, Any]:
    """Seconds from a state in memory to its first vector in this process, and to the second."""
    plan, state = vector_plan(snapshot), _state(snapshot)
    start = time.perf_counter()
    vector(state, plan)
    middle = time.perf_counter()
    vector(state, plan)
    return {"first_seconds": middle - start, "second_seconds": time.perf_counter() - middle}


def _state(snapshot: Snapshot) -> State:
    """State of a customer who has exactly so many events."""
    numbers = ("amount", "discount", "quantity", "value", "rating", "duration_seconds")
    log = snapshot.scan_sql(0, len(snapshot.bucket_rows) - 1)
    with duckdb.connect(":memory:") as con:
        chosen = (
            f"SELECT customer_id FROM ({log}) GROUP BY customer_id "
            f"HAVING count(*) = {EVENTS} AND count(DISTINCT event_type) > 6 ORDER BY customer_id LIMIT 1"
        )
        found = con.execute(
            "SELECT event_id, event_type, epoch_us(event_time), epoch_us(received_at), order_id, "
            f"{', '.join(numbers)} FROM ({log}) WHERE customer_id = ({chosen}) ORDER BY event_time"
        ).fetchall()
    rows = [
        EventRow(
            event_id=event_id,
            event_type=event_type,
            event_time_us=at,
            received_us=received,
            order_id=order_id,
            **dict(zip(numbers, values, strict=True)),
        )
        for event_id, event_type, at, received, order_id, *values in found
    ]
    return State.empty().update(rows).state


def _boosters(width: int) -> dict[str, Callable[[Any], object]]:
    import lightgbm

    from training.lightgbm_capi import Booster

    draw = np.random.default_rng(7)
    rows = draw.normal(size=(_TRAINING_ROWS, width)).astype(np.float32)
    label = (rows[:, :20].sum(axis=1) + draw.normal(size=_TRAINING_ROWS) * 4 > 0).astype(np.float32)
    parameters = {
        "objective": "binary",
        "num_leaves": LEAVES,
        "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": 0,
        "learning_rate": 0.02,
        "num_threads": 2,
        "verbosity": -1,
        "seed": 7,
    }
    booster = lightgbm.train(parameters, lightgbm.Dataset(rows, label), num_boost_round=TREES)
    leaves = {tree["num_leaves"] for tree in booster.dump_model()["tree_info"]}
    if leaves != {LEAVES}:
        raise ValueError(f"the trees have {sorted(leaves)} leaves, not {LEAVES}")
    fast = Booster(booster.model_to_string(), width)
    return {
        "booster_predict": booster.predict,
        "booster_predict_one_thread": lambda row: booster.predict(row, num_threads=1),
        "c_api_single_row": fast.raw_score,
    }


def _median_us(call: Callable[[], object], calls: int) -> float:
    for _ in range(20):
        call()
    times = np.empty(calls)
    for at in range(calls):
        start = time.perf_counter_ns()
        call()
        times[at] = time.perf_counter_ns() - start
    return float(np.median(times)) / 1_000

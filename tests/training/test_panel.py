from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from features.catalogue import TypeTraits, catalogue
from features.clock import DAY_US, to_us
from features.definition import NULL_INT, Aggregation, Base
from features.errors import HistoryError, StateError
from features.feature_table import FeatureTable
from features.plan import Plan, compile_plan
from tests.training.panel_builders import START, target
from training.labels import TargetKind
from training.panel import cutoff_grid, days_needed, labelled, panels_from_tables
from training.spill import Spill

BERLIN = "Europe/Berlin"


def at(*date: int) -> datetime:
    return datetime(*date, tzinfo=UTC)  # type: ignore[arg-type]  # a date as plain numbers


def test_the_last_cutoff_is_the_last_whose_label_window_is_over() -> None:
    grid = cutoff_grid(at(2024, 1, 1), at(2024, 7, 1), target(gap=2, horizon=28), timezone="UTC")
    assert grid[-1] == at(2024, 6, 1)
    assert grid[0] == at(2024, 3, 2)  # 60 days after the first event is 1 March: the first weekly step at or after it
    assert {b - a for a, b in pairwise(grid)} == {timedelta(days=7)}


def test_steps_keep_the_local_hour_and_never_look_past_the_run() -> None:
    # Clocks go forward in Berlin on 31 March 2024: 28 local days before 4 April 00:00 are 28 days less an hour.
    run = at(2024, 4, 3, 22)
    grid = cutoff_grid(at(2023, 6, 1), run, target(), timezone=BERLIN)
    assert grid[-1] == at(2024, 2, 28, 23)  # a week earlier than 6 March 23:00, whose window would end at 23:00
    assert grid[-1] + timedelta(days=28) <= run
    assert {(one.hour, one.weekday()) for one in grid} == {(23, 2), (22, 2)}  # midnights of summer and winter


def test_many_years_take_wider_steps_of_whole_weeks() -> None:
    grid = cutoff_grid(at(2010, 1, 1), at(2020, 1, 1), target(), timezone="UTC")
    steps = {(b - a).days for a, b in pairwise(grid)}
    assert len(steps) == 1
    assert steps.pop() % 7 == 0
    assert 45 <= len(grid) <= 61
    assert grid[-1] == at(2019, 12, 4)


def test_a_short_history_shortens_the_warm_up_before_it_is_refused() -> None:
    grid = cutoff_grid(at(2024, 1, 1), at(2024, 1, 1) + timedelta(days=63), target(), timezone="UTC")
    assert grid[0] == at(2024, 1, 8)  # a training label window, then the test's
    assert grid[-1] - grid[0] == timedelta(days=28)
    with pytest.raises(HistoryError, match=r"62 days of history.*at least 63") as caught:
        cutoff_grid(at(2024, 1, 1), at(2024, 1, 1) + timedelta(days=62.5), target(), timezone="UTC")
    assert "horizon_days" in caught.value.remedy
    assert days_needed(target(gap=7)) == 77


def test_no_history_at_all_is_refused_with_zero_days() -> None:
    with pytest.raises(HistoryError, match="0 days of history"):
        cutoff_grid(at(2024, 6, 1), at(2024, 1, 1), target(), timezone="UTC")


def test_panels_hold_the_eligible_at_their_own_cutoffs() -> None:
    churn = target()
    value = target(TargetKind.VALUE, name="value", active=30)
    last = Base(aggregation=Aggregation.LAST, event_type="purchase")
    plan = compile_plan([], timezone="UTC", extra=[*churn.bases(), *value.bases()])
    start = to_us(START)
    cutoffs = start + np.array([50, 57, 50]) * DAY_US

    def table(last_days: list[int | None], outcomes: list[list[int]], customer: list[int]) -> FeatureTable:
        base = np.full((3, len(plan.extra)), NULL_INT, dtype=np.int64)
        base[:, plan.base_index(last)] = [NULL_INT if d is None else start + d * DAY_US for d in last_days]
        return FeatureTable(
            customer_ids=np.array(["a", "b"], dtype=object),
            customer=np.array(customer),
            cutoff_us=cutoffs,
            base=base,
            values=np.arange(3, dtype=np.float32).reshape(3, 1)[:, :0],
            outcomes=np.array(outcomes),
        )

    grids = {
        "churn": [START + timedelta(days=50), START + timedelta(days=57)],
        "value": [START + timedelta(days=50)],
    }
    tables = [
        table([49, 49, 5], [[0, 0], [2, 700], [1, 950]], [0, 0, 1]),
        table([None, 10, 30], [[0, 0], [0, 0], [3, 1250]], [0, 0, 1]),
    ]
    panels = panels_from_tables(iter(tables), plan, [churn, value], grids, first_event=START)
    found = panels["churn"]
    assert found.labels.tolist() == [1.0, 0.0, 0.0, 1.0, 0.0]
    assert ((found.cutoff_us - start) // DAY_US).tolist() == [50, 57, 50, 57, 50]
    assert found.customer.tolist() == [0, 0, 1, 2, 3]  # customers of the second batch are others
    assert panels["value"].labels.tolist() == [0.0, 12.5]  # active within 30 days, at day 50 only
    assert panels["value"].customer.tolist() == [0, 3]
    assert found.history_us == (57 + 28) * DAY_US


FEATURES = catalogue({"purchase": TypeTraits(fields=frozenset({"amount", "order_id"}))})


def batches(plan: Plan, count: int, *, broken_at: int | None = None) -> Iterator[FeatureTable]:
    """Three customers each, all active at both cutoffs; the values are numbered through."""
    width, last = len(plan.feature_names), Base(aggregation=Aggregation.LAST, event_type="purchase")
    for number in range(count):
        if number == broken_at:
            raise StateError("the event log cannot be read")
        base = np.zeros((6, len(plan.base)), dtype=np.int64)
        base[:, plan.base_index(last)] = to_us(START) + 49 * DAY_US
        yield FeatureTable(
            customer_ids=np.array(["a", "b", "c"], dtype=object),
            customer=np.repeat(np.arange(3), 2),
            cutoff_us=to_us(START) + np.array([50, 57] * 3) * DAY_US,
            base=base,
            values=np.arange(number * 6 * width, (number + 1) * 6 * width, dtype=np.float32).reshape(6, width),
            outcomes=np.zeros((6, 2), dtype=np.int64),
        )


@pytest.mark.parametrize(("memory_rows", "on_disk"), [(0, {"churn", "win"}), (35, {"churn"}), (36, set[str]())])
def test_targets_share_the_memory_and_large_panels_wait_in_files(
    tmp_path: Path, memory_rows: int, on_disk: set[str]
) -> None:
    targets = [target(), target(name="win")]
    plan = compile_plan(FEATURES, timezone="UTC", extra=[base for one in targets for base in one.bases()])
    days = [START + timedelta(days=number) for number in (50, 57)]
    grids = {"churn": days, "win": days[:1]}
    width = len(plan.feature_names)
    spill = Spill(folder=tmp_path, memory_bytes=memory_rows * width * 4)
    panels = panels_from_tables(batches(plan, 3), plan, targets, grids, first_event=START, spill=spill)
    assert {name for name, one in panels.items() if isinstance(one.values, np.memmap)} == on_disk
    everything = np.arange(18 * width, dtype=np.float32).reshape(18, width)
    assert panels["churn"].values.tobytes() == everything.tobytes()
    assert panels["win"].values.tobytes() == everything[::2].tobytes()
    assert panels["win"].rows(panels["win"].customer == 2).take().tobytes() == everything[4:5].tobytes()
    assert list(tmp_path.iterdir()) == []


def test_a_walk_that_breaks_off_leaves_no_file_open(tmp_path: Path) -> None:
    plan = compile_plan(FEATURES, timezone="UTC", extra=target().bases())
    grids = {"churn": [START + timedelta(days=50)]}
    tables, spill = batches(plan, 3, broken_at=2), Spill(folder=tmp_path, memory_bytes=0)
    with pytest.raises(StateError):  # an open file would be a ResourceWarning, which is an error here
        panels_from_tables(tables, plan, [target()], grids, first_event=START, spill=spill)
    assert list(tmp_path.iterdir()) == []


def test_labelled_rows_are_those_of_the_eligible() -> None:
    plan = compile_plan([], timezone="UTC", extra=target(active=5).bases())
    (table,) = batches(plan, 1)
    keep, labels = labelled(table, plan, target(active=5), 0)
    assert keep.tolist() == [True, False] * 3
    assert labels.tolist() == [1.0, 1.0, 1.0]

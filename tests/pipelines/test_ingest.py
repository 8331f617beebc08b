"""Ingest as one step: the log and the online store end up the same, whatever happened in between."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import pipelines.materialize
from features.errors import StateError
from features.mapping import EventBlock
from pipelines.build import build
from pipelines.ingest import event_block, ingest
from pipelines.workspace import Workspace
from serving.store import open_store
from tests.pipelines.builders import day, shop, write_orders


def stored(workspace: Workspace, customer: str) -> int | None:
    with closing(open_store(workspace.settings.store.url, workspace.home)) as store:
        state = store.get(customer)
        return None if state is None else state.event_count


@pytest.fixture
def small(tmp_path: Path) -> Workspace:
    return shop(tmp_path, [("a", 0, 5.0), ("b", 9.5, 7.0)], now=day(20))


def test_a_store_that_is_gone_is_filled_again(small: Workspace) -> None:
    ingest(small)
    shutil.rmtree(small.store_folder)
    assert ingest(small).states == 2
    assert stored(small, "a") == 1
    assert ingest(small).states == 0


def test_a_load_that_stopped_before_the_store_is_finished_by_the_next(
    small: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: Workspace) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr("pipelines.ingest.materialize", stop)
        with pytest.raises(KeyboardInterrupt):
            ingest(small)
    report = ingest(small)
    assert (report.accepted, report.states) == (0, 2)
    assert stored(small, "b") == 1


def test_what_another_ingest_publishes_meanwhile_is_in_the_store(
    small: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.log.ingest(_block(small), root=small.root, timezone="UTC", now=day(20))
    states: Callable[..., object] = pipelines.materialize.states

    def slow(snapshot: object, **options: int) -> object:
        write_orders(small.root, [("a", 0, 5.0), ("b", 9.5, 7.0), ("a", 11, 1.0)])
        small.log.ingest(_block(small), root=small.root, timezone="UTC", now=day(20))
        return states(snapshot, **options)

    monkeypatch.setattr(pipelines.materialize, "states", slow)
    pipelines.materialize.materialize(small)
    assert stored(small, "a") == 2


def test_a_log_that_lost_a_file_says_so(small: Workspace) -> None:
    ingest(small)
    segment = next((small.home / "log" / "segments").iterdir())
    whole = segment.read_bytes()
    segment.write_bytes(b"PAR1" + whole[4:200])
    with pytest.raises(StateError, match="event log cannot be read"):
        build(small, cutoff="2024-01-11")
    segment.unlink()
    for step in (small.snapshot, lambda: ingest(small)):
        with pytest.raises(StateError, match="lost 1 of its files"):
            step()


def _block(workspace: Workspace) -> EventBlock:
    return event_block(workspace.settings.events[0])

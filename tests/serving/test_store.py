"""The store's contract, for every backend; what only the embedded one can show is at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import lmdb
import pytest

from features.errors import StateError, UsageError
from features.state import State
from serving.embedded_store import EmbeddedStore
from serving.live_events import row_of
from serving.store import LiveEvent, Store, open_store
from tests.serving.builders import NOW

STORE = "embedded:state?map_gb=1"


def live(customer_id: str, event_id: str, *, at: datetime = NOW, **columns: object) -> LiveEvent:
    row: dict[str, object] = {"customer_id": customer_id, "event_id": event_id, "event_type": "purchase"}
    row |= {"event_time": at, "received_at": NOW, **columns}
    return LiveEvent(columns=row, row=row_of(row))


def ids_of(state: State | StateError | None) -> list[str]:
    assert isinstance(state, State)
    return [event.event_id for event in state.last_events(20)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(STORE, tmp_path)
    yield made
    made.close()


def test_nothing_is_nothing(store: Store) -> None:
    assert store.get("a") is None
    assert store.get_many(["a", "b"]) == [None, None]
    assert store.spool_read(10) == ([], 0)
    assert (store.sizes(), store.filled(), store.delete("a")) == ((0, 0), {}, (False, 0))


def test_an_event_goes_into_state_and_spool_once(store: Store) -> None:
    events = [
        live("a", "1", amount=2.5, page="home"),
        live("b", "1"),
        live("a", "1", amount=2.5, page="home"),
        live("a", "2"),
    ]
    assert store.apply_events(events) == ["accepted", "accepted", "duplicate", "accepted"]
    assert store.apply_events(events) == ["duplicate"] * 4
    assert store.sizes() == (2, 3)
    a, b, none = store.get_many(["a", "b", "c"])
    assert (sorted(ids_of(a)), ids_of(b), none) == (["1", "2"], ["1"], None)
    spool, _ = store.spool_read(10)
    assert spool[0] == {
        "customer_id": "a",
        "event_id": "1",
        "event_type": "purchase",
        "event_time": NOW,
        "received_at": NOW,
        "amount": 2.5,
        "page": "home",
    }


def test_the_spool_is_read_and_dropped_in_order_while_events_arrive(store: Store) -> None:
    store.apply_events([live("a", str(i)) for i in range(5)])
    first, position = store.spool_read(3)
    store.apply_events([live("a", "5")])
    assert [row["event_id"] for row in first] == ["0", "1", "2"]
    assert (store.spool_drop(position), store.spool_drop(position)) == (3, 0)
    rest, last = store.spool_read(100)
    assert [row["event_id"] for row in rest] == ["3", "4", "5"]
    assert (store.spool_drop(last), store.sizes()) == (3, (1, 0))
    store.apply_events([live("a", "6")])
    assert store.spool_read(1)[1] > last  # a position is never used twice


def test_a_fill_replaces_states_but_never_loses_what_is_in_the_spool(store: Store) -> None:
    store.apply_events([live("a", "live")])
    from_log = State.empty().update([live("a", "log", at=NOW - timedelta(days=9)).row]).state
    assert store.put_many([("a", from_log), ("b", from_log)]) == 2
    a, b = store.get_many(["a", "b"])
    assert (ids_of(a), ids_of(b)) == (["live", "log"], ["log"])
    store.spool_drop(store.spool_read(10)[1])
    store.put_many([("a", from_log)])
    assert ids_of(store.get("a")) == ["log"]


def test_replacing_all_forgets_who_is_neither_in_the_log_nor_in_the_spool(store: Store) -> None:
    state = State.empty().update([live("x", "log", at=NOW - timedelta(days=9)).row]).state
    store.put_many([("gone", state), ("stays", state)])
    store.apply_events([live("new", "live")])
    assert store.replace_all([("stays", state)]) == 1
    assert store.get("gone") is None
    assert ids_of(store.get("stays")) == ["log"]
    assert ids_of(store.get("new")) == ["live"]


def test_a_fill_of_many_chunks_sees_events_that_arrive_in_between(store: Store) -> None:
    state = State.empty().update([live("x", "log", at=NOW - timedelta(days=9)).row]).state

    def states() -> Iterator[tuple[str, State]]:
        for i in range(4_001):
            if i == 3_000:
                store.apply_events([live("c4000", "late")])
            yield f"c{i}", state

    assert store.put_many(states()) == 4_001
    assert ids_of(store.get("c4000")) == ["late", "log"]
    assert ids_of(store.get("c3999")) == ["log"]


def test_deleting_takes_the_state_and_the_spooled_events_of_one_customer(store: Store) -> None:
    store.apply_events([live("a", "1"), live("b", "2"), live("a", "3")])
    assert store.delete("a") == (True, 2)
    assert (store.get("a"), store.sizes()) == (None, (1, 1))


def test_ids_of_any_length(store: Store) -> None:
    long = "é" * 9_999
    store.apply_events([live(long, "1"), live(long + "x", "2")])
    assert (ids_of(store.get(long)), ids_of(store.get(long + "x"))) == (["1"], ["2"])


def test_what_it_was_filled_from_is_remembered(store: Store) -> None:
    store.mark_filled({"log_version": "7"})
    assert store.filled() == {"log_version": "7"}


def test_it_is_all_there_after_a_restart(tmp_path: Path) -> None:
    store = open_store(STORE, tmp_path)
    store.apply_events([live("a", "1")])
    store.close()
    store = open_store(STORE, tmp_path)
    assert (ids_of(store.get("a")), store.sizes()) == (["1"], (1, 1))
    store.close()


@pytest.mark.parametrize("url", ["redis://x", "embeded:state", "embedded:", "embedded:s?map_gb=0", "embedded:s?size=1"])
def test_a_url_that_names_no_store(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="embedded"):
        open_store(url, tmp_path)


def test_a_full_store_says_how_to_make_room_and_keeps_what_it_had(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "s", map_gb=1)
    store._env.set_mapsize(300_000)
    store._map_gb = 1
    store.apply_events([live("a", "1")])
    with pytest.raises(StateError, match="map_gb=4"):
        store.apply_events([live("b", str(i), page="x" * 9_000) for i in range(100)])
    assert (ids_of(store.get("a")), store.sizes()) == (["1"], (1, 1))
    store.close()


def test_a_folder_that_is_no_store_and_one_of_another_format(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be used"):
        EmbeddedStore(tmp_path / "file", map_gb=1)
    EmbeddedStore(tmp_path / "s", map_gb=1).close()
    with lmdb.open(str(tmp_path / "s"), max_dbs=4, map_size=2**30) as env, env.begin(write=True) as txn:
        txn.put(b"format", b"99", db=env.open_db(b"meta", txn=txn))
    with pytest.raises(StateError, match="format"):
        EmbeddedStore(tmp_path / "s", map_gb=1)


WRITER = """
import sys
from pathlib import Path
from tests.serving.test_store import STORE, live
from serving.store import open_store
store = open_store(STORE, Path(sys.argv[1]))
for i in range(1_000_000):
    store.apply_events([live(sys.argv[2], f"{sys.argv[2]}-{i}")])
    print(i, flush=True)
"""


def test_several_processes_write_and_a_killed_one_loses_nothing_it_was_told(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], stdout=subprocess.PIPE, cwd=root)
        for name in ("a", "b")
    ]
    told = []
    for writer in writers:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 20:
            pass
    time.sleep(0.05)
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
    for writer in writers:
        rest, _ = writer.communicate()
        told.append(max([20, *(int(line) for line in rest.split())]))
    store = open_store(STORE, tmp_path)
    rows, _ = store.spool_read(10**6)
    for name, last in zip(("a", "b"), told, strict=True):
        mine = [row["event_id"] for row in rows if row["customer_id"] == name]
        assert mine[: last + 1] == [f"{name}-{i}" for i in range(last + 1)]
        state = store.get(name)
        assert state is not None
        assert state.event_count == len(mine)
    store.close()

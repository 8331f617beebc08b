"""The embedded store: LMDB, no server, shared by all processes of one machine.

Three tables in one file: ``states`` (hash of the id → id and packed state), ``spool`` (position → live event) and
``meta``. A live event goes into ``states`` and ``spool`` in one transaction that is on disk before it returns. Readers
never wait for the writer. Open it in the process that uses it, not before a fork.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import lmdb
import msgspec

from features.errors import StateError
from features.state import EventRow, State, Status
from serving.live_events import row_of
from serving.store import Applied, LiveEvent, Stored

__all__ = ["DEFAULT_MAP_GB", "EmbeddedStore"]

DEFAULT_MAP_GB: Final = 64
"""Largest size of the store unless its URL says otherwise; the file is sparse and takes only what it holds."""

_CHUNK: Final = 2_000
_POSITION: Final = b"spool_position"
_FILLED: Final = b"filled"
_FORMAT: Final = b"format"
_VERSION: Final = b"1"


class EmbeddedStore:
    """Store in a folder.

    Parameters
    ----------
    folder : Path
        Made if missing.
    map_gb : int
        Largest size, GiB.

    Raises
    ------
    StateError
        If the folder cannot be used, or was written by another version.
    """

    def __init__(self, folder: Path, *, map_gb: int = DEFAULT_MAP_GB) -> None:
        self._folder, self._map_gb = folder, map_gb
        with self._explained():
            folder.mkdir(parents=True, exist_ok=True)
            self._env = lmdb.open(str(folder), map_size=map_gb * 2**30, max_dbs=4, max_readers=512, subdir=True)
            self._env.reader_check()
            self._states = self._env.open_db(b"states")
            self._spool = self._env.open_db(b"spool")
            self._meta = self._env.open_db(b"meta")
            with self._env.begin(write=True) as txn:
                txn.put(_FORMAT, _VERSION, db=self._meta, overwrite=False)
                found = txn.get(_FORMAT, db=self._meta)
        if found != _VERSION:
            self._env.close()
            raise StateError(
                f"the store in {folder} has format {found!r}",
                expected=_VERSION.decode(),
                remedy="move the folder away and run `ebbtide ingest` to fill a new one",
            )

    def get(self, customer_id: str) -> State | None:
        """State of one customer; raises StateError if it is damaged."""
        with self._explained(), self._env.begin(db=self._states) as txn:
            return _unpack(customer_id, txn.get(_key(customer_id)))

    def get_many(self, customer_ids: Sequence[str]) -> list[Stored]:
        """What is stored of each customer, in their order; a damaged state stands as its error."""
        with self._explained(), self._env.begin(db=self._states) as txn:
            return [_unpack_or_error(customer_id, txn.get(_key(customer_id))) for customer_id in customer_ids]

    def put_many(self, states: Iterable[tuple[str, State]]) -> int:
        """Replace states in bulk, with what is still in the spool applied on top; how many."""
        rest = iter(states)
        spooled: dict[str, list[EventRow]] = {}
        read_to = b""
        count = 0
        while chunk := list(islice(rest, _CHUNK)):
            with self._explained(), self._env.begin(write=True) as txn:
                for key, columns in _entries(txn, self._spool, after=read_to):
                    read_to = key
                    spooled.setdefault(str(columns["customer_id"]), []).append(row_of(columns))
                for customer_id, state in chunk:
                    if customer_id in spooled:
                        state = state.update(spooled[customer_id]).state
                    txn.put(_key(customer_id), _pack(customer_id, state), db=self._states)
            count += len(chunk)
        return count

    def replace_all(self, states: Iterable[tuple[str, State]]) -> int:
        """Fill as :meth:`put_many`, then forget customers who are neither among the states nor in the spool."""
        known: set[bytes] = set()

        def noted() -> Iterator[tuple[str, State]]:
            for customer_id, state in states:
                known.add(_key(customer_id))
                yield customer_id, state

        count = self.put_many(noted())
        with self._explained(), self._env.begin(write=True) as txn:
            known.update(_key(str(columns["customer_id"])) for _, columns in _entries(txn, self._spool))
            with txn.cursor(db=self._states) as cursor:
                gone = [bytes(key) for key in cursor.iternext(values=False) if bytes(key) not in known]
            for key in gone:
                txn.delete(key, db=self._states)
        return count

    def apply_events(self, events: Sequence[LiveEvent]) -> list[Applied]:
        """Add live events to states and spool, durable on return; in their order.

        An event of a customer whose state is damaged is spooled (the log gets it) and the damage stays as it is.
        """
        by_customer: dict[str, list[int]] = {}
        for index, event in enumerate(events):
            by_customer.setdefault(event.customer_id, []).append(index)
        results: list[Applied] = ["accepted"] * len(events)
        with self._explained(), self._env.begin(write=True) as txn:
            for customer_id, indexes in by_customer.items():
                stored = _unpack_or_error(customer_id, txn.get(_key(customer_id), db=self._states))
                if isinstance(stored, StateError):
                    continue
                update = (stored or State.empty()).update([events[index].row for index in indexes])
                for index, status in zip(indexes, update.statuses, strict=True):
                    if status is Status.DUPLICATE:
                        results[index] = "duplicate"
                if any(status is not Status.DUPLICATE for status in update.statuses):
                    txn.put(_key(customer_id), _pack(customer_id, update.state), db=self._states)
            self._append(txn, [event for event, result in zip(events, results, strict=True) if result == "accepted"])
        return results

    def delete(self, customer_id: str) -> tuple[bool, int]:
        """Remove a customer and their events in the spool: whether there was one, and how many such events."""
        with self._explained(), self._env.begin(write=True) as txn:
            found = txn.delete(_key(customer_id), db=self._states)
            own = [key for key, columns in _entries(txn, self._spool) if columns["customer_id"] == customer_id]
            for key in own:
                txn.delete(key, db=self._spool)
        return found, len(own)

    def spool_read(self, most: int) -> tuple[list[dict[str, object]], int]:
        """Oldest events of the spool as columns of the log, and the position to drop them by (0 if there are none)."""
        with self._explained(), self._env.begin() as txn:
            entries = list(islice(_entries(txn, self._spool), most))
        position = int.from_bytes(entries[-1][0]) if entries else 0
        return [columns for _, columns in entries], position

    def spool_drop(self, position: int) -> int:
        """Remove the spool's events up to a position that :meth:`spool_read` gave; how many."""
        count = 0
        with self._explained(), self._env.begin(write=True) as txn, txn.cursor(db=self._spool) as cursor:
            while cursor.first() and int.from_bytes(cursor.key()) <= position:
                cursor.delete()
                count += 1
        return count

    def sizes(self) -> tuple[int, int]:
        """How many customers and how many events in the spool."""
        with self._explained(), self._env.begin() as txn:
            return txn.stat(self._states)["entries"], txn.stat(self._spool)["entries"]

    def mark_filled(self, facts: Mapping[str, str]) -> None:
        """Remember what the store was filled from, such as the log's version."""
        with self._explained(), self._env.begin(write=True) as txn:
            txn.put(_FILLED, msgspec.json.encode(dict(facts)), db=self._meta)

    def filled(self) -> dict[str, str]:
        """What :meth:`mark_filled` was told; empty if it never was."""
        with self._explained(), self._env.begin(db=self._meta) as txn:
            return msgspec.json.decode(txn.get(_FILLED) or b"{}", type=dict[str, str])

    def close(self) -> None:
        """Let go of the file."""
        self._env.close()

    def _append(self, txn: Any, events: Sequence[LiveEvent]) -> None:  # noqa: ANN401 - LMDB ships no types
        position = int.from_bytes(txn.get(_POSITION, db=self._meta) or b"")
        for event in events:
            position += 1
            txn.put(position.to_bytes(8), msgspec.msgpack.encode(event.columns), db=self._spool, append=True)
        txn.put(_POSITION, position.to_bytes(8), db=self._meta)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except lmdb.MapFullError as error:
            raise StateError(
                f"the store in {self._folder} is full at {self._map_gb} GiB",
                remedy=f'set [store] url = "embedded:{self._folder.name}?map_gb={self._map_gb * 4}"',
            ) from error
        except (lmdb.Error, OSError) as error:
            raise StateError(
                f"the store in {self._folder} cannot be used: {error}",
                remedy="check the disk and who may write there; if the store is damaged, move the folder away and run "
                "`ebbtide ingest` to fill a new one from the log",
            ) from error


def _key(customer_id: str) -> bytes:
    """Fixed-size key: LMDB takes no more than 511 bytes, and ids may be longer."""
    return hashlib.blake2b(customer_id.encode(), digest_size=16).digest()


def _pack(customer_id: str, state: State) -> bytes:
    name = customer_id.encode()
    packed = state.compact() if state.wants_compaction else state
    return len(name).to_bytes(4) + name + packed.encode()


def _unpack(customer_id: str, value: bytes | None) -> State | None:
    if value is None:
        return None
    end = 4 + int.from_bytes(value[:4])
    if value[4:end] != customer_id.encode():
        raise StateError(
            "a stored state is not that of the customer who was looked up",
            remedy="run `ebbtide ingest` to rebuild the store from the log",
        )
    return State.decode(value[end:])


def _unpack_or_error(customer_id: str, value: bytes | None) -> Stored:
    try:
        return _unpack(customer_id, value)
    except StateError as error:
        return error


def _entries(txn: Any, spool: Any, after: bytes = b"") -> Iterator[tuple[bytes, dict[str, object]]]:  # noqa: ANN401 - LMDB ships no types
    """Spooled events in order, those behind a key."""
    with txn.cursor(db=spool) as cursor:
        if not (cursor.set_range(after) if after else cursor.first()):
            return
        for key, value in cursor.iternext():
            if key != after:
                yield bytes(key), msgspec.msgpack.decode(value)

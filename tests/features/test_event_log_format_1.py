"""Logs whose manifest was written before the log knew which columns an event type has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from features.catalogue import TypeTraits
from features.errors import StateError
from features.event_log import EventLog
from features.event_log_manifest import FORMAT
from features.events import BUCKETS
from tests.features.log_builders import SEVENTEEN, WITH_ID, block, events, ingest, lines, rows

_US = 1_512_426_600_000_000  # 2017-12-04 17:30 in New York
_VIEWS = block("views", event_type="'view'", order_id="'o'", device="'ios'", drop=["amount"], **WITH_ID)
_ORDERS = lines(("a", SEVENTEEN, 1.0, "1", None), ("b", SEVENTEEN, 2.0, "2", None))
_SEEN = lines(("a", SEVENTEEN, None, "3", None))


def segment(load: int, name: str, buckets: dict[int, int], types: dict[str, dict[str, int]]) -> dict[str, object]:
    stored = sum(buckets.values())
    return {
        "file": f"segments/{load:06d}.parquet",
        "load": load,
        "block": name,
        "stored_rows": stored,
        "oldest_us": _US,
        "newest_us": _US,
        "dates_only": False,
        "stats": {
            "rows": stored,
            "buckets": [buckets.get(bucket, 0) for bucket in range(BUCKETS)],
            "types": types,
            "first_us": _US,
            "last_us": _US,
        },
    }


# md5("a") = 0cc1…, md5("b") = 92eb…
MANIFEST = {
    "format": 1,
    "version": 2,
    "customers": 2,
    "corrections": 0,
    "segments": [
        segment(1, "orders", {0x0C: 1, 0x92: 1}, {"purchase": {"rows": 2, "amounts": 2, "discounts": 0, "orders": 0}}),
        segment(2, "views", {0x0C: 1}, {"view": {"rows": 1, "amounts": 0, "discounts": 0, "orders": 1}}),
    ],
    "superseded": [],
    "quarantine": [],
    "blocks": {
        "orders": {"expressions": dict(block(**WITH_ID).expressions), "timezone": "America/New_York"},
        "views": {"expressions": dict(_VIEWS.expressions), "timezone": "America/New_York"},
    },
}


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    """Two segments under a manifest of format 1."""
    log = EventLog(tmp_path / "log")
    ingest(log, _ORDERS, block(**WITH_ID))
    ingest(log, _SEEN, _VIEWS)
    (tmp_path / "log" / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    return log


def test_it_is_read_with_the_fields_it_counted(log: EventLog) -> None:
    snapshot = log.snapshot()
    assert (snapshot.version, snapshot.rows, len(events(log))) == (2, 3, 3)
    assert dict(snapshot.event_types) == {"purchase": 2, "view": 1}
    assert snapshot.type_traits == {
        "purchase": TypeTraits(fields=frozenset({"amount"})),
        "view": TypeTraits(fields=frozenset({"order_id"})),
    }


def test_later_loads_add_to_it(log: EventLog, tmp_path: Path) -> None:
    web = block("web", discount="0.5", channel="'web'", drop=["amount"])
    assert ingest(log, rows(("c", SEVENTEEN, 1.0)), web).accepted == 1
    snapshot = log.snapshot()
    assert dict(snapshot.event_types) == {"purchase": 3, "view": 1}
    assert snapshot.type_traits == {
        "purchase": TypeTraits(fields=frozenset({"amount", "discount", "channel"}), values={"channel": ("web",)}),
        "view": TypeTraits(fields=frozenset({"order_id"})),
    }
    assert json.loads((tmp_path / "log" / "manifest.json").read_bytes())["format"] == FORMAT == 2
    assert ingest(log, _ORDERS, block(**WITH_ID)).duplicates == 2


def test_a_correction_counts_its_segment_anew(log: EventLog) -> None:
    more = lines(("a", SEVENTEEN, None, "3", None), ("a", SEVENTEEN, None, "4", None))
    ingest(log, more, _VIEWS)
    assert log.snapshot().type_traits["view"].values == {"device": ("ios",)}
    ingest(log, lines(("a", SEVENTEEN, None, "1", None)), block(**WITH_ID))
    assert log.snapshot().type_traits["purchase"] == TypeTraits(fields=frozenset({"amount"}))
    ingest(log, lines(("b", SEVENTEEN, None, "2", None)), block(**WITH_ID))
    assert log.snapshot().type_traits["purchase"] == TypeTraits()


def test_a_damaged_one_is_said_to_be_so(log: EventLog, tmp_path: Path) -> None:
    text = json.dumps(MANIFEST).replace('"amounts"', '"amount"')
    (tmp_path / "log" / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(StateError, match="damaged"):
        log.snapshot()

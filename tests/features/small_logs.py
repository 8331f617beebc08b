"""Small logs: a fake snapshot whose rows are written into its SQL, and plans that ask for everything."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import product

from features.definition import Aggregation, Base, Feature, Where
from features.duckdb_engine import FeatureTable, build, concat
from features.errors import UsageError
from features.events import COLUMNS
from features.kernel_program import NULL
from features.outcome import Outcome
from features.plan import Plan, compile_plan
from features.state import EventRow
from tests.features.oracle import Event, day, us


@dataclass(frozen=True)
class FakeLog:
    """A snapshot of a log, as SQL."""

    events: Sequence[Event]

    @property
    def bucket_rows(self) -> tuple[int, ...]:
        rows = [0] * 256
        for event in self.events:
            rows[bucket_of(event.customer)] += 1
        return tuple(rows)

    def scan_sql(self, first_bucket: int, last_bucket: int) -> str:
        chosen = [
            (number, event)
            for number, event in enumerate(self.events)
            if first_bucket <= bucket_of(event.customer) <= last_bucket
        ]
        rows = [_cells(number, event) for number, event in chosen or [(0, Event(at=day(0)))]]
        used = [column.name for column in COLUMNS if any(column.name in row for row in rows)]
        columns = ", ".join(
            f"CAST({column.name if column.name in used else 'NULL'} AS {column.type}) AS {column.name}"
            for column in COLUMNS
        )
        values = ", ".join(f"({', '.join(row.get(name, 'NULL') for name in (*used, 'bucket'))})" for row in rows)
        where = "" if chosen else " WHERE false"
        return f"SELECT {columns}, bucket FROM (VALUES {values}) AS t({', '.join(used)}, bucket){where}"


def bucket_of(customer: str) -> int:
    return hashlib.md5(customer.encode(), usedforsecurity=False).digest()[0]


def _cells(number: int, event: Event) -> dict[str, str]:
    cells = {
        "customer_id": _text(event.customer),
        "event_time": f"'{event.at.isoformat(sep=' ')}'",
        "received_at": f"'{event.received_at.isoformat(sep=' ')}'",
        "event_type": _text(event.type),
        "event_id": _text(event.id or f"e{number}"),
        "bucket": str(bucket_of(event.customer)),
        **{name: f"'{value}'" for name, value in event.numbers.items()},
        **{name: _text(value) for name, value in event.texts.items()},
    }
    return cells if event.order is None else {**cells, "order_id": _text(event.order)}


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def event_row(event: Event, number: int) -> EventRow:
    """Return the event as the online path gets it."""
    return EventRow(
        event_id=event.id or f"e{number}",
        event_type=event.type,
        event_time_us=us(event.at),
        received_us=us(event.received_at),
        order_id=event.order,
        **event.numbers,
        **event.texts,
    )


def plan_of(*bases: Base, features: Sequence[Feature] = (), timezone: str = "UTC", max_events: int = 4_096) -> Plan:
    return compile_plan(features, timezone=timezone, extra=bases, max_events=max_events)


def base(
    aggregation: str,
    event_type: str | None = "purchase",
    window: int | None = None,
    field: str | None = None,
    *,
    where: tuple[str, str] | None = None,
    last: int | None = None,
    value: str | None = None,
) -> Base:
    return Base(
        aggregation=Aggregation(aggregation),
        event_type=event_type,
        field=field,
        window_days=window,
        where=None if where is None else Where(field=where[0], value=where[1]),
        last_lines=last,
        value=value,
    )


@lru_cache
def every_base(
    types: tuple[str | None, ...] = ("purchase", "view", None),
    windows: tuple[int | None, ...] = (None, 1, 7, 400),
    fields: tuple[str, ...] = ("amount", "duration_seconds", "channel", "item_id"),
    filters: tuple[tuple[str, str] | None, ...] = (None, ("channel", "web"), ("kind", "no such")),
    last_lines: tuple[int | None, ...] = (None, 3),
) -> tuple[Base, ...]:
    """Whatever the grammar allows of these parts; attributes are no part of a log of events."""
    found = []
    parts = product(Aggregation, types, windows, (None, *fields), filters, last_lines, (None, "web"))
    for aggregation, event_type, window, field, where, last, value in parts:
        if aggregation is Aggregation.ATTRIBUTE or (last is not None and window is not None):
            continue
        try:
            found.append(base(aggregation, event_type, window, field, where=where, last=last, value=value))
        except UsageError:
            continue
    return tuple(found)


def table_of(
    events: Sequence[Event],
    plan: Plan,
    cutoffs: Sequence[float],
    *,
    settle_days: float | None = None,
    outcomes: Sequence[Outcome] = (),
    batch_rows: int = 1_000_000,
    threads: int = 2,
) -> FeatureTable:
    """Build the table at some days."""
    before = None if settle_days is None else [day(at) + timedelta(days=settle_days) for at in cutoffs]
    return concat(
        list(
            build(
                FakeLog(events),
                plan,
                [day(at) for at in cutoffs],
                received_before=before,
                outcomes=outcomes,
                batch_rows=batch_rows,
                threads=threads,
            )
        )
    )


def rows_of(table: FeatureTable, *, outcomes: bool = False) -> dict[tuple[str, int], list[int]]:
    """Rows of the base table, or of the outcomes, by customer and cutoff."""
    keys = zip(table.customer_ids[table.customer], table.cutoff_us.tolist(), strict=True)
    return dict(zip(keys, (table.outcomes if outcomes else table.base).tolist(), strict=True))


def value_of(events: Sequence[Event], wanted: Base, cutoff: float, **options: object) -> int | None:
    """Value of one base aggregate of the only customer at one day; None is null."""
    timezone, max_events = str(options.pop("timezone", "UTC")), int(options.pop("max_events", 4_096))
    table = table_of(events, plan_of(wanted, timezone=timezone, max_events=max_events), [cutoff], **options)
    assert len(table) == 1
    value = int(table.base[0, 0])
    return None if value == NULL else value

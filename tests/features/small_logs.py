"""Small logs: a fake snapshot whose rows are written into its SQL, plans that ask for everything, random logs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st

from features.definition import Aggregation, Base, Feature
from features.duckdb_engine import FeatureTable, build, concat
from features.kernel_program import NULL
from features.outcome import Outcome
from features.plan import Plan, compile_plan
from features.state import EventRow
from tests.features.oracle import Event, day, us

NUMBERS = ("amount", "discount", "quantity", "value", "rating", "duration_seconds")


@dataclass(frozen=True)
class FakeLog:
    """A snapshot of a log, as SQL."""

    events: Sequence[Event]

    @property
    def bucket_rows(self) -> tuple[int, ...]:
        rows = [0] * 256
        for event in self.events:
            rows[_bucket(event.customer)] += 1
        return tuple(rows)

    def scan_sql(self, first_bucket: int, last_bucket: int) -> str:
        rows = [
            _row(number, event)
            for number, event in enumerate(self.events)
            if first_bucket <= _bucket(event.customer) <= last_bucket
        ]
        where = "" if rows else " WHERE false"
        nothing = _row(0, Event(at=day(0)))
        numbers = ", ".join(f'"{name}"' for name in NUMBERS)
        names = f"customer_id, event_time, received_at, event_type, order_id, event_id, {numbers}, bucket"
        return f"SELECT * FROM (VALUES {', '.join(rows or [nothing])}) AS t({names}){where}"


def _bucket(customer: str) -> int:
    return hashlib.md5(customer.encode(), usedforsecurity=False).digest()[0]


def _row(number: int, event: Event) -> str:
    texts = [
        _text(event.customer),
        f"TIMESTAMPTZ '{event.at.isoformat(sep=' ')}'",
        f"TIMESTAMPTZ '{event.received_at.isoformat(sep=' ')}'",
        _text(event.type),
        "NULL::VARCHAR" if event.order is None else _text(event.order),
        _text(event.id or f"e{number}"),
        *(f"'{event.numbers[name]}'::DOUBLE" if name in event.numbers else "NULL::DOUBLE" for name in NUMBERS),
        str(_bucket(event.customer)),
    ]
    return f"({', '.join(texts)})"


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
    )


def plan_of(*bases: Base, features: Sequence[Feature] = (), timezone: str = "UTC", max_events: int = 4_096) -> Plan:
    return compile_plan(features, timezone=timezone, extra=bases, max_events=max_events)


def base(
    aggregation: str, event_type: str | None = "purchase", window: int | None = None, field: str | None = None
) -> Base:
    return Base(aggregation=Aggregation(aggregation), event_type=event_type, field=field, window_days=window)


def every_base(types: Sequence[str | None], windows: Sequence[int | None]) -> list[Base]:
    """Every aggregation of every type in every window."""
    return [
        base(aggregation, event_type, window, field)
        for event_type in types
        for window in windows
        for aggregation in list(Aggregation)
        if str(aggregation)
        in [
            "count",
            "lines",
            "sum",
            "present",
            "active_days",
            "first",
            "last",
            "gap_count",
            "gap_sum",
            "gap_squares",
            "gap_max",
        ]
        for field in (("amount", "rating") if aggregation in ("sum", "present") else (None,))
    ]


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


def value_of(events: Sequence[Event], wanted: Base, cutoff: float, **options: object) -> int | None:
    """Value of one base aggregate of the only customer at one day; None is null."""
    timezone, max_events = str(options.pop("timezone", "UTC")), int(options.pop("max_events", 4_096))
    table = table_of(events, plan_of(wanted, timezone=timezone, max_events=max_events), [cutoff], **options)
    assert len(table) == 1
    value = int(table.base[0, 0])
    return None if value == NULL else value


_TIMES = st.one_of(
    st.integers(0, 80).map(lambda quarter: day(quarter / 4)),
    st.integers(0, 40).map(lambda number: day(number) - timedelta(days=410)),
)
_NUMBERS = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.integers(-500, 5_000).map(lambda hundredths: hundredths / 100),
        "rating": st.integers(0, 5).map(float),
    },
)


@st.composite
def an_event(draw: st.DrawFn) -> Event:
    at = draw(_TIMES)
    delay = draw(st.sampled_from([0.0, 0.0, 0.0, 0.25, 3.0, 30.0]))
    return Event(
        at=at,
        customer=draw(st.sampled_from(["a", "a", "a", "b", "c'd é"])),
        type=draw(st.sampled_from(["purchase", "purchase", "view", "refund", "other"])),
        order=draw(st.sampled_from([None, "o1", "o2", "o3"])),
        received=at + timedelta(days=delay),
        numbers=draw(_NUMBERS),
    )


@st.composite
def a_log(draw: st.DrawFn, max_size: int = 30) -> list[Event]:
    """Up to so many events of three customers, each with its own id."""
    events = draw(st.lists(an_event(), max_size=max_size))
    return [Event(**{**vars(event), "id": f"id{number}"}) for number, event in enumerate(events)]

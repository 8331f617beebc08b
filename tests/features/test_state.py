"""One customer's packed state: what arrives, what is kept, what can be answered."""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from features.errors import StateError
from features.kernel_program import NULL
from features.state import EventRow, State, Status
from features.state_carry import CARRIED_ORDERS
from tests.features.oracle import Event, day, us
from tests.features.small_logs import base, event_row, plan_of

COUNT, MONEY, RECENT = base("count"), base("sum", field="amount"), base("count", window=7)
PLAN = plan_of(COUNT, MONEY, RECENT, base("first"), base("last"), base("lines"), base("lines", None))
SMALL = plan_of(*PLAN.base, max_events=4)


def bought(at: float, id: str = "", amount: float = 1, order: str | None = None, **more: object) -> EventRow:  # noqa: A002 (as in the log)
    event = Event(at=day(at), id=id or f"e{at}", order=order, numbers={"amount": amount}, **more)
    return event_row(event, 0)


def holding(events: Sequence[EventRow], max_events: int = 4_096) -> State:
    return State.empty(max_events=max_events).update(events).state


def row(state: State, cutoff: float, plan: object = PLAN) -> list[int]:
    return state.answer(plan, us(day(cutoff))).base.tolist()


def test_a_customer_without_events() -> None:
    state = State.decode(State.empty().encode())
    assert row(state, 3) == [0, 0, 0, NULL, NULL, 0, 0]
    assert (state.newest_us, state.event_count, state.last_events(3), state.stale) == (None, 0, (), False)
    assert state.compact().event_count == 0
    assert not state.wants_compaction


def test_numbers_of_two_purchases() -> None:
    state = holding([bought(9, amount=2.5, order="o"), bought(1), bought(9.5, order="o")])
    assert row(state, 10) == [2, 450, 1, us(day(1)), us(day(9)), 3, 3]
    assert row(state, 9) == [1, 100, 0, us(day(1)), us(day(1)), 1, 1]


def test_a_duplicate_changes_nothing() -> None:
    state, statuses = State.empty().update([bought(1, "x"), bought(1, "x")])
    assert statuses == (Status.ACCEPTED, Status.DUPLICATE)
    again, statuses = state.update([bought(1, "x")])
    assert statuses == (Status.DUPLICATE,)
    assert again.encode() == state.encode()


def test_of_two_receipts_of_one_line_the_earlier_counts() -> None:
    late, early = bought(1, "x", received=day(5)), bought(1, "x", received=day(2))
    for arrival in ([late, early], [early, late]):
        state, statuses = State.empty().update(arrival)
        assert statuses == (Status.ACCEPTED, Status.DUPLICATE)
        assert state.answer(PLAN, us(day(9)), us(day(3))).base.tolist()[0] == 1
        assert state.event_count == 1
    stored = holding([late]).update([early]).state
    assert stored.answer(PLAN, us(day(9)), us(day(3))).base.tolist()[0] == 1


def test_other_content_of_one_event_id_is_a_correction() -> None:
    first, second = bought(1, "x", 10, received=day(2)), bought(3, "x", 7, received=day(4))
    state, statuses = holding([first]).update([second])
    assert statuses == (Status.CORRECTED,)
    assert row(state, 9)[:3] == [1, 700, 1]
    state, statuses = holding([second]).update([first])  # an older version arrives after the newer
    assert statuses == (Status.DUPLICATE,)
    assert row(state, 9)[1] == 700
    assert [event.amount for event in state.last_events(9)] == [7]


def test_received_too_late_is_not_seen() -> None:
    state = holding([bought(1), bought(2, received=day(8))])
    assert state.answer(PLAN, us(day(3)), us(day(8))).base.tolist()[0] == 1
    assert state.answer(PLAN, us(day(3)), us(day(8)) + 1).base.tolist()[0] == 2


def test_compaction_keeps_lifetime_numbers() -> None:
    events = [bought(at / 2, amount=at) for at in range(100)]
    state = holding(events, 4).compact()
    assert state.event_count == 4
    assert row(state, 60, SMALL) == [100, 100 * 4_950, 0, us(day(0)), us(day(49.5)), 100, 100]
    assert row(state, 50, SMALL)[2] == 4
    assert state.compact() is state


def test_compaction_never_counts_an_order_twice() -> None:
    state = holding([bought(1, order="o"), *[bought(2 + at / 10) for at in range(9)]], 4).compact()
    state, _ = state.update([bought(8, order="o", amount=5)])
    assert row(state, 9, SMALL) == [10, 1_500, 3, us(day(1)), us(day(2.8)), 11, 11]
    later = state.update([bought(9 + at / 10) for at in range(9)]).state.compact()
    assert row(later.update([bought(10.5, order="o")]).state, 11, SMALL)[0] == 19


def test_old_events_go_after_430_days() -> None:
    state = holding([bought(0), bought(69.9), bought(71), bought(500)])
    compacted = state.compact()
    assert compacted.event_count == 2
    assert row(compacted, 501)[:2] == [4, 400]
    assert state.wants_compaction
    assert not compacted.wants_compaction


def test_what_is_older_than_what_is_kept_makes_the_state_stale() -> None:
    state = holding([bought(at) for at in range(12)], 4).compact()
    kept = state.event_count
    state, statuses = state.update([bought(0.5)])
    assert statuses == (Status.TOO_OLD,)
    assert (state.stale, state.event_count, State.decode(state.encode()).stale) == (True, kept, True)
    fresh, statuses = holding([bought(at) for at in range(12)]).update([bought(0.5)])
    assert (statuses, fresh.stale) == ((Status.ACCEPTED,), False)


def test_cutoffs_before_what_is_kept_are_refused() -> None:
    state = holding([bought(at) for at in range(12)], 8).compact()
    assert state.event_count == 9
    plan = plan_of(RECENT, max_events=8)
    assert state.oldest_answerable_us == us(day(10)) + 1
    assert state.answer(plan, us(day(10)) + 1).base.tolist() == [7]
    with pytest.raises(StateError, match="before what the customer's stored state can answer") as caught:
        state.answer(plan, us(day(10)))
    assert "2020-01-11T00:00:00.000001+00:00 or later" in str(caught.value)
    assert holding([bought(3)]).oldest_answerable_us == NULL


def test_what_is_in_the_carry_cannot_be_left_out_again() -> None:
    state = holding([bought(at) for at in range(12)], 4).compact()
    with pytest.raises(StateError, match="cannot leave out what was received after"):
        state.answer(SMALL, us(day(20)), us(day(3)))


def test_a_plan_that_sees_more_events_is_refused() -> None:
    with pytest.raises(StateError, match="the state keeps 4 events"):
        holding([bought(1)], 4).answer(PLAN, us(day(3)))


def test_types_the_plan_does_not_know_still_count_as_events() -> None:
    state = holding([bought(1), bought(2, type="strange")])
    assert row(state, 3)[-2:] == [1, 2]
    state = holding([bought(at, type=f"t{at % 3}") for at in range(20)], 4).compact()
    assert row(state, 30, SMALL)[-2:] == [0, 20]


def test_the_order_of_arrival_does_not_matter() -> None:
    events = [bought(at, amount=at) for at in range(20)]
    shuffled = random.Random(3).sample(events, 20)  # noqa: S311 (no secret)
    one_by_one = State.empty()
    for event in shuffled:
        one_by_one = one_by_one.update([event]).state
    assert row(one_by_one, 15) == row(holding(events), 15)
    assert [event.amount for event in one_by_one.last_events(2)] == [19, 18]


def test_only_the_last_20_events_are_kept_in_full() -> None:
    state = State.decode(holding([bought(at, order=f"o{at}") for at in range(30)]).encode())
    shown = state.last_events(99)
    assert [event.event_time_us for event in shown] == [us(day(at)) for at in range(29, 9, -1)]
    assert (shown[0].event_id, shown[0].order_id, shown[0].event_type) == ("e29", "o29", "purchase")


def test_every_number_survives_packing() -> None:
    numbers = {
        "amount": 1.5,
        "discount": -0.25,
        "quantity": 2.5,
        "value": 0.001,
        "rating": 4.0,
        "duration_seconds": 9.0,
    }
    event = Event(at=day(1), numbers=numbers, order="o 1 é", received=day(2))
    state = State.decode(holding([event_row(event, 0), bought(2)]).encode())
    assert {name: column.tolist()[0] for name, column in state.content.numbers.items()} == {
        "amount": 150,
        "discount": -25,
        "quantity": 2_500,
        "value": 1,
        "rating": 4_000,
        "duration_seconds": 9_000,
    }
    assert state.content.received.tolist() == [us(day(2)), us(day(2))]
    assert State.decode(state.encode()).encode() == state.encode()


def test_damaged_bytes_are_refused() -> None:
    data = holding([bought(1), bought(2, order="o")]).encode()
    for at in range(len(data)):
        with pytest.raises(StateError):
            State.decode(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    for size in (0, 3, 40, len(data) - 1):
        with pytest.raises(StateError):
            State.decode(data[:size])
    with pytest.raises(StateError):
        State.decode(data + b"x")
    with pytest.raises(StateError, match="version 7; expected version 2"):
        State.decode(data[:4] + b"\x07\x00" + data[6:])


def test_what_version_1_wrote_is_refused_with_a_remedy() -> None:
    """It does not know the events' texts, so that its answers would be silently wrong."""
    written = (
        "RUJUUwEABAAGBLhtAACp/TCbBQAAoNHfHJsFAAQAAAAFAAAAAQAAAAEAAAABAAAADAAAAC0BAAAAAKn9MJsFAABggBtFmwUAAMBX"
        "OVmbBQAAIC9XbZsFAACABnWBmwUA////////////////////////////////9bDt61yOJWb//////////0FQsVPF2V8YMUcuQsBW"
        "ABM4BDpYWZBlEyXYn3wC5owsoWjBz18zdU76AAAAAAAAAGQAAAAAAAAAZAAAAAAAAABkAAAAAAAAACYCAAAAAAAA9bDt61yOJWYC"
        "AAAAAAAAAAIAAAAAAAAAAED6wQibBQAAoNHfHJsFAACg0d8cmwUAyAAAAAAAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAWyJw"
        "dXJjaGFzZSJdW1sxNTc3ODM2ODAwMDAwMDAwLCJwdXJjaGFzZSIsImUwIiwibyIsMC41XSxbMTU3NzkyMzIwMDAwMDAwMCwicHVy"
        "Y2hhc2UiLCJlMSIsbnVsbCwxLjVdLFsxNTc4MDA5NjAwMDAwMDAwLCJwdXJjaGFzZSIsImUyIixudWxsLDIuNV0sWzE1NzgwOTYw"
        "MDAwMDAwMDAsInB1cmNoYXNlIiwiZTMiLG51bGwsMV0sWzE1NzgxODI0MDAwMDAwMDAsInB1cmNoYXNlIiwiZTQiLG51bGwsMV0s"
        "WzE1NzgyNjg4MDAwMDAwMDAsInB1cmNoYXNlIiwiZTUiLCJvIiwxXSxbMTU3ODM1NTIwMDAwMDAwMCwicHVyY2hhc2UiLCJlNiIs"
        "bnVsbCw1LjVdXQ=="
    )
    with pytest.raises(StateError, match=r"version 1; expected version 2. To mend it: rebuild .*ebbtide materialize"):
        State.decode(base64.b64decode(written))


def test_what_version_2_wrote_is_still_read() -> None:
    written = (
        "RUJUUwIABABOcS/EAGCAG0WbBQAAAKn9MJsFAAQAAAAEAAAAAQAAAAEAAACBAAAAAwAAAAwAAAAtAQAAAAAAAABggBtFmwUAAMBXOVmb"
        "BQAAIC9XbZsFAACABnWBmwUA//////////////////////Ww7etcjiVm//////////8xRy5CwFYAEzgEOlhZkGUTJdiffALmjCyhaMHP"
        "XzN1TmQAAAAAAAAAZAAAAAAAAABkAAAAAAAAACYCAAAAAAAA4WTCAR8DjE79zKi0znuOY+FkwgEfA4xO/cyotM57jmP1sO3rXI4lZgMA"
        "AAAAAAAAAwAAAAAAAAAAQPrBCJsFAAAAqf0wmwUAAACp/TCbBQDCAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAyAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD6AAAAAAAAAAAAAAAAAACAAAAAAAAAAIAAAAAAAAAAgAAAAAAAAACAAAAAAAAAAIAAAAAA"
        "AAAAgP3MqLTOe45jAAAAAAAAAIAAAAAAAAAAgEtTfESLnmXsQVCxUwAAAAAAwAAAAEBbInB1cmNoYXNlIl1bWzE1Nzc4MzY4MDAwMDAw"
        "MDAsInB1cmNoYXNlIiwiZTAiLCJvIiwwLjVdLFsxNTc3OTIzMjAwMDAwMDAwLCJwdXJjaGFzZSIsImUxIixudWxsLDEuNV0sWzE1Nzgw"
        "MDk2MDAwMDAwMDAsInB1cmNoYXNlIiwiZTIiLG51bGwsMi41XSxbMTU3ODA5NjAwMDAwMDAwMCwicHVyY2hhc2UiLCJlMyIsbnVsbCwx"
        "XSxbMTU3ODE4MjQwMDAwMDAwMCwicHVyY2hhc2UiLCJlNCIsbnVsbCwxXSxbMTU3ODI2ODgwMDAwMDAwMCwicHVyY2hhc2UiLCJlNSIs"
        "Im8iLDFdLFsxNTc4MzU1MjAwMDAwMDAwLCJwdXJjaGFzZSIsImU2IixudWxsLDUuNV1d"
    )
    state = State.decode(base64.b64decode(written))
    first = base("first_order_sum", field="amount")
    plan = plan_of(*SMALL.extra, first, base("distinct", field="channel"), max_events=4)
    assert row(state, 9, plan)[:3] == [6, 1_300, 3]  # 0.5 + 1.5 + 2.5 + 1 + 1 + 1 + 5.5; one order has two lines
    assert row(state, 9, plan)[-2:] == [150, 2]  # 0.5 + 1, days apart; web and app
    assert state.last_events(1)[0].event_id == "e6"
    assert state.update([bought(8.5, "e0")]).statuses == (Status.TOO_OLD,)


def test_so_many_carried_orders_are_remembered() -> None:
    state = holding([bought(at / 100, order=f"o{at}") for at in range(CARRIED_ORDERS + 100)], 4).compact()
    assert state.content.carried_order.size == CARRIED_ORDERS + 1  # and the first order
    assert row(state.update([bought(90, order=f"o{CARRIED_ORDERS}")]).state, 91, SMALL)[0] == CARRIED_ORDERS + 100


def test_a_state_is_immutable() -> None:
    state = holding([bought(1), bought(5)])
    before = state.encode()
    state.update([bought(3)])
    state.compact()
    row(state, 9)
    assert state.encode() == before
    assert replace(state).encode() == before
    assert np.shares_memory(state.content.time, replace(state).content.time)


def test_a_correction_of_what_is_in_the_carry_is_not_counted_twice() -> None:
    state = holding([bought(at) for at in range(12)], 4).compact()
    moved = EventRow(
        event_id="e0", event_type="purchase", event_time_us=us(day(11.5)), received_us=us(day(12)), amount=3.0
    )
    after, statuses = State.decode(state.encode()).update([moved])
    assert (statuses, after.stale) == ((Status.TOO_OLD,), True)
    assert after.answer(SMALL, us(day(20))).base.tolist() == state.answer(SMALL, us(day(20))).base.tolist()

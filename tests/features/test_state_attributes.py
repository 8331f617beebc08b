"""Attributes of a packed state are the newest that were valid from before the cutoff."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from features.state import State
from features.state_attributes import AttributeRow
from tests.features.oracle import NULL, Attributes, Event, attribute_value, day, us
from tests.features.random_logs import random_logs
from tests.features.small_logs import base, event_row, plan_of

VALUES = st.one_of(
    st.sampled_from(["gold", "tin", "", "Gold"]), st.integers(-3_000, 3_000).map(lambda n: n / 2_000), st.just(0)
)
ROWS = st.lists(st.tuples(st.integers(0, 6), st.dictionaries(st.sampled_from(["level", "points"]), VALUES)), max_size=6)
WANTED = (
    base("attribute", None, field="level", value="gold"),
    base("attribute", None, field="level", value=""),
    base("attribute", None, field="points"),
    base("attribute", None, field="no such attribute"),
)
PLAN = plan_of(*WANTED)


def state_of(rows: list[tuple[int, dict[str, object]]]) -> State:
    given_rows = [AttributeRow(valid_from_us=us(day(at)), values=values) for at, values in rows]
    state = State.empty().update([event_row(Event(at=day(0)), 0)]).state.with_attributes(given_rows)
    return State.decode(state.encode())


@random_logs(60)
@given(ROWS, st.integers(1, 7))
def test_attributes_equal_nested_loops(rows: list[tuple[int, dict[str, object]]], cutoff: int) -> None:
    plainly = [Attributes(valid_from=day(at), values=values) for at, values in rows]
    wanted = [attribute_value(plainly, each, day(cutoff)) for each in PLAN.extra]
    assert state_of(rows).answer(PLAN, us(day(cutoff))).base.tolist() == wanted


def test_attributes_by_hand() -> None:
    state = state_of([(2, {"level": "gold", "points": 1.5}), (4, {"level": "tin"}), (4, {"points": -0.0005})])
    found = {at: state.answer(PLAN, us(day(at))).base.tolist() for at in (1, 2, 3, 4, 5)}
    assert found[1] == found[2] == [NULL] * 4  # valid from the cutoff on: not yet
    assert found[3] == found[4] == [1, 0, 1_500, NULL]
    assert found[5] == [NULL, NULL, -1, NULL]  # of two at one time the last given, with all that it has and lacks

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import UsageError
from pipelines.export.decide import ScoredCustomers, choose

NAN = float("nan")


def scored(*customers: tuple[str, float, str]) -> ScoredCustomers:
    return ScoredCustomers(
        customer_ids=np.array([c[0] for c in customers], dtype=object),
        probability=np.array([c[1] for c in customers], dtype=np.float64),
        percentile=np.array([100 * c[1] for c in customers], dtype=np.float64),
        band=np.array([c[2] for c in customers], dtype=object),
    )


def chosen_ids(scores: ScoredCustomers, **options: object) -> list[str]:
    return [scores.customer_ids[i] for i in choose(scores, **options)]  # type: ignore[arg-type]  # options are passed on


def test_only_high_most_valuable_first_unknown_value_last() -> None:
    scores = scored(
        ("a", 0.7, "high"), ("b", 0.99, "high"), ("c", 0.8, "high"), ("d", 0.6, "medium"), ("e", 0.9, "high")
    )
    value = np.array([30.0, NAN, 80.0, 999.0, NAN])
    assert chosen_ids(scores, value_at_risk=value) == ["c", "a", "b", "e"]


def test_without_values_by_probability_then_id() -> None:
    scores = scored(("b", 0.7, "high"), ("a", 0.7, "high"), ("c", 0.8, "high"))
    assert chosen_ids(scores) == ["c", "a", "b"]


def test_equal_value_falls_back_to_probability() -> None:
    scores = scored(("a", 0.7, "high"), ("b", 0.8, "high"))
    assert chosen_ids(scores, value_at_risk=np.array([5.0, 5.0])) == ["b", "a"]


def test_negative_value_comes_before_unknown() -> None:
    scores = scored(("a", 0.9, "high"), ("b", 0.8, "high"))
    assert chosen_ids(scores, value_at_risk=np.array([NAN, -5.0])) == ["b", "a"]


def test_bands_are_a_parameter() -> None:
    scores = scored(("a", 0.9, "high"), ("b", 0.5, "medium"), ("c", 0.1, "low"))
    assert chosen_ids(scores, bands=("medium", "high")) == ["a", "b"]
    assert chosen_ids(scores, bands=("low",)) == ["c"]


def test_nobody_at_risk_is_an_empty_list() -> None:
    assert choose(scored(("a", 0.1, "low"))).tolist() == []
    assert choose(scored()).tolist() == []


def test_unknown_band_suggests_the_known() -> None:
    with pytest.raises(UsageError, match=r"there is no band 'hihg'.*did you mean 'high'"):
        choose(scored(("a", 0.1, "low")), bands=("hihg",))
    with pytest.raises(UsageError, match="hold the band 'urgent'"):
        scored(("a", 0.1, "urgent"))


def test_a_customer_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="1 customers are in the scores more than once"):
        scored(("a", 0.1, "low"), ("a", 0.9, "high"))


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(UsageError, match=r"\[1, 2\] entries"):
        ScoredCustomers(
            customer_ids=np.array(["a", "b"], dtype=object),
            probability=np.array([0.5]),
            percentile=np.array([50.0, 50.0]),
            band=np.array(["low", "low"], dtype=object),
        )
    with pytest.raises(UsageError, match="2 values at risk"):
        choose(scored(("a", 0.1, "low")), value_at_risk=np.array([1.0, 2.0]))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.2, 0.5, 0.9]),
            st.sampled_from(["low", "medium", "high"]),
            st.sampled_from([NAN, 0.0, 5.0, 7.5]),
        ),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_order_of_the_scores_does_not_matter(rows: list[tuple[float, str, float]], shuffler: object) -> None:
    customers = [(f"c{i:02}", p, band, v) for i, (p, band, v) in enumerate(rows)]
    shuffled = list(customers)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' Random

    def run(these: list[tuple[str, float, str, float]]) -> list[str]:
        return chosen_ids(scored(*[c[:3] for c in these]), value_at_risk=np.array([c[3] for c in these]))

    assert run(customers) == run(shuffled)
    assert sorted(run(customers)) == [c[0] for c in customers if c[2] == "high"]

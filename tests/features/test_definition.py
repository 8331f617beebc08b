"""The grammar: names, units and sentences follow from the definition; what does not fit together is refused."""

from __future__ import annotations

import pytest

from features.definition import Family, Feature, Readout, feature_from_dict
from features.errors import UsageError
from tests.features.small_logs import base


def feature(readout: str, *bases: object) -> Feature:
    return Feature(readout=Readout(readout), bases=bases, family=Family.TREND)


SUM_28, COUNT_28, COUNT_91 = base("sum", window=28, field="amount"), base("count", window=28), base("count", window=91)
GAPS = (base("gap_squares"), base("gap_sum"), base("gap_count"))

NAMED = [
    (feature("value", COUNT_28), "purchase_count_28d", "orders"),
    (feature("value", base("count")), "purchase_count_lifetime", "orders"),
    (feature("value", base("count", None, 7)), "event_count_7d", "events"),
    (feature("value", base("lines", window=91)), "purchase_line_count_91d", "rows"),
    (feature("value", SUM_28), "purchase_amount_sum_28d", "money"),
    (
        feature("value", base("sum", "live_watch", 7, "duration_seconds")),
        "live_watch_duration_seconds_sum_7d",
        "seconds",
    ),
    (feature("value", base("active_days", window=91)), "purchase_active_days_91d", "days"),
    (feature("value", base("gap_max")), "purchase_gap_max_days", "days"),
    (feature("age_days", base("last")), "days_since_last_purchase", "days"),
    (feature("age_days", base("first", "view")), "days_since_first_view", "days"),
    (feature("age_days", base("first", None)), "tenure_days", "days"),
    (feature("age_days", base("last", None)), "days_since_last_event", "days"),
    (feature("span_days", base("first"), base("last")), "days_first_to_last_purchase", "days"),
    (feature("ratio", SUM_28, COUNT_28), "purchase_amount_mean_28d", "money per order"),
    (feature("ratio", base("lines", window=28), COUNT_28), "purchase_line_count_per_count_28d", "rows per order"),
    (
        feature("ratio", base("count", "coupon_redeemed", 28), COUNT_28),
        "coupon_redeemed_count_per_purchase_count_28d",
        "events per order",
    ),
    (feature("trend", COUNT_28, COUNT_91), "purchase_count_28d_per_91d", "ratio"),
    (
        feature("share", base("sum", window=91, field="discount"), base("sum", window=91, field="amount")),
        "purchase_discount_share_91d",
        "share",
    ),
    (feature("gap_mean_days", *GAPS[1:]), "purchase_gap_mean_days", "days"),
    (feature("gap_sd_days", *GAPS), "purchase_gap_sd_days", "days"),
    (feature("gap_variation", *GAPS), "purchase_gap_variation", "ratio"),
    (feature("age_per_gap", base("last"), *GAPS[1:]), "purchase_days_since_last_per_gap_mean", "ratio"),
]


@pytest.mark.parametrize(("wanted", "name", "unit"), NAMED, ids=[name for _, name, _ in NAMED])
def test_name_and_unit_follow_from_the_definition(wanted: Feature, name: str, unit: str) -> None:
    assert (wanted.name, wanted.unit) == (name, unit)


@pytest.mark.parametrize("wanted", [wanted for wanted, _, _ in NAMED], ids=[name for _, name, _ in NAMED])
def test_a_feature_survives_json(wanted: Feature) -> None:
    assert feature_from_dict(wanted.to_dict()) == wanted


def test_sentences() -> None:
    assert feature("value", SUM_28).description == "Sum of the amount of purchases in the last 28 days."
    assert feature("ratio", SUM_28, COUNT_28).null_meaning == "no purchases in the last 28 days"
    assert feature("value", SUM_28).null_meaning == ""
    assert feature("age_days", base("last")).null_meaning == "no purchases"
    assert feature("gap_sd_days", *GAPS).null_meaning == "fewer than three purchases in the last 400 days"
    for wanted, _, _ in NAMED:
        assert wanted.description.endswith(".")
        assert wanted.description[0].isupper()


def test_types_of_other_characters_get_distinct_plain_names() -> None:
    names = {feature("value", base("count", kind)).name for kind in ("a b", "a-b", "a_b", "购买", "退货", "a:b", '"')}
    assert len(names) == 7
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in names)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"aggregation": "sum"}, "expected a field"),
        ({"aggregation": "count", "field": "amount"}, "expected no field"),
        ({"aggregation": "sum", "field": "amont"}, "did you mean 'amount'"),
        ({"aggregation": "count", "window": 0}, "1 to 400 days"),
        ({"aggregation": "count", "window": 401}, "1 to 400 days"),
    ],
)
def test_an_aggregate_that_makes_no_sense_is_refused(parts: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        base(**parts)


@pytest.mark.parametrize(
    ("readout", "bases"),
    [
        ("value", [base("last")]),
        ("value", []),
        ("value", [COUNT_28, COUNT_28]),
        ("age_days", [COUNT_28]),
        ("span_days", [base("last"), base("first")]),
        ("share", [COUNT_28, SUM_28]),
        ("trend", [COUNT_28, base("count")]),
        ("gap_sd_days", list(GAPS[::-1])),
    ],
)
def test_a_readout_that_does_not_fit_is_refused(readout: str, bases: list[object]) -> None:
    with pytest.raises(UsageError):
        feature(readout, *bases)


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"readout": "value", "family": "trend", "bases": "count"},
        {"readout": "valu", "family": "trend", "bases": []},
        {"readout": "value", "family": "trend", "bases": [{"aggregation": "count", "window": 7}]},
        {
            "readout": "value",
            "family": "trend",
            "bases": [{"aggregation": "count", "event_type": 3, "field": None, "window_days": None}],
        },
    ],
)
def test_what_is_no_feature_cannot_be_read(parts: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        feature_from_dict(parts)

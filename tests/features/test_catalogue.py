"""The catalogue follows the log: families without events or columns vanish; the whole vocabulary brings them all."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from features.catalogue import WINDOWS, Attribute, Posterior, TypeTraits, catalogue
from features.catalogue.vocabulary import ATTRIBUTES, POSTERIOR, SEASON_DAYS, VOCABULARY
from features.definition import Aggregation, Family, Readout, feature_from_dict
from features.events import EVENT_TYPES, OPTIONAL_COLUMNS

WHOLE = catalogue(VOCABULARY, season_days=SEASON_DAYS, posterior=POSTERIOR, attributes=ATTRIBUTES)
ORDERS = TypeTraits(fields=frozenset({"amount", "order_id"}))
COUPONS = TypeTraits(fields=frozenset({"discount", "order_id"}))
PLAIN = TypeTraits()
NEVER_NULL = {
    *(Aggregation.COUNT, Aggregation.LINES, Aggregation.SUM, Aggregation.PRESENT, Aggregation.ACTIVE_DAYS),
    *(Aggregation.STREAK, Aggregation.DISTINCT, Aggregation.RUNNING_OUT),
}
"""Of nothing they are 0; no family reads any other aggregation that is never null as it is."""


def with_fields(*fields: str, **values: tuple[str, ...]) -> TypeTraits:
    return TypeTraits(fields=frozenset({*fields, *values}), values=values)


def names(**types: TypeTraits) -> set[str]:
    return {feature.name for feature in catalogue(types)}


def families(**types: TypeTraits) -> set[Family]:
    return {feature.family for feature in catalogue(types)}


def test_windows_are_whole_weeks() -> None:
    assert all(days % 7 == 0 for days in WINDOWS)


def test_the_whole_vocabulary_has_every_family_in_a_useful_number() -> None:
    assert {feature.family for feature in WHOLE} == set(Family)
    assert [*dict.fromkeys(feature.family for feature in WHOLE)] == [*Family], "listed family by family"
    assert len(WHOLE) == 441
    assert Counter(feature.family for feature in WHOLE) == {
        Family.RECENCY: 43,
        Family.FREQUENCY: 139,
        Family.MONETARY: 38,
        Family.ENGAGEMENT: 33,
        Family.FUNNEL: 13,
        Family.REGULARITY: 29,
        Family.TREND: 29,
        Family.BREADTH: 11,
        Family.SOCIAL: 6,
        Family.INCENTIVES: 17,
        Family.LIFECYCLE: 52,
        Family.CAMPAIGN: 7,
        Family.SERVICE: 9,
        Family.SATISFACTION: 8,
        Family.SEASON: 2,
        Family.POSTERIOR: 2,
        Family.ATTRIBUTES: 3,
    }


def test_the_whole_vocabulary_is_what_the_log_can_hold() -> None:
    assert set(VOCABULARY) == set(EVENT_TYPES)
    for traits in VOCABULARY.values():
        assert traits.fields <= set(OPTIONAL_COLUMNS)
        assert set(traits.values) <= traits.fields
        assert all(values == tuple(sorted(values)) and values for values in traits.values.values())


def test_every_feature_says_what_it_is() -> None:
    for feature in WHOLE:
        assert feature.unit, feature.name
        assert feature.description.endswith("."), feature.name
        assert feature.description[0].isupper(), feature.name
        assert "  " not in feature.description, feature.name
        plain = feature.readout is Readout.VALUE and feature.bases[0].aggregation in NEVER_NULL
        less = feature.readout is Readout.DIFFERENCE and all(one.aggregation in NEVER_NULL for one in feature.bases)
        assert bool(feature.null_meaning) != (plain or less or feature.readout is Readout.DAY_OF_YEAR), feature.name


def test_no_two_features_have_the_same_name_or_say_the_same() -> None:
    assert len({feature.name for feature in WHOLE}) == len(WHOLE)
    assert len({feature.description for feature in WHOLE}) == len(WHOLE)
    assert len({(feature.readout, feature.bases, feature.parameters) for feature in WHOLE}) == len(WHOLE)


def test_every_feature_survives_json() -> None:
    for feature in WHOLE:
        assert feature_from_dict(json.loads(json.dumps(feature.to_dict()))) == feature, feature.name


def test_a_log_of_purchases_and_coupons_keeps_what_it_always_had_in_that_order() -> None:
    had = (Path(__file__).parent / "names_of_version_1.txt").read_text().split()
    both = with_fields("amount", "discount", "order_id", "item_id")
    now = [feature.name for feature in catalogue({"purchase": both, "coupon_redeemed": COUPONS})]
    assert len(had) == 98
    assert [name for name in now if name in set(had)] == had
    assert set(now) - set(had) == {
        *("purchase_weekday_spread_364d", "purchase_hour_spread_364d", "purchase_weekend_share_364d"),
        *("purchase_distinct_item_last_50", "first_purchase_amount", "first_purchase_discount"),
        "first_purchase_discount_per_amount",
    }


def test_no_money_no_monetary_features() -> None:
    features = catalogue({"login": PLAIN, "purchase": PLAIN})
    assert Family.MONETARY not in {feature.family for feature in features}
    assert not any("amount" in feature.name or "line" in feature.name for feature in features)


def test_the_share_of_discount_needs_both() -> None:
    assert "purchase_discount_share_91d" in names(purchase=with_fields("amount", "discount"))
    assert "purchase_discount_share_91d" not in names(purchase=ORDERS)


def test_lines_need_orders() -> None:
    assert "purchase_line_count_28d" in names(purchase=ORDERS)
    assert "purchase_line_count_28d" not in names(purchase=with_fields("amount"))


def test_the_order_of_the_log_does_not_matter() -> None:
    backwards = dict(reversed(VOCABULARY.items()))
    again = catalogue(backwards, season_days=SEASON_DAYS[::-1], posterior=POSTERIOR, attributes=ATTRIBUTES[::-1])
    assert again == WHOLE


def test_of_two_features_of_one_name_the_first_stays() -> None:
    clash = with_fields(kind=("late",))  # its filtered rows are called like another type's rows
    features = catalogue({"delivered": clash, "delivered_kind_late": PLAIN})
    twice = [feature for feature in features if feature.name == "delivered_kind_late_count_364d"]
    assert [feature.bases[0].event_type for feature in twice] == ["delivered_kind_late"]


def test_a_log_of_one_type_has_no_second_age_of_it() -> None:
    alone = names(gym_visit=PLAIN)
    assert "days_since_last_gym_visit" in alone
    assert not {"days_since_last_event", "days_since_first_gym_visit"} & alone


def test_depth_of_a_type_of_ones_own() -> None:
    own = {name.replace("gym_visit", "login") for name in names(gym_visit=PLAIN, search=PLAIN)}
    assert own == names(login=PLAIN, search=PLAIN)
    assert {"gym_visit_gap_mean_days", "gym_visit_active_days_91d", "gym_visit_count_28d_per_91d"} <= names(
        gym_visit=PLAIN
    )
    assert "gym_visit_count_14d" not in names(gym_visit=PLAIN)
    assert {"order_count_14d", "order_amount_mean_91d", "order_gap_sd_days"} <= names(order=ORDERS)


def test_depth_of_what_happens_seldom() -> None:
    assert names(unsubscribe=PLAIN) == {
        *("days_since_last_unsubscribe", "unsubscribe_count_91d", "unsubscribe_count_lifetime", "tenure_days"),
    }
    assert names(like=PLAIN) == {"days_since_last_like", "like_count_28d", "like_count_91d", "tenure_days"}
    assert names(search=PLAIN) == {
        *("days_since_last_search", "search_count_7d", "search_count_28d", "search_count_91d"),
        *("search_count_28d_per_91d", "search_count_lifetime", "tenure_days"),
    }


def test_traits_are_what_the_fields_say() -> None:
    found = [
        (of.has_amount, of.has_discount, of.has_orders, of.is_rich)
        for of in (TypeTraits(fields=frozenset({name})) for name in ("amount", "discount", "order_id", "item_id"))
    ]
    assert found == [
        (True, False, False, True),
        (False, True, False, True),
        (False, False, True, True),
        (False, False, False, False),
    ]


GENERIC = {Family.RECENCY, Family.FREQUENCY, Family.LIFECYCLE}
NEEDS: list[tuple[Family, dict[str, TypeTraits], dict[str, TypeTraits]]] = [
    (Family.MONETARY, {"purchase": with_fields("amount")}, {"purchase": with_fields("item_id")}),
    (Family.MONETARY, {"purchase": PLAIN, "refund": PLAIN}, {"refund": PLAIN}),
    (Family.ENGAGEMENT, {"view": with_fields("duration_seconds")}, {"view": PLAIN}),
    (Family.ENGAGEMENT, {"live_watch": with_fields("host_id")}, {"live_watch": PLAIN}),
    (Family.ENGAGEMENT, {"message_sent": PLAIN, "message_open": PLAIN}, {"message_sent": PLAIN}),
    (Family.ENGAGEMENT, {"live_interact": with_fields(kind=("vote",))}, {"live_interact": with_fields("kind")}),
    (Family.FUNNEL, {"view": PLAIN, "cart": PLAIN}, {"cart": PLAIN, "search": PLAIN}),
    (Family.FUNNEL, {"favorite": PLAIN, "purchase": PLAIN}, {"favorite": PLAIN, "view": PLAIN}),
    (Family.REGULARITY, {"purchase": PLAIN}, {"unsubscribe": PLAIN}),
    (Family.TREND, {"search": PLAIN}, {"unsubscribe": PLAIN}),
    (Family.BREADTH, {"purchase": with_fields("category")}, {"purchase": PLAIN}),
    (Family.BREADTH, {"search": with_fields("device"), "like": with_fields("device")}, {"like": with_fields("device")}),
    (Family.SOCIAL, {"share": with_fields("related_customer_id")}, {"share": PLAIN}),
    (Family.SOCIAL, {"invite": with_fields(kind=("sent",))}, {"invite": PLAIN}),
    (Family.INCENTIVES, {"coupon_received": PLAIN, "coupon_expired": PLAIN}, {"coupon_received": PLAIN}),
    (Family.INCENTIVES, {"points_earned": with_fields("value")}, {"points_earned": PLAIN}),
    (Family.INCENTIVES, {"checkin": PLAIN}, {"login": PLAIN}),
    (Family.CAMPAIGN, {"purchase": with_fields("campaign_id")}, {"purchase": PLAIN}),
    (Family.CAMPAIGN, {"campaign_exposed": PLAIN, "message_open": PLAIN}, {"campaign_exposed": PLAIN}),
    (Family.SERVICE, {"delivered": with_fields(kind=("late",))}, {"delivered": with_fields(kind=("on_time",))}),
    (Family.SERVICE, {"support_ticket": PLAIN, "ticket_closed": PLAIN}, {"support_ticket": PLAIN}),
    (Family.SATISFACTION, {"survey": with_fields("rating")}, {"survey": with_fields(kind=("nps",))}),
]


@pytest.mark.parametrize(("family", "with_it", "without"), NEEDS)
def test_families_without_events_or_columns_vanish(
    family: Family, with_it: dict[str, TypeTraits], without: dict[str, TypeTraits]
) -> None:
    assert family in families(**with_it)
    assert family not in families(**without)


def test_what_no_event_decides_about_vanishes_unless_it_is_given() -> None:
    assert not {Family.SEASON, Family.POSTERIOR, Family.ATTRIBUTES} & families(**VOCABULARY)
    assert [feature.name for feature in catalogue({}, season_days=(28, 0, 28))] == [
        *("day_of_year", "day_of_year_ahead_28d"),
    ]
    fitted = Posterior(r=1, alpha=2, a=3, b=4, event_type="purchase", horizon_days=14)
    alive, expected = catalogue({}, posterior=fitted)
    assert (alive.name, alive.parameters) == ("p_alive", (1.0, 2.0, 3.0, 4.0))
    assert (expected.name, expected.parameters) == ("purchase_expected_count_14d", (1.0, 2.0, 3.0, 4.0, 14.0))
    known = catalogue({}, attributes=[Attribute(name="tier", values=("silver", "gold")), Attribute(name="age")])
    assert [feature.name for feature in known] == [
        *("attribute_age", "attribute_tier_is_gold", "attribute_tier_is_silver"),
    ]


def test_surveys_are_told_apart_by_kind_only_where_they_have_one() -> None:
    assert "survey_kind_nps_last_rating_364d" in names(survey=with_fields("rating", kind=("nps",)))
    assert "survey_last_rating" not in names(survey=with_fields("rating", kind=("nps",)))
    assert "survey_last_rating" in names(survey=with_fields("rating"))


def test_points_without_losses_are_just_added_up() -> None:
    assert "points_earned_value_sum_lifetime" in names(points_earned=with_fields("value"))
    spent = names(points_earned=with_fields("value"), points_spent=with_fields("value"))
    assert "points_earned_minus_points_spent_value_sum_lifetime" in spent

"""The catalogue follows the log: families without events vanish."""

from __future__ import annotations

from features.catalogue import WINDOWS, TypeTraits, catalogue
from features.definition import Family
from features.events import EVENT_TYPES

ORDERS = TypeTraits(fields=frozenset({"amount", "order_id"}))
COUPONS = TypeTraits(fields=frozenset({"discount", "order_id"}))


def names(**types: TypeTraits) -> set[str]:
    return {feature.name for feature in catalogue(types)}


def test_windows_are_whole_weeks() -> None:
    assert all(days % 7 == 0 for days in WINDOWS)


def test_a_log_of_purchases_and_coupons_has_every_family() -> None:
    features = catalogue({"purchase": ORDERS, "coupon_redeemed": COUPONS})
    assert {feature.family for feature in features} == set(Family)
    assert len(features) == 84
    assert {
        "days_since_last_purchase",
        "days_since_last_event",
        "purchase_count_28d",
        "purchase_amount_sum_91d",
        "purchase_amount_mean_364d",
        "purchase_active_days_91d",
        "purchase_gap_mean_days",
        "purchase_gap_sd_days",
        "purchase_gap_max_days",
        "purchase_days_since_last_per_gap_mean",
        "purchase_count_28d_per_91d",
        "days_first_to_last_purchase",
        "tenure_days",
        "purchase_count_lifetime",
        "coupon_redeemed_discount_sum_28d",
        "coupon_redeemed_count_per_purchase_count_91d",
    } <= {feature.name for feature in features}


def test_no_money_no_monetary_features() -> None:
    features = catalogue({"login": TypeTraits()})
    assert Family.MONETARY not in {feature.family for feature in features}
    assert not any("amount" in feature.name or "line" in feature.name for feature in features)


def test_the_share_of_discount_needs_both() -> None:
    both = TypeTraits(fields=frozenset({"amount", "discount"}))
    assert "purchase_discount_share_91d" in names(purchase=both)
    assert "purchase_discount_share_91d" not in names(purchase=ORDERS)


def test_lines_need_orders() -> None:
    assert "purchase_line_count_28d" in names(purchase=ORDERS)
    assert "purchase_line_count_28d" not in names(purchase=TypeTraits(fields=frozenset({"amount"})))


def test_the_order_of_the_log_does_not_matter() -> None:
    assert catalogue({"purchase": ORDERS, "view": TypeTraits()}) == catalogue(
        {"view": TypeTraits(), "purchase": ORDERS}
    )


def test_a_log_with_every_built_in_type_has_distinct_names() -> None:
    features = catalogue(dict.fromkeys(EVENT_TYPES, TypeTraits(fields=frozenset({"amount", "discount", "order_id"}))))
    assert len({feature.name for feature in features}) == len(features)
    assert {base.event_type for feature in features for base in feature.bases} == {*EVENT_TYPES, None}


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

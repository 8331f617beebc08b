"""Reasons: contributions summed by what a marketer understands, told with the customer's own numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from features.catalogue import TypeTraits, catalogue
from features.catalogue.vocabulary import ATTRIBUTES, POSTERIOR, SEASON_DAYS, VOCABULARY
from features.definition import Aggregation, Base, Family, Feature, Readout, Where
from features.errors import UsageError
from features.events import EVENT_TYPES
from tests.features.worked_names import WORKED
from tests.training.bundle_builders import GAP_COUNT, GAP_SUM, LAST, RECENCY, USUAL_GAP, amount, count, feature
from training.reason_groups import group_of
from training.reason_texts import TEXTS
from training.reasons import Explainer, Reason

NULL = float("nan")
EMAIL = Where(field="channel", value="email")
FIRST = Base(aggregation=Aggregation.FIRST, event_type="purchase")
PER_GAP = feature(Readout.AGE_PER_GAP, LAST, GAP_SUM, GAP_COUNT)
LOG = {**VOCABULARY, "Opened the app!": TypeTraits(), "order": TypeTraits(fields=frozenset({"amount", "order_id"}))}
FEATURES = catalogue(LOG, season_days=SEASON_DAYS, posterior=POSTERIOR, attributes=ATTRIBUTES)


def explain(features: list[Feature], values: list[float], moved: list[float], n: int = 9) -> tuple[Reason, ...]:
    row: NDArray[np.float32] = np.array(values, dtype=np.float32)
    return Explainer(features, currency="USD").reasons(row, np.array([*moved, 0.0]), n=n)


def said(one: Feature, value: float, *others: tuple[Feature, float]) -> str:
    features = [one, *(other for other, _ in others)]
    found = explain(features, [value, *(v for _, v in others)], [1.0] + [0.0] * len(others))
    return found[0].sentence


def test_contributions_are_summed_by_group_and_only_what_raises_the_score_is_given() -> None:
    features = [RECENCY, PER_GAP, USUAL_GAP, feature(Readout.VALUE, count(28)), feature(Readout.VALUE, amount(91))]
    found = explain(features, [43.9, 4.8, 9.2, 0, 120.5], [0.5, 0.5, 0.25, -1.0, 0.75])
    assert [(r.code, r.direction, r.share) for r in found] == [
        ("RECENCY_PURCHASE", "raises", 1.0 / 3),
        ("SPEND_PURCHASE", "raises", 0.25),
        ("RHYTHM_PURCHASE", "raises", 0.25 / 3),
    ]
    assert [r.sentence for r in found] == [
        "No purchase for 43 days; their usual gap is 9 days",
        "Purchases worth 120.50 USD in the last 91 days",
        "Usually 9 days between purchases",
    ]


def test_two_groups_that_come_down_to_one_fact_are_one_reason() -> None:
    features = [feature(Readout.VALUE, count(28)), feature(Readout.RATIO, amount(28), count(28)), RECENCY]
    found = explain(features, [0, NULL, 43.0], [0.5, 0.25, 0.25], n=2)
    assert [(r.code, r.sentence, r.share) for r in found] == [
        ("FREQUENCY_PURCHASE", "No purchases in the last 28 days", 0.5),
        ("RECENCY_PURCHASE", "No purchase for 43 days", 0.25),
    ]


def test_number_and_direction_of_reasons() -> None:
    features = [RECENCY, feature(Readout.VALUE, count(28)), feature(Readout.VALUE, amount(91))]
    row, moved = np.array([1, 2, 3], dtype=np.float32), np.array([0.2, -0.5, 0.3, 7.0])
    explainer = Explainer(features)
    assert [r.code for r in explainer.reasons(row, moved, n=1)] == ["SPEND_PURCHASE"]
    assert explainer.reasons(row, moved, n=0) == ()
    both = explainer.reasons(row, moved, n=3, directions=("raises", "lowers"))
    assert [(r.code, r.direction) for r in both] == [
        ("FREQUENCY_PURCHASE", "lowers"),
        ("SPEND_PURCHASE", "raises"),
        ("RECENCY_PURCHASE", "raises"),
    ]
    assert sum(r.share for r in both) == pytest.approx(1.0)
    assert explainer.reasons(row, np.zeros(4), n=3) == ()
    with pytest.raises(UsageError, match="expected"):
        explainer.reasons(row, moved[:3], n=3)
    with pytest.raises(UsageError, match="'xx'"):
        Explainer(features, language="xx")


@pytest.mark.parametrize(
    ("age", "gap", "expected"),
    [
        (43.9, 9.2, "No purchase for 43 days; their usual gap is 9 days"),
        (43.9, NULL, "No purchase for 43 days"),
        (1.0, NULL, "No purchase for 1 day"),
        (3.5, 9.6, "Last purchase 3 days ago; their usual gap is 10 days"),
        (0.3, NULL, "Last purchase less than a day ago"),
        (5.0, 0.2, "No purchase for 5 days; their usual gap is less than a day"),
        (NULL, NULL, "No purchase yet"),
    ],
)
def test_recency(age: float, gap: float, expected: str) -> None:
    assert said(RECENCY, age, (USUAL_GAP, gap)) == expected


def test_sentences_by_hand() -> None:
    def ratio(top: Base, bottom: Base) -> Feature:
        return feature(Readout.RATIO, top, bottom)

    def value(base: Base) -> Feature:
        return feature(Readout.VALUE, base)

    orders = (value(count(91)), 14.0)
    assert said(value(count(28)), 2, orders) == "2 purchases in the last 28 days, 14 in the last 91 days"
    assert said(value(count(28)), 1, (value(count(91)), 1.0)) == "1 purchase in the last 28 days"
    assert said(value(count(28)), 0, orders) == "No purchases in the last 28 days, 14 in the last 91 days"
    assert said(value(count(None)), 1200) == "1200 purchases so far"
    assert said(value(count(28, None)), 3) == "3 activities in the last 28 days"
    assert said(value(count(28, "coupon_redeemed")), 1) == "1 coupon redemption in the last 28 days"
    assert said(value(amount(None)), 1234.5) == "Purchases worth 1,234.50 USD so far"
    assert said(value(amount(28, "refund")), 12) == "Refunds worth 12.00 USD in the last 28 days"
    assert said(value(amount(28, field="discount")), 3) == "Discounts of 3.00 USD on purchases in the last 28 days"
    mean = ratio(amount(91), count(91))
    assert said(mean, 25.25) == "25.25 USD on average for each purchase in the last 91 days"
    assert said(mean, NULL) == "No purchases in the last 91 days"
    mix = ratio(count(91, "coupon_redeemed"), count(91))
    assert said(mix, 0.25) == "0.25 coupon redemptions for each purchase in the last 91 days"
    share = feature(Readout.SHARE, amount(91, field="discount"), amount(91))
    assert said(share, 0.125) == "Discounts were 12 % of the price of purchases in the last 91 days"
    trend = feature(Readout.TREND, count(28), count(91))
    assert said(trend, 0.4) == "Purchases in the last 28 days run at 40 % of the pace of the last 91 days"
    assert said(trend, NULL) == "No purchases in the last 91 days"
    assert said(feature(Readout.AGE_DAYS, FIRST), 300.7) == "First purchase 300 days ago"
    assert said(feature(Readout.SPAN_DAYS, FIRST, LAST), NULL) == "No purchase yet"
    assert said(USUAL_GAP, NULL) == "Too few purchases to know their rhythm"
    other = Base(aggregation=Aggregation.SUM, event_type="survey", field="rating", window_days=28)
    assert said(value(other), 9) == "Sum of the rating of survey answers in the last 28 days: 9 points"


@pytest.mark.parametrize(
    ("name", "value", "code", "expected"),
    [
        (
            *("message_open_channel_email_count_28d", 3, "FREQUENCY_MESSAGE_OPEN"),
            "Number of opened messages on channel email in the last 28 days: 3",
        ),
        (
            *("purchase_with_campaign_count_91d", 2, "CAMPAIGN_PURCHASE"),
            "Number of rows of purchases with a campaign in the last 91 days: 2",
        ),
        ("checkin_streak_days", 3, "FREQUENCY_CHECKIN", "3 days in a row with check-ins"),
        ("checkin_streak_days", 1, "FREQUENCY_CHECKIN", "1 day in a row with check-ins"),
        ("checkin_streak_days", 0, "FREQUENCY_CHECKIN", "No check-ins today or yesterday"),
        ("level_changed_last_value", 4, "VALUE_LEVEL_CHANGED", "Last value of level changes: 4 units"),
        ("level_changed_last_value", NULL, "VALUE_LEVEL_CHANGED", "No level changes with a value"),
        (
            *("survey_kind_nps_last_rating_364d", NULL, "RATING_SURVEY"),
            "No survey answers of kind nps with a rating in the last 364 days",
        ),
        (
            *("live_watch_distinct_host", 2, "VARIETY_LIVE_WATCH"),
            "Number of different hosts among live streams watched in the last 400 days: 2 hosts",
        ),
        (
            *("coupon_received_running_out_7d", 2, "EXPIRY_COUPON_RECEIVED"),
            "Coupons received running out in the next 7 days: 2",
        ),
        ("first_purchase_amount", 34.5, "BEGINNING_PURCHASE", "Amount of the first purchase: 34.50 USD"),
        (
            "first_purchase_channel_is_app",
            1,
            "BEGINNING_PURCHASE",
            "Whether the first purchase was on channel app: yes",
        ),
        ("first_purchase_channel_is_app", 0, "BEGINNING_PURCHASE", "Whether the first purchase was on channel app: no"),
        ("attribute_age", 34, "ATTRIBUTE_AGE", "Attribute age as known at the cutoff: 34"),
        ("attribute_tier_is_gold", NULL, "ATTRIBUTE_TIER", "The attribute tier was not known"),
        (
            "purchase_gap_max_days",
            80.2,
            "RHYTHM_PURCHASE",
            "The longest time between purchases in the last 400 days was 80 days",
        ),
        (
            *("cart_days_since_unanswered_by_purchase", 3.9, "UNANSWERED_CART"),
            "Last cart addition 3 days ago, with no purchase since",
        ),
        (
            *("cart_days_since_unanswered_by_purchase", NULL, "UNANSWERED_CART"),
            "No cart additions, or a purchase since the last of them",
        ),
        (
            *("days_since_last_message_open_channel_email_91d", 5, "RECENCY_MESSAGE_OPEN_CHANNEL_EMAIL_DA2798"),
            "Days since the last opened message on channel email in the last 91 days: 5 days",
        ),
        (
            *("purchase_weekday_spread_364d", 2.5, "RHYTHM_PURCHASE"),
            "Purchases of the last 364 days spread over 2.5 weekdays",
        ),
        (
            *(
                "coupon_received_minus_coupon_redeemed_minus_coupon_expired_count_lifetime",
                3,
                "BALANCE_COUPON_RECEIVED",
            ),
            "Number of coupons received minus number of coupon redemptions minus number of expired coupons: 3",
        ),
        (
            *("message_open_count_per_message_sent_count_channel_email_28d", NULL, "MIX_MESSAGE_OPEN_PER_MESSAGE_SENT"),
            "No messages sent on channel email in the last 28 days",
        ),
        (
            *("purchase_weekend_share_91d", 0.25, "RHYTHM_PURCHASE"),
            "Share of purchases on a Saturday or Sunday in the last 91 days: 25 %",
        ),
        ("review_mean_rating_91d", 4.25, "RATING_REVIEW", "Mean rating of reviews in the last 91 days: 4.25 points"),
        ("day_of_year", 123, "SEASON", "The time of the year: day 123"),
        ("day_of_year_ahead_14d", 137, "SEASON", "Day of the year 14 days after the cutoff, 1 to 366: 137"),
        ("p_alive", 0.8, "OUTLOOK_PURCHASE", "A probability of 80 % that there will be further purchases"),
        ("p_alive", NULL, "OUTLOOK_PURCHASE", "No purchase yet"),
        ("purchase_expected_count_28d", 0.25, "OUTLOOK_PURCHASE", "Expected purchases in the next 28 days: 0.25"),
    ],
)
def test_codes_and_sentences_of_the_wider_grammar(name: str, value: float, code: str, expected: str) -> None:
    (one,) = (feature for feature, named, *_ in WORKED if named == name)
    assert (group_of(one).code, said(one, value)) == (code, expected)


def test_what_is_looked_up_for_a_sentence_has_no_filter() -> None:
    by_mail = Base(aggregation=Aggregation.LAST, event_type="purchase", window_days=91, where=EMAIL)
    mailed = feature(Readout.AGE_DAYS, by_mail)
    day = Feature(readout=Readout.DAY_OF_YEAR, bases=(), family=Family.SEASON, parameters=(0.0,))
    found = explain([day, mailed, RECENCY], [200, 3.0, 43.0], [0.0, 0.0, 1.0])
    assert [reason.sentence for reason in found] == ["No purchase for 43 days"]


def test_codes() -> None:
    assert group_of(feature(Readout.RATIO, count(91, "coupon_redeemed"), count(91))).code == (
        "MIX_COUPON_REDEEMED_PER_PURCHASE"
    )
    assert group_of(feature(Readout.VALUE, amount(28, "survey", "rating"))).code == "RATING_SURVEY"
    assert group_of(feature(Readout.VALUE, count(28, None))).code == "FREQUENCY_EVENT"
    assert group_of(feature(Readout.TREND, count(28), count(91))).code == "TREND_PURCHASE"
    assert group_of(feature(Readout.AGE_DAYS, FIRST)).code == "TENURE_PURCHASE"


@pytest.mark.parametrize("fill", [0.0, 1.0, 17.3, 1e7, NULL])
def test_every_feature_of_a_log_has_a_code_and_a_sentence_that_shows_no_nan(fill: float) -> None:
    features = FEATURES
    assert len(features) > 450
    assert {feature.family for feature in features} == set(Family)
    explainer = Explainer(features, currency="USD")
    row = np.full(len(features), fill, dtype=np.float32)
    for position, one in enumerate(features):
        moved = np.zeros(len(features) + 1)
        moved[position] = 1.0
        (reason,) = explainer.reasons(row, moved, n=3)
        assert reason.share == 1.0
        assert reason.code.isascii()
        assert reason.code.replace("_", "").isalnum(), reason
        words = reason.sentence.lower().replace(",", " ").replace(";", " ").split()
        assert not {"nan", "none", "inf", "null"} & set(words), (one.name, reason.sentence)
        assert "{" not in reason.sentence
        assert reason.sentence[0] == reason.sentence[0].upper()
        assert len(reason.sentence) < 160


def test_every_language_has_every_word() -> None:
    english = TEXTS["en"]
    for texts in TEXTS.values():
        assert set(texts.nouns) == set(EVENT_TYPES)
        assert texts.templates.keys() == english.templates.keys()

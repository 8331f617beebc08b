"""Features of every kind with the name, unit, null meaning and sentence they should have, worked out by hand."""

from __future__ import annotations

from features.definition import Aggregation, Base, Family, Feature, Readout, Where

__all__ = ["EMAIL", "LAST_CART", "LAST_PURCHASE", "LIFE", "WORKED", "base", "feature"]


def base(aggregation: str, event_type: str | None = "purchase", window: int | None = None, **parts: object) -> Base:
    where = parts.pop("where", None)
    return Base(
        aggregation=Aggregation(aggregation),
        event_type=event_type,
        window_days=window,
        where=Where(field=where[0], value=where[1]) if isinstance(where, tuple) else None,
        **parts,  # type: ignore[arg-type] # the tests name parts of Base
    )


def feature(readout: str, *bases: Base, parameters: tuple[float, ...] = ()) -> Feature:
    return Feature(readout=Readout(readout), bases=bases, family=Family.TREND, parameters=parameters)


EMAIL, NPS, LATE = ("channel", "email"), ("kind", "nps"), ("kind", "late")
LAST_CART, LAST_PURCHASE = base("last", "cart"), base("last")
LIFE = (base("count"), base("first"), base("last"))
SENT = base("lines", "message_sent", 28, where=EMAIL)
OPEN = base("lines", "message_open", 28, where=EMAIL)

WORKED = [
    (
        feature("value", OPEN),
        "message_open_channel_email_count_28d",
        "events",
        "",
        "Number of opened messages on channel email in the last 28 days.",
    ),
    (
        feature("value", base("lines", window=28, where=("source", "ads"))),
        "purchase_source_ads_count_28d",
        "rows",
        "",
        "Number of rows of purchases from source ads in the last 28 days.",
    ),
    (
        feature("value", base("lines", window=28)),
        "purchase_line_count_28d",
        "rows",
        "",
        "Number of rows of purchases in the last 28 days.",
    ),
    (
        feature("value", base("count", "session", 1)),
        "session_count_1d",
        "events",
        "",
        "Number of visits in the last day.",
    ),
    (
        feature("value", base("present", window=91, field="campaign_id")),
        "purchase_with_campaign_count_91d",
        "rows",
        "",
        "Number of rows of purchases with a campaign in the last 91 days.",
    ),
    (
        feature("value", base("streak", "checkin")),
        "checkin_streak_days",
        "days",
        "",
        "Number of days in a row with check-ins, up to the cutoff's day or the one before.",
    ),
    (
        feature("value", base("last_number", "level_changed", field="value")),
        "level_changed_last_value",
        "units",
        "no level changes with a value",
        "Last value of level changes.",
    ),
    (
        feature("value", base("last_number", "survey", 364, field="rating", where=NPS)),
        "survey_kind_nps_last_rating_364d",
        "points",
        "no survey answers of kind nps with a rating in the last 364 days",
        "Last rating of survey answers of kind nps in the last 364 days.",
    ),
    (
        feature("value", base("distinct", field="item_id", last_lines=50)),
        "purchase_distinct_item_last_50",
        "items",
        "",
        "Number of different items among purchases in the last 50 rows of the last 400 days.",
    ),
    (
        feature("value", base("distinct", None, 28, field="session_id")),
        "event_distinct_session_28d",
        "visits",
        "",
        "Number of different visits among events in the last 28 days.",
    ),
    (
        feature("value", base("distinct", "live_watch", field="host_id")),
        "live_watch_distinct_host",
        "hosts",
        "",
        "Number of different hosts among live streams watched in the last 400 days.",
    ),
    (
        feature("value", base("running_out", "coupon_received", 7, field="duration_seconds")),
        "coupon_received_running_out_7d",
        "events",
        "",
        "Number of coupons received that run out in the next 7 days.",
    ),
    (
        feature("value", base("first_order_sum", field="amount")),
        "first_purchase_amount",
        "money",
        "no purchases",
        "Amount of the first purchase.",
    ),
    (
        feature("value", base("first_order_is", field="channel", value="app")),
        "first_purchase_channel_is_app",
        "1 or 0",
        "no purchases, or no channel of the first",
        "Whether the first purchase was on channel app.",
    ),
    (
        feature("value", base("attribute", None, field="age")),
        "attribute_age",
        "as recorded",
        "the attribute age was not known",
        "Attribute age as known at the cutoff.",
    ),
    (
        feature("value", base("attribute", None, field="tier", value="gold")),
        "attribute_tier_is_gold",
        "1 or 0",
        "the attribute tier was not known",
        "Whether the attribute tier is gold.",
    ),
    (
        feature("value", base("gap_max")),
        "purchase_gap_max_days",
        "days",
        "fewer than two purchases in the last 400 days",
        "Longest time in days between consecutive purchases in the last 400 days.",
    ),
    (
        feature("value", base("weekend", window=91)),
        "purchase_weekend_count_91d",
        "orders",
        "",
        "Number of purchases on a Saturday or Sunday in the last 91 days.",
    ),
    (
        feature("age_unanswered", LAST_CART, LAST_PURCHASE),
        "cart_days_since_unanswered_by_purchase",
        "days",
        "no cart additions, or a purchase since the last of them",
        "Days since the last cart addition, with no purchase since.",
    ),
    (
        feature("age_days", base("last", "message_open", 91, where=EMAIL)),
        "days_since_last_message_open_channel_email_91d",
        "days",
        "no opened messages on channel email in the last 91 days",
        "Days since the last opened message on channel email in the last 91 days.",
    ),
    (
        feature("spread", base("count", window=364), base("weekday_squares", window=364)),
        "purchase_weekday_spread_364d",
        "weekdays",
        "no purchases in the last 364 days",
        "Over how many weekdays the purchases in the last 364 days spread: 1 is always the same, 7 is all alike.",
    ),
    (
        feature("spread", base("count", window=364), base("hour_squares", window=364)),
        "purchase_hour_spread_364d",
        "hours of the day",
        "no purchases in the last 364 days",
        (
            "Over how many hours of the day the purchases in the last 364 days spread: 1 is always the same, "
            "24 is all alike."
        ),
    ),
    (
        feature("difference", *(base("count", f"coupon_{what}") for what in ("received", "redeemed", "expired"))),
        "coupon_received_minus_coupon_redeemed_minus_coupon_expired_count_lifetime",
        "events",
        "",
        "Number of coupons received minus number of coupon redemptions minus number of expired coupons.",
    ),
    (
        feature("difference", base("sum", window=91, field="amount"), base("sum", window=91, field="discount")),
        "purchase_amount_sum_91d_minus_purchase_discount_sum_91d",
        "money",
        "",
        "Sum of the amount of purchases minus sum of the discount of purchases in the last 91 days.",
    ),
    (
        feature("ratio", OPEN, SENT),
        "message_open_count_per_message_sent_count_channel_email_28d",
        "ratio",
        "no messages sent on channel email in the last 28 days",
        (
            "Number of opened messages on channel email divided by the number of messages sent on channel email "
            "in the last 28 days."
        ),
    ),
    (
        feature("ratio", base("lines", "delivered", 91, where=LATE), base("lines", "delivered", 91)),
        "delivered_kind_late_share_91d",
        "share",
        "no deliveries in the last 91 days",
        "Share of rows of deliveries of kind late among all deliveries in the last 91 days.",
    ),
    (
        feature("ratio", base("weekend", window=91), base("count", window=91)),
        "purchase_weekend_share_91d",
        "share",
        "no purchases in the last 91 days",
        "Share of purchases on a Saturday or Sunday in the last 91 days.",
    ),
    (
        feature("ratio", base("top", "view", 91, field="category"), base("present", "view", 91, field="category")),
        "view_top_category_share_91d",
        "share",
        "no page views with a category in the last 91 days",
        "Share of page views with the most frequent category in the last 91 days.",
    ),
    (
        feature("ratio", base("sum", "review", 91, field="rating"), base("present", "review", 91, field="rating")),
        "review_mean_rating_91d",
        "points",
        "no reviews with a rating in the last 91 days",
        "Mean rating of reviews in the last 91 days.",
    ),
    (
        feature("ratio", base("first_order_sum", field="discount"), base("first_order_sum", field="amount")),
        "first_purchase_discount_per_amount",
        "ratio",
        "no purchases, or the amount of the first purchase is 0",
        "Discount of the first purchase divided by the amount of the first purchase.",
    ),
    (
        feature("ratio", base("count", window=28), base("count", window=91)),
        "purchase_count_per_count_28d_per_91d",
        "ratio",
        "no purchases in the last 91 days",
        "Number of purchases in the last 28 days divided by the number of purchases in the last 91 days.",
    ),
    (
        feature("day_of_year", parameters=(0.0,)),
        "day_of_year",
        "day of the year",
        "",
        "Day of the year of the cutoff, 1 to 366.",
    ),
    (
        feature("day_of_year", parameters=(14.0,)),
        "day_of_year_ahead_14d",
        "day of the year",
        "",
        "Day of the year 14 days after the cutoff, 1 to 366.",
    ),
    (
        feature("p_alive", *LIFE, parameters=(0.5, 30, 0.5, 2)),
        "p_alive",
        "probability",
        "no purchases",
        "Probability that there will be further purchases, by the fitted MBG/NBD model.",
    ),
    (
        feature("expected_orders", *LIFE, parameters=(0.5, 30, 0.5, 2, 28)),
        "purchase_expected_count_28d",
        "orders",
        "no purchases",
        "Expected number of purchases in the next 28 days, by the fitted MBG/NBD model.",
    ),
]

"""Names, units, null meanings and sentences follow from the definition, are distinct, and stay readable."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import product

import pytest

from features.catalogue import catalogue
from features.catalogue.vocabulary import ATTRIBUTES, POSTERIOR, SEASON_DAYS, VOCABULARY
from features.definition import Aggregation, Base, Feature, Where
from features.errors import UsageError
from features.naming import slug
from features.naming_base import value_slug
from features.naming_phrase import windows_text
from features.naming_ratio import ratio_name
from tests.features.worked_names import EMAIL, LAST_CART, LAST_PURCHASE, LIFE, WORKED, base, feature


@pytest.mark.parametrize(("wanted", "name", "unit", "null", "text"), WORKED, ids=[name for _, name, *_ in WORKED])
def test_worked_by_hand(wanted: Feature, name: str, unit: str, null: str, text: str) -> None:
    assert (wanted.name, wanted.unit, wanted.null_meaning, wanted.description) == (name, unit, null, text)


def test_names_of_the_whole_catalogue_are_lower_snake_case_of_a_readable_length() -> None:
    for one in catalogue(VOCABULARY, season_days=SEASON_DAYS, posterior=POSTERIOR, attributes=ATTRIBUTES):
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", one.name), one.name
        assert len(one.name) <= 75, one.name


def test_a_filter_never_collides_with_the_whole() -> None:
    aggregates = [
        (aggregation, base(aggregation, window=28, field=field), base(aggregation, window=28, field=field, where=EMAIL))
        for aggregation, field in [
            *(("lines", None), ("sum", "amount"), ("present", "amount"), ("present", "item_id"), ("streak", None)),
            *(("active_days", None), ("last_number", "rating"), ("distinct", "item_id"), ("top", "item_id")),
            ("running_out", "duration_seconds"),
        ]
    ]
    for aggregation, whole, part in aggregates:
        assert feature("value", whole).name != feature("value", part).name, aggregation
        assert feature("value", part).name != feature("value", base("count", window=28)).name, aggregation


@pytest.mark.parametrize(
    "texts",
    [("E-Mail", "e-mail", "e_mail", "e mail"), ("微信", "短信", "", " "), ("x" * 41, "x" * 40 + "y", "x" * 10_000)],
)
def test_values_that_look_alike_get_distinct_names(texts: tuple[str, ...]) -> None:
    made = {feature("value", base("lines", window=7, where=("channel", text))).name for text in texts}
    assert len(made) == len(texts)
    for name in made:
        assert re.fullmatch(r"[a-z0-9_]+", name)
        assert len(name) < 90


def test_a_hash_only_where_it_is_needed() -> None:
    assert (value_slug("on_time"), slug("Checkout_2")) == ("on_time", "Checkout_2")
    assert re.fullmatch(r"on_time_[0-9a-f]{6}", value_slug("On Time"))
    assert re.fullmatch(r"x{60}_[0-9a-f]{6}", slug("x" * 10_000))
    assert slug("x" * 60) == "x" * 60


def test_a_sentence_shows_odd_values_on_one_short_line() -> None:
    odd = "a|b\n`c`" + "d" * 10_000
    text = feature("value", base("lines", "click", 7, where=("device", odd))).description
    assert text.startswith("Number of clicks on device a b c d")
    assert len(text) < 100
    assert not set(text) & {"|", "`", "\n"}


def test_readouts_of_unlike_aggregates_are_told_apart() -> None:
    count, squares = base("count", window=364), base("weekday_squares", window=364)
    alike = [
        feature("spread", count, squares),
        feature("spread", count, base("hour_squares", window=364)),
        feature("share", base("sum", field="discount"), base("sum", field="amount")),
        feature("share", base("sum", field="discount"), base("sum", "refund", field="amount")),
        feature("ratio", base("sum", window=28, field="amount"), base("count", window=28)),
        feature("ratio", base("sum", window=28, field="amount"), base("count", window=91)),
        feature("ratio", base("sum", window=28, field="amount"), base("present", window=28, field="amount")),
        feature("trend", count, base("count", "view", 364)),
        feature("trend", count, count),
        feature("age_unanswered", LAST_CART, LAST_PURCHASE),
        feature("age_unanswered", base("first", "cart"), LAST_PURCHASE),
        feature("age_unanswered", LAST_CART, base("first")),
        feature("age_unanswered", base("last", "cart", 91), LAST_PURCHASE),
        feature("p_alive", *LIFE, parameters=(1, 1, 1, 1)),
    ]
    assert len({one.name for one in alike}) == len(alike)
    assert alike[0].name == "purchase_weekday_spread_364d"


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (base("count", window=28), "28 days"),
        (base("count"), "lifetime"),
        (base("gap_sum"), "400 days"),
        (base("distinct", field="item_id", last_lines=50), "last 50 rows"),
        (base("running_out", "coupon_received", 7, field="duration_seconds"), "next 7 days"),
        (base("attribute", None, field="age"), ""),
        (base("first_order_sum", field="amount"), "lifetime"),
    ],
)
def test_window_in_a_table(of: Base, text: str) -> None:
    assert windows_text([of, of]) == text


def test_windows_of_a_feature_that_looks_at_several_or_none() -> None:
    assert windows_text([base("last"), base("gap_sum"), base("gap_count")]) == "lifetime, 400 days"
    assert windows_text([]) == ""


def test_no_two_ratios_have_the_same_name() -> None:
    fields = (None, "amount", "item_id")
    filters = (None, Where(field="channel", value="email"))
    bases = []
    for aggregation, kind, field, window, where in product(
        Aggregation, ("purchase", "view", None), fields, (None, 28, 91), filters
    ):
        with suppress(UsageError):
            bases.append(base(aggregation, kind, window, field=field, where=where and (where.field, where.value)))
    numbers = [of for of in bases if of.aggregation not in {Aggregation.FIRST, Aggregation.LAST}]
    assert len(numbers) > 180
    assert len({ratio_name(top, bottom) for top in numbers for bottom in numbers}) == len(numbers) ** 2

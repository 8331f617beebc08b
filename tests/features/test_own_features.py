"""A project's own features: known, unknown, twice, and what a log lacks for them."""

from __future__ import annotations

import pytest

from features.catalogue import Attribute, TypeTraits, catalogue
from features.definition import Aggregation, Base, Family, Feature, Readout, Where
from features.errors import ConfigError
from features.own_features import OwnFeatures, undeclared, with_own
from features.plan import compile_plan

BOOKED = TypeTraits(fields=frozenset({"quantity", "device"}), values={"device": ("app", "web")})
LOG = {"purchase": TypeTraits(fields=frozenset({"amount"})), "table_booked": BOOKED}
LISTED = catalogue(LOG, attributes=[Attribute(name="age"), Attribute(name="tier", values=("gold",))])


def rows(event_type: str | None, *, where: Where | None = None, days: int = 30) -> Base:
    return Base(aggregation=Aggregation.LINES, event_type=event_type, window_days=days, where=where)


def on(device: str) -> Where:
    return Where(field="device", value=device)


def value(base: Base, family: Family = Family.ENGAGEMENT) -> Feature:
    return Feature(readout=Readout.VALUE, bases=(base,), family=family)


def reason(*bases: Base, types: dict[str, TypeTraits] = LOG, declared: tuple[str, ...] = ()) -> str:
    """Why a feature is left out; empty if it is not."""
    feature = Feature(readout=Readout.RATIO if len(bases) > 1 else Readout.VALUE, bases=bases, family=Family.FUNNEL)
    found = with_own(LISTED, OwnFeatures(features=(feature,), event_types=declared), types)
    assert found.features == (*LISTED, *(() if found.left_out else (feature,)))
    assert [one.name for one in found.left_out] in ([], [feature.name])
    return found.left_out[0].reason if found.left_out else ""


def test_nothing_of_the_projects_own_changes_nothing() -> None:
    assert with_own(LISTED, OwnFeatures(event_types=("gift",)), LOG).features == LISTED


def test_own_features_stand_behind_the_catalogue_whatever_their_order_and_change_the_fingerprint() -> None:
    one, other = value(rows("table_booked")), value(rows("purchase"))
    found = [with_own(LISTED, OwnFeatures(features=order), LOG).features for order in ((one, other), (other, one))]
    assert found[0] == found[1] == (*LISTED, other, one)
    prints = {compile_plan(features, timezone="UTC").fingerprint for features in (LISTED, found[0], (*LISTED, one))}
    assert len(prints) == 3


def test_an_event_type_that_nobody_knows_is_refused_with_the_nearest_of_all_features_at_once() -> None:
    features = (value(rows("table_boked")), value(rows("brunch")), value(rows("veiw")), value(rows(None)))
    with pytest.raises(ConfigError) as caught:
        with_own(LISTED, OwnFeatures(source="f.toml", features=features), LOG)
    assert caught.value.exit_code == 2
    found = "is neither built in, nor declared in event_types, nor in the log"
    assert caught.value.problems == (
        f"feature table_boked_line_count_30d: the event type 'table_boked' {found}; did you mean 'table_booked'?",
        f"feature brunch_line_count_30d: the event type 'brunch' {found}; declare it in event_types if it is yours",
        f"feature veiw_line_count_30d: the event type 'veiw' {found}; did you mean 'view' or 'review'?",
    )


def test_an_event_type_is_known_if_it_is_built_in_or_declared_or_in_the_log() -> None:
    assert reason(rows("view")) == "the log has no 'view' events"
    assert reason(rows("brunch"), declared=("brunch",)) == "the log has no 'brunch' events"
    assert reason(rows("table_booked")) == ""
    assert reason(rows("table_booked"), rows("view")) == "the log has no 'view' events"


def test_a_field_that_no_row_of_the_type_has() -> None:
    def total(event_type: str | None, field: str) -> Base:
        return Base(aggregation=Aggregation.SUM, event_type=event_type, field=field, window_days=30)

    assert reason(total("table_booked", "quantity")) == ""
    assert reason(total("table_booked", "amount")) == "no 'table_booked' event of the log has an amount"
    assert reason(total(None, "amount")) == ""
    assert reason(total(None, "rating")) == "no event of the log has a rating"
    assert reason(rows("purchase", where=on("app"))) == "no 'purchase' event of the log has a device"


def test_a_value_that_no_row_has_unless_the_log_cannot_tell() -> None:
    assert reason(rows("table_booked", where=on("app"))) == ""
    gone = "no 'table_booked' event of the log has the device 'ap'; did you mean 'app'?"
    assert reason(rows("table_booked", where=on("ap"))) == gone
    assert reason(rows("table_booked", where=on("x" * 65))) == "", "too long to be kept"
    many = TypeTraits(fields=frozenset({"device"}), values={"device": tuple("abcdefghijkl")})
    assert reason(rows("table_booked", where=on("ap")), types={"table_booked": many}) == "", "one of the rarer ones"
    first = Base(aggregation=Aggregation.FIRST_ORDER_IS, event_type="table_booked", field="device", value="tv")
    assert reason(first) == "no 'table_booked' event of the log has the device 'tv'"


def test_attributes_are_those_among_the_features_number_or_text() -> None:
    def attribute(name: str, text: str | None = None) -> Base:
        return Base(aggregation=Aggregation.ATTRIBUTE, event_type=None, field=name, value=text)

    assert reason(attribute("tier", "silver")) == ""
    assert reason(attribute("teir", "x")) == (
        "no attribute 'teir' that is a text is among the features; did you mean 'tier'?"
    )
    assert reason(attribute("tier")) == "no attribute 'tier' that is a number is among the features"
    assert reason(attribute("age"), rows("purchase")) == ""


def test_a_feature_of_the_catalogue_stays_the_catalogues() -> None:
    listed = {feature.name: feature for feature in LISTED}
    twin = value(listed["purchase_count_7d"].bases[0], Family.SOCIAL)
    assert twin.name == "purchase_count_7d"
    found = with_own(LISTED, OwnFeatures(features=(twin,)), LOG)
    assert found.features == LISTED
    assert found.left_out[0].reason == "the catalogue has it already"


def test_another_feature_of_the_same_name_is_left_out_and_said_so() -> None:
    odd = value(Base(aggregation=Aggregation.LINES, event_type="a_kind_b", window_days=7, where=None))
    clash = value(
        Base(aggregation=Aggregation.LINES, event_type="a", window_days=7, where=Where(field="kind", value="b_line"))
    )
    assert odd.name == clash.name
    types = {"a_kind_b": TypeTraits(), "a": TypeTraits(fields=frozenset({"kind"}), values={"kind": ("b_line",)})}
    found = with_own((odd,), OwnFeatures(features=(clash,)), types)
    assert found.features == (odd,)
    assert found.left_out[0].reason == "the catalogue has another feature of this name"


def test_types_of_the_log_are_only_warned_about_where_the_project_declares_its_own() -> None:
    log = ["tabel_booked", "view", "table_booked", "zzz"]
    assert list(undeclared(OwnFeatures(), log)) == []
    told = "events, which are neither built in nor declared in f.toml"
    assert list(undeclared(OwnFeatures(source="f.toml", event_types=("table_booked",)), log)) == [
        f"the log has 'tabel_booked' {told}; did you mean 'table_booked'?",
        f"the log has 'zzz' {told}",
    ]

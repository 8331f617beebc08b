"""Plans: columns, positions, and a fingerprint that changes with whatever changes a value, and with nothing else."""

from __future__ import annotations

import json

import pytest

from features import plan as plan_module
from features.catalogue import TypeTraits, catalogue
from features.definition import Family, Feature, Readout, feature_from_dict
from features.errors import CutoffError, UsageError
from features.plan import compile_plan
from tests.features.small_logs import base, plan_of

FEATURES = catalogue({"purchase": TypeTraits(fields=frozenset({"amount", "order_id"})), "view": TypeTraits()})
PLAN = compile_plan(FEATURES, timezone="UTC")


def test_a_base_aggregate_is_computed_once() -> None:
    assert len(set(PLAN.base)) == len(PLAN.base) < sum(len(feature.bases) for feature in FEATURES)
    assert PLAN.event_types == ("purchase", "view")


def test_extra_aggregates_come_last_and_are_found() -> None:
    wanted = base("count", "purchase", 60)
    plan = compile_plan(FEATURES, timezone="UTC", extra=[wanted, PLAN.base[3]])
    assert plan.base == (*PLAN.base, wanted)
    assert plan.extra == (wanted, PLAN.base[3])
    assert [plan.base_index(found) for found in plan.extra] == [0, 1]
    assert plan.kept.tolist() == [len(PLAN.base), 3]
    with pytest.raises(UsageError, match="pass it as `extra`"):
        PLAN.base_index(wanted)


def test_the_fingerprint_covers_the_features_only() -> None:
    assert compile_plan(FEATURES, timezone="UTC", extra=[base("count", "login")]).fingerprint == PLAN.fingerprint


def test_the_fingerprint_survives_json() -> None:
    read = [feature_from_dict(json.loads(json.dumps(feature.to_dict()))) for feature in FEATURES]
    assert compile_plan(read, timezone="UTC").fingerprint == PLAN.fingerprint


def test_the_family_changes_no_value() -> None:
    moved = [Feature(readout=f.readout, bases=f.bases, family=Family.TREND) for f in FEATURES]
    assert compile_plan(moved, timezone="UTC").fingerprint == PLAN.fingerprint


def test_the_fingerprint_changes_with_everything_that_changes_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Feature(readout=Readout.VALUE, bases=(base("count", window=28),), family=Family.FREQUENCY)
    others = [
        Feature(readout=Readout.VALUE, bases=(base("count", window=27),), family=Family.FREQUENCY),
        Feature(readout=Readout.VALUE, bases=(base("lines", window=28),), family=Family.FREQUENCY),
        Feature(readout=Readout.VALUE, bases=(base("count", "view", 28),), family=Family.FREQUENCY),
        Feature(readout=Readout.VALUE, bases=(base("sum", window=28, field="amount"),), family=Family.FREQUENCY),
        Feature(readout=Readout.VALUE, bases=(base("sum", window=28, field="rating"),), family=Family.FREQUENCY),
    ]
    fingerprints = [compile_plan([feature], timezone="UTC").fingerprint for feature in (one, *others)]
    fingerprints += [
        compile_plan([one, others[0]], timezone="UTC").fingerprint,
        compile_plan([others[0], one], timezone="UTC").fingerprint,
        compile_plan([one], timezone="Europe/Berlin").fingerprint,
        compile_plan([one], timezone="UTC", max_events=8).fingerprint,
    ]
    monkeypatch.setattr(plan_module, "KERNEL_VERSION", 0)
    fingerprints.append(compile_plan([one], timezone="UTC").fingerprint)
    assert len(set(fingerprints)) == len(fingerprints)


def test_two_features_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two features are called purchase_count_28d"):
        compile_plan(
            [Feature(readout=Readout.VALUE, bases=(base("count", window=28),), family=f) for f in Family],
            timezone="UTC",
        )


def test_impossible_limits_and_zones_are_refused() -> None:
    with pytest.raises(UsageError, match="at least 1"):
        plan_of(base("count"), max_events=0)
    with pytest.raises(CutoffError, match="no time zone"):
        plan_of(base("count"), timezone="Atlantis")


def test_a_plan_without_features_is_empty() -> None:
    plan = compile_plan([], timezone="UTC")
    assert (plan.feature_names, plan.base, plan.event_types) == ((), (), ())

from __future__ import annotations

from datetime import timedelta

from tests.training.panel_builders import START, simulated, target
from training.labels import TargetKind
from training.readiness import Check, log_checks, target_checks


def by_what(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.what: check for check in checks}


def test_a_good_log_needs_nothing() -> None:
    panel = simulated(customers=400, cutoffs=20)
    checks = target_checks(
        panel.target,
        first_event=START,
        cutoff=START + timedelta(days=28 + 19 * 7 + 28),
        event_types=["purchase"],
        panel=panel,
    )
    assert [check.ok for check in checks] == [True] * len(checks)
    assert {check.remedy for check in checks} == {""}
    found = by_what(checks)
    assert found["churn: days of history"].found == "189"
    assert found["churn: days of history"].needed == "at least 63; 112 to calibrate on later cutoffs"
    assert found["churn: labelled rows before the test"].found == "6,400"
    last = panel.labels[panel.cutoff_us == panel.cutoff_us.max()]
    assert found["churn: with the outcome at the test"].found == f"{int(last.sum())}"
    assert found["churn: without the outcome at the test"].found == f"{int(400 - last.sum())}"


def test_every_lack_is_named_with_a_remedy() -> None:
    coupons = target(TargetKind.CONVERSION, name="conversion", event_types=("coupon_redeemed",), eligible=("purchase",))
    cutoff = START + timedelta(days=40)
    checks = target_checks(coupons, first_event=START, cutoff=cutoff, event_types=["purchase"], panel=None)
    found = by_what(checks)
    assert found["conversion: event types"].remedy == "map a table to event_type 'coupon_redeemed'"
    assert found["conversion: event types"].found == "purchase"
    assert (found["conversion: days of history"].found, found["conversion: days of history"].ok) == ("40", False)
    assert "[targets.conversion]" in found["conversion: days of history"].remedy
    assert found["conversion: labelled rows"].ok is False


def test_an_empty_log() -> None:
    events, customers = log_checks(events=0, customers=0)
    assert (events.ok, customers.ok) == (False, False)
    assert events.remedy == "run `ebbtide ingest`"
    history = target_checks(target(), first_event=None, cutoff=START, event_types=[], panel=None)[1]
    assert (history.found, history.ok) == ("0", False)

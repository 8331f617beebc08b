"""Everything that is wrong with a simulation's arguments, at once, before anything is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from features.errors import ConfigError
from pipelines.simulate import PRESETS, make_plan
from pipelines.simulate.arguments import plan_from_dict
from pipelines.simulate.world import (
    Campaigns,
    Coupons,
    Customers,
    Fault,
    Funnel,
    Levels,
    Live,
    Messages,
    Season,
    States,
)
from tests.pipelines.simulate.test_folder import ebbtide


def problems(preset: object = "marketplace", **arguments: object) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        make_plan(preset, **({"customers": 10, "days": 30} | arguments))  # type: ignore[arg-type]
    return caught.value.problems


def test_all_at_once() -> None:
    found = problems(
        "marketplase",
        customers=0,
        days=0,
        seed=-1,
        start="2023-13-01",
        inject=["concpt@2023-01-05:1", "stops.veiw@2023-01-05:1", "season"],
        late=-0.1,
        duplicates=float("nan"),
        dirty=0.9,
        truth_every=-1,
    )
    text = "\n".join(found)
    for part in (
        "did you mean 'marketplace'?",
        "--customers 0; expected 1",
        "--days 0; expected 1",
        "--seed -1",
        "--start '2023-13-01' is not a date",
        "did you mean 'concept'?",
        "did you mean 'view'",
        "expected NAME@DATE:STRENGTH",
        "--late -0.1; expected a share",
        "--duplicates nan",
        "--dirty 0.9",
        "--truth-every -1",
    ):
        assert part in text
    assert len(found) == 12


def test_dates() -> None:
    assert problems(days=None, end="2022-12-01") == ("--end 2022-12-01 is not after --start 2023-01-01",)
    assert problems(days=None) == ("expected either --days or --end",)
    assert problems(end="2023-02-01") == ("expected either --days or --end",)
    assert "after today" in problems(today=date(2023, 1, 20))[0]
    assert "expected 1971" in problems(start="1960-01-01")[0]
    assert make_plan("gifts", customers=1, end="2023-01-31").days == 30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stops@2022-12-31:1", "2022-12-31 is outside the log, 2023-01-01 to 2023-01-30"),
        ("stops@2023-01-31:1", "outside"),
        ("stops@2023-01-05:1.5", "not a number from 0 to 1"),
        ("concept@2023-01-05:9", "not a number from 0 to 5"),
        ("concept@2023-01-05:nan", "not a number"),
        ("loses.purchase@2023-01-05:1", "takes 2 names"),
        ("loses.purchase.amonut@2023-01-05:1", "did you mean 'amount'"),
        ("concept.view@2023-01-05:1", "takes 0 names"),
        ("season@soon:1", "'soon' is not a date"),
    ],
)
def test_injections(text: str, message: str) -> None:
    found = problems(inject=[text])
    assert len(found) == 1
    assert message in found[0]
    assert text in found[0]


def test_a_bg_nbd_world_has_nothing_to_shift() -> None:
    for kind in ("concept", "covariate", "season"):
        assert "pure BG/NBD" in problems("bg-nbd", inject=[f"{kind}@2023-01-05:1"])[0]
    assert make_plan("bg-nbd", customers=5, days=30, inject=["stops.purchase@2023-01-05:1"]).injections


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"states": States(to_dormant=-0.1)}, "states.to_dormant = -0.1; expected a chance"),
        ({"states": States(start=(0.5, 0.5, 0.5))}, "states.start sums to 1.5"),
        ({"customers": Customers(visits_a_day=0.0)}, "visits_a_day = 0; expected more than 0"),
        ({"customers": Customers(conversion=1.0)}, "customers.conversion = 1"),
        ({"customers": Customers(visits_a_day=float("inf"))}, "expected a finite number"),
        ({"customers": Customers(refund_days=(9, 3))}, "refund_days"),
        ({"season": Season(yearly_amplitude=1.5)}, "yearly_amplitude = 1.5"),
        ({"season": Season(weekday=(1.0,))}, "other lengths"),
        ({"coupons": Coupons(every_days=7, valid_days=9)}, "valid_days up to every_days"),
        ({"levels": Levels(lag_days=30)}, "no multiples"),
        ({"levels": Levels(thresholds=(5.0, 1.0, 9.0))}, "do not rise"),
        ({"campaigns": Campaigns(shares=(0.5, 0.5, 0.5))}, "shares sum to 1.5"),
        ({"campaigns": Campaigns(window_days=60)}, "do not overlap"),
        ({"campaigns": Campaigns(arms=("holdout", "fax", "coupon"))}, "'fax'"),
        ({"live": Live(host_conversion=(0.5, 0.1))}, "lowest is above"),
        ({"messages": Messages(channels=("pigeon",), every_days=(7,), opt_in=(0.5,))}, "pigeon"),
        (
            {"funnel": Funnel(faults=(Fault(step="cart", page="x", device="fax", start_share=0, days=1, drop=0.1),))},
            "'fax'",
        ),
    ],
)
def test_impossible_rates(part: dict[str, object], message: str) -> None:
    found = problems(replace(PRESETS["marketplace"], **part))  # type: ignore[arg-type]
    assert len(found) == 1
    assert message in found[0]


def test_a_plan_is_read_back_from_its_json() -> None:
    for name in PRESETS:
        plan = make_plan(name, customers=70, days=100, inject=["stops@2023-02-01:0.5"], seed=3)
        assert plan_from_dict(plan.to_dict()) == plan


def test_the_command_says_it_all_and_writes_nothing(tmp_path: Path) -> None:
    done = ebbtide("simulate", "--preset", "gift", "--customers", "0", "--days", "9", "--out", str(tmp_path / "shop"))
    assert done.returncode == 2
    assert "2 problems in the simulation" in done.stderr
    assert "did you mean 'gifts'?" in done.stderr
    assert list(tmp_path.iterdir()) == []
    done = ebbtide(
        "simulate", "--preset", "gifts", "--customers", "9", "--days", "9", "--start", "2900-01-01", "--out", "x"
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr

"""The targets a simulated shop is configured with; the truth is told for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from features.errors import UsageError
from pipelines.simulate.calendar import LOOK_AHEAD
from pipelines.simulate.plan import Plan
from pipelines.simulate.world import World
from training.labels import Target, TargetKind

__all__ = ["KNOWN_TYPES", "check_targets", "targets_of"]

KNOWN_TYPES: Final = ("purchase", "session", "coupon_redeemed")
"""Event types whose chances are known."""


def targets_of(world: World) -> tuple[Target, ...]:
    """Targets of a world's ``ebbtide.toml``."""
    if world.name == "campaign" and world.campaigns is not None:
        window = world.campaigns.window_days
        return (
            Target(
                name="conversion",
                kind=TargetKind.CONVERSION,
                event_types=("purchase",),
                active_within_days=180,
                horizon_days=window,
            ),
        )
    purchase = ("purchase",)
    targets = [
        Target(name="churn", kind=TargetKind.CHURN, event_types=purchase, active_within_days=60, horizon_days=28),
        Target(
            name="winback",
            kind=TargetKind.CONVERSION,
            event_types=purchase,
            inactive_for_days=60,
            active_within_days=365,
            horizon_days=28,
        ),
        Target(name="value", kind=TargetKind.VALUE, event_types=purchase, active_within_days=60, horizon_days=28),
    ]
    if world.coupons is not None:
        redeemed = Target(
            name="conversion",
            kind=TargetKind.CONVERSION,
            event_types=("coupon_redeemed",),
            eligible_event_types=purchase,
            active_within_days=30,
            horizon_days=7,
        )
        targets.insert(2, redeemed)
    return tuple(targets)


def check_targets(plan: Plan, targets: Iterable[Target]) -> None:
    """Refuse targets whose truth is not known.

    Raises
    ------
    UsageError
        Naming all of them, and why.
    """
    known = ("purchase",) if plan.world.bg_nbd is not None else KNOWN_TYPES
    levels = plan.world.levels
    problems = []
    for target in targets:
        if len(target.event_types) > 1 or target.event_types[0] not in known:
            problems.append(
                f"{target.name}: event_types {list(target.event_types)}; expected one of {', '.join(known)}"
            )
        if len(target.activity_types) > 1 or target.activity_types[0] not in known:
            problems.append(
                f"{target.name}: eligible by {list(target.activity_types)}; expected one of {', '.join(known)}"
            )
        window = target.gap_days + target.horizon_days
        if plan.world.bg_nbd is not None and target.gap_days:
            problems.append(f"{target.name}: gap_days = {target.gap_days}; expected 0 in a BG/NBD world")
        if window > LOOK_AHEAD:
            problems.append(f"{target.name}: gap and horizon are {window} days; expected at most {LOOK_AHEAD}")
        elif levels is not None and window > levels.lag_days and target.event_types != ("session",):
            problems.append(
                f"{target.name}: gap and horizon are {window} days; expected at most {levels.lag_days}, since levels "
                "that are not decided yet change what is bought later"
            )
    if problems:
        lines = "".join(f"\n  - {problem}" for problem in problems)
        raise UsageError(f"the truth of {len(problems)} targets is not known in closed form:{lines}")

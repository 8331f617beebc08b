"""The ``ebbtide.toml`` of a simulated shop."""

from __future__ import annotations

from features.events import COLUMNS
from pipelines.simulate.people import ATTRIBUTES
from pipelines.simulate.plan import Plan
from pipelines.simulate.targets import targets_of
from training.labels import Target

__all__ = ["project_text"]


def project_text(plan: Plan) -> str:
    """Configuration that reads the folder as it was written.

    Examples
    --------
    >>> from pipelines.simulate.arguments import make_plan
    >>> print(project_text(make_plan("bg-nbd", customers=10, days=90)).splitlines()[0])
    # A simulated shop: bg-nbd, 10 customers, 90 days from 2023-01-01, seed 7. Its truth is in truth/.
    """
    share = max(0.2, round(plan.dirty / (1 + plan.dirty) * 2, 3))
    size = f"{plan.customers:,} customers, {plan.days} days from {plan.start}"
    lines = [
        f"# A simulated shop: {plan.world.name}, {size}, seed {plan.seed}. Its truth is in truth/.",
        "",
        "[project]",
        f'name = "{_name(plan.world.name)}"',
        'timezone = "UTC"',
        'currency = "EUR"',
        "",
        "[[events]]",
        'name = "events"',
        'path = "events/*.parquet"',
        f"max_bad_ratio = {share}",
        *(f'{column.name} = "{column.name}"' for column in COLUMNS),
        "",
        "[customers]",
        'path = "customers.parquet"',
        'customer_id = "customer_id"',
        'signed_up_at = "signed_up_at"',
        *(f'{name}_opt_in = "{name}_opt_in"' for name in ("email", "sms", "push", "wecom")),
        "attributes = { " + ", ".join(f'{name} = "{name}"' for name in ATTRIBUTES) + " }",
        f"static = {_list(ATTRIBUTES)}",
    ]
    for target in targets_of(plan.world):
        lines += ["", *_target(target)]
    return "\n".join(lines) + "\n"


def _name(text: str) -> str:
    kept = "".join(one if one.isascii() and (one.isalnum() or one in "-_") else "-" for one in text.lower())
    return kept.strip("-_")[:60] or "simulated"


def _target(target: Target) -> list[str]:
    lines = [f"[targets.{target.name}]", f'kind = "{target.kind.value}"']
    lines.append(f"event_types = {_list(target.event_types)}")
    if target.eligible_event_types:
        lines.append(f"eligible_event_types = {_list(target.eligible_event_types)}")
    if target.inactive_for_days is not None:
        lines.append(f"inactive_for_days = {target.inactive_for_days}")
    lines += [f"active_within_days = {target.active_within_days}", f"gap_days = {target.gap_days}"]
    return [*lines, f"horizon_days = {target.horizon_days}"]


def _list(names: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"

"""The truth of a chunk as tables: customers, states, targets, effects; and the shop's own: hosts, levels, faults."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from features.clock import DAY_US
from pipelines.simulate.arrow import Texts, customer_texts
from pipelines.simulate.bg_nbd import p_alive, summary
from pipelines.simulate.buying import NOT_EXPOSED, effects_by_features
from pipelines.simulate.calendar import Calendar
from pipelines.simulate.latent import Latent
from pipelines.simulate.people import ATTRIBUTES
from pipelines.simulate.plan import Plan
from pipelines.simulate.spells import GONE, STATES
from pipelines.simulate.true_rates import TrueRates
from pipelines.simulate.true_targets import TargetTruth, true_targets
from pipelines.simulate.vocabulary import DEVICES, LEVELS
from training.labels import Target, TargetKind

__all__ = ["EFFECTS", "TARGETS", "chunk_truth", "cutoff_days", "shop_truth", "targets_table"]

_TIME: Final[pa.DataType] = pa.timestamp("us", tz="UTC")
TARGETS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("cutoff", _TIME),
        ("target", pa.string()),
        ("kind", pa.string()),
        ("value", pa.float64()),
        ("method", pa.string()),
        ("standard_error", pa.float64()),
        ("outcome", pa.float64()),
    ]
)
_EFFECT_COLUMNS: Final[list[tuple[str, pa.DataType]]] = [
    ("customer_id", pa.string()),
    ("campaign_id", pa.string()),
    ("arm", pa.string()),
    ("assigned", pa.bool_()),
    ("chance_untreated", pa.float64()),
    ("chance_treated", pa.float64()),
    ("effect", pa.float64()),
    ("effect_given_features", pa.float64()),
    ("worth_treating", pa.bool_()),
]
EFFECTS = pa.schema(_EFFECT_COLUMNS)
_FIRST_CUTOFF = 28


def cutoff_days(plan: Plan) -> list[int]:
    """Days of the cutoffs told in ``truth/targets.parquet``: counted back from the log's end, not before day 28."""
    if not plan.truth_every:
        return []
    return list(range(plan.days, _FIRST_CUTOFF - 1, -plan.truth_every))[::-1]


def chunk_truth(
    plan: Plan, calendar: Calendar, latent: Latent, targets: Iterable[Target], cutoffs: Iterable[int]
) -> dict[str, pa.Table]:
    """Tables ``customers``, ``states``, ``targets`` and ``effects`` of a chunk."""
    rates = TrueRates(plan=plan, calendar=calendar, latent=latent)
    ids = customer_texts(latent.chunk, latent.people.size)
    return {
        "customers": _customers(plan, latent, ids),
        "states": _states(plan, latent, ids),
        "targets": targets_table(rates, targets, cutoffs),
        "effects": _effects(rates, ids),
    }


def targets_table(rates: TrueRates, targets: Iterable[Target], cutoffs: Iterable[int]) -> pa.Table:
    """Truth of every target at every cutoff, one row an eligible customer."""
    ids = customer_texts(rates.latent.chunk, rates.latent.people.size)
    tables = []
    for cutoff in cutoffs:
        for target in targets:
            kind = "expected_value" if target.kind is TargetKind.VALUE else "probability"
            tables.append(_target_rows(rates.plan, ids, true_targets(rates, target, cutoff), kind))
        if rates.plan.world.bg_nbd is not None:
            tables.append(_target_rows(rates.plan, ids, _alive(rates, cutoff), "probability"))
    return pa.concat_tables(tables) if tables else TARGETS.empty_table()


def _target_rows(plan: Plan, ids: Texts, truth: TargetTruth, kind: str) -> pa.Table:
    size = truth.customer.size
    moment = plan.start_us + truth.cutoff * DAY_US
    columns = [
        ids.take(truth.customer),
        pa.array(np.full(size, moment)).cast(_TIME),
        _repeated(truth.target, size),
        _repeated(kind, size),
        pa.array(truth.value),
        _repeated("exact", size),
        pa.array(np.zeros(size)),
        pa.array(truth.outcome, mask=np.isnan(truth.outcome)),
    ]
    return pa.Table.from_arrays(columns, schema=TARGETS)


def _alive(rates: TrueRates, cutoff: int) -> TargetTruth:
    """P(alive) given x, t_x and T, beside whether they were."""
    plan, latent = rates.plan, rates.latent
    if plan.world.bg_nbd is None:
        raise ValueError(f"{plan.world.name} is no BG/NBD world")
    x, t_x, age = summary(latent.orders, latent.people.size, plan.start_us + cutoff * DAY_US)
    who = np.flatnonzero(x >= 0)
    alive = latent.spells.at(latent.people.size, cutoff)[who] != GONE
    return TargetTruth(
        target="p_alive",
        cutoff=cutoff,
        customer=who,
        value=p_alive(plan.world.bg_nbd, x[who], t_x[who], age[who]),
        outcome=alive.astype(np.float64) if cutoff < plan.days else np.full(who.size, np.nan),
    )


def _repeated(text: str, size: int) -> Texts:
    return pa.repeat(pa.scalar(text, pa.string()), size)


def _customers(plan: Plan, latent: Latent, ids: Texts) -> pa.Table:
    people = latent.people
    left = latent.spells.state == GONE
    gone = np.full(people.size, -1, dtype=np.int64)
    gone[latent.spells.customer[left]] = latent.spells.first[left]
    moves = ("active_to_dormant", "dormant_to_active", "active_to_gone", "dormant_to_gone")
    inviter: Any = pa.array(np.maximum(people.inviter, 0), mask=people.inviter < 0)
    columns: dict[str, Any] = {
        "customer_id": ids,
        "join_day": people.join_day,
        "gone_day": pa.array(gone, mask=gone < 0),
        "generation": people.generation,
        "invited_by": ids.take(inviter),
        **{name: people.x[:, place] for place, name in enumerate(ATTRIBUTES)},
        "visits_a_day": people.visit_rate,
        "conversion": people.conversion,
        **{name: people.moves[:, place] for place, name in enumerate(moves)},
        "mean_order": np.exp(people.order_mu + plan.world.customers.order_sigma**2 / 2),
        "refund_rate": people.refund,
        "redeem_rate": people.redeem,
        "watches_a_day": people.watch_rate * (plan.world.live.sessions_a_day if plan.world.live else 0.0),
        "coupon_member": people.member,
        "main_device": np.asarray(DEVICES)[people.device],
    }
    return pa.table(columns)


def _states(plan: Plan, latent: Latent, ids: Texts) -> pa.Table:
    spells = latent.spells
    columns: dict[str, Any] = {
        "customer_id": ids.take(spells.customer),
        "state": np.asarray(STATES)[spells.state],
        "from": pa.array(plan.start_us + spells.first * DAY_US).cast(_TIME),
        "to": pa.array(plan.start_us + spells.end * DAY_US).cast(_TIME),
    }
    return pa.table(columns)


def _effects(rates: TrueRates, ids: Texts) -> pa.Table:
    """Chance of an order in the campaign's window under each arm, given the state of the day before it."""
    plan, latent, spec = rates.plan, rates.latent, rates.plan.world.campaigns
    tables = []
    known = effects_by_features(plan, latent.people)
    for number, first in enumerate(rates.calendar.campaign_start):
        if spec is None or first >= plan.days:
            break
        who = np.flatnonzero(latent.arms[:, number] != NOT_EXPOSED)
        horizon = spec.window_days
        untreated = 1.0 - rates.chances("purchase", who, int(first), 0, horizon, arm=0)[0]
        for arm in range(1, len(spec.arms)):
            treated = 1.0 - rates.chances("purchase", who, int(first), 0, horizon, arm=arm)[0]
            effect = treated - untreated
            features = known[who, arm] if spec.form == "points" else np.full(who.size, np.nan)
            columns = [
                ids.take(who),
                _repeated(f"campaign-{number:03d}", who.size),
                _repeated(spec.arms[arm], who.size),
                pa.array(latent.arms[who, number] == arm),
                pa.array(untreated),
                pa.array(treated),
                pa.array(effect),
                pa.array(features, mask=np.isnan(features)),
                pa.array(effect * spec.value_of_response > spec.cost),
            ]
            tables.append(pa.Table.from_arrays(columns, schema=EFFECTS))
    return pa.concat_tables(tables) if tables else EFFECTS.empty_table()


def shop_truth(plan: Plan, calendar: Calendar) -> dict[str, pa.Table]:
    """Tables ``hosts``, ``levels`` and ``faults``, and ``seasons``: the factor of each day."""
    live, levels = calendar.live, plan.world.levels
    faults: list[dict[str, Any]] = []
    for one in plan.world.funnel.faults:
        first = int(one.start_share * plan.days)
        begins = plan.start + timedelta(days=first)
        ends = min(plan.end, begins + timedelta(days=one.days))
        row = {"step": one.step, "page": one.page, "device": one.device, "from": begins, "to": ends, "drop": one.drop}
        faults.append(row)
    shape: list[tuple[str, pa.DataType]] = [
        ("step", pa.string()),
        ("page", pa.string()),
        ("device", pa.string()),
        ("from", pa.date32()),
    ]
    return {
        "hosts": pa.table(
            {
                "host_id": pa.array(
                    [f"host-{k:02d}" for k in range(0 if live is None else live.conversion.size)], pa.string()
                ),
                "watch_to_buy": pa.array([] if live is None else live.conversion, pa.float64()),
            }
        ),
        "levels": pa.table(
            {
                "level": pa.array(range(0 if levels is None else len(levels.multipliers)), pa.int64()),
                "name": pa.array(LEVELS[: 0 if levels is None else len(levels.multipliers)], pa.string()),
                "from_spend": pa.array([] if levels is None else [0.0, *levels.thresholds], pa.float64()),
                "conversion_multiplier": pa.array([] if levels is None else levels.multipliers, pa.float64()),
            }
        ),
        "faults": pa.Table.from_pylist(faults, schema=pa.schema([*shape, ("to", pa.date32()), ("drop", pa.float64())])),
        "seasons": pa.table(
            {
                "day": pa.array([plan.start + timedelta(days=k) for k in range(plan.days)], pa.date32()),
                "visits_factor": pa.array(calendar.season[: plan.days]),
            }
        ),
    }

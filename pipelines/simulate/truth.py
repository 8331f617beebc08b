"""The truth of a simulation at any cutoff, computed again from its seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from features.clock import DAY_US, parse_cutoff, to_us
from features.errors import CutoffError, UsageError
from pipelines.simulate.arguments import plan_from_dict
from pipelines.simulate.calendar import make_calendar
from pipelines.simulate.folder import WORLD_FILE
from pipelines.simulate.generate import draw_chunk
from pipelines.simulate.plan import VERSION, Plan
from pipelines.simulate.targets import check_targets, targets_of
from pipelines.simulate.true_rates import TrueRates
from pipelines.simulate.truth_tables import TARGETS, targets_table
from training.labels import Target

__all__ = ["plan_of", "truth_at"]


def plan_of(folder: str | Path) -> Plan:
    """Plan that a simulation was made by.

    Raises
    ------
    UsageError
        If there is none in the folder, or it was written by another version of the generator.
    """
    path = Path(folder) / WORLD_FILE
    if not path.is_file():
        raise UsageError(
            f"there is no simulation in {folder}", expected=str(WORLD_FILE), remedy="run `ebbtide simulate`"
        )
    record = json.loads(path.read_text(encoding="utf-8"))
    if record.get("version") != VERSION:
        raise UsageError(
            f"the simulation in {folder} is of version {record.get('version')}",
            expected=f"version {VERSION}",
            remedy="simulate it again",
        )
    return plan_from_dict(record)


def truth_at(folder: str | Path, cutoff: str | datetime, *, targets: Sequence[Target] | None = None) -> pa.Table:
    """True probability or expected spend of every eligible customer at a cutoff.

    Parameters
    ----------
    folder : path
        A simulation.
    cutoff : str or datetime
        A midnight, UTC, from the log's second day to the first after it.
    targets : sequence of Target, optional
        Those of the simulation's own ``ebbtide.toml`` by default; each on one of purchase, session, coupon_redeemed.

    Returns
    -------
    pyarrow.Table
        Columns as ``truth/targets.parquet``: ``customer_id``, ``cutoff``, ``target``, ``kind``, ``value``, ``method``,
        ``standard_error``, ``outcome`` (null where the window is not over at the log's end).

    Raises
    ------
    UsageError
        If there is no simulation, or the truth of a target is not known.
    CutoffError
        If the cutoff is no midnight, or outside the log.
    """
    plan = plan_of(folder)
    wanted = targets_of(plan.world) if targets is None else tuple(targets)
    check_targets(plan, wanted)
    moment = parse_cutoff(cutoff, "UTC") if isinstance(cutoff, str) else cutoff.astimezone(UTC)
    day, rest = divmod(to_us(moment) - plan.start_us, DAY_US)
    if rest:
        raise CutoffError(f"the cutoff {moment:%Y-%m-%d %H:%M:%S} is no midnight", expected="a day, UTC")
    if not 1 <= day <= plan.days:
        raise CutoffError(
            f"the cutoff {moment:%Y-%m-%d} is outside the log", expected=f"after {plan.start}, to {plan.end}"
        )
    calendar = make_calendar(plan)
    tables = []
    for chunk in range(plan.chunks):
        rates = TrueRates(plan=plan, calendar=calendar, latent=draw_chunk(plan, calendar, chunk))
        tables.append(targets_table(rates, wanted, [day]))
    return pa.concat_tables(tables) if tables else TARGETS.empty_table()

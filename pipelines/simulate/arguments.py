"""Arguments of a simulation, read and checked: everything that is wrong, at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from features.errors import ConfigError, did_you_mean
from pipelines.simulate.injections import Injection, parse_injection
from pipelines.simulate.plan import DEFAULT_START, Plan
from pipelines.simulate.presets import PRESETS
from pipelines.simulate.world import World
from pipelines.simulate.world_checks import world_from_dict, world_problems

__all__ = ["make_plan", "plan_from_dict"]

_MOST_CUSTOMERS: Final = 1_000_000_000
_MOST_DAYS: Final = 3_660
_MOST_DIRT: Final = 0.5
_EARLIEST: Final = date(1971, 1, 1)
_LATEST: Final = date(2200, 1, 1)


def make_plan(
    preset: str | World,
    *,
    customers: int,
    days: int | None = None,
    seed: int = 7,
    start: str | date = DEFAULT_START,
    end: str | date | None = None,
    inject: Iterable[str | Injection] = (),
    late: float = 0.02,
    duplicates: float = 0.005,
    dirty: float = 0.002,
    truth_every: int = 7,
    by_day: bool = False,
    today: date | None = None,
) -> Plan:
    """Check the arguments of a simulation and make its plan.

    Parameters
    ----------
    preset : str or World
        Name of a preset, or a world of your own.
    customers : int
        Of the first generation, at least 1.
    days : int, optional
        Length of the log; or say ``end``, its first day after.
    seed : int
    start : str or date
        First day, UTC.
    end : str or date, optional
    inject : iterable of str or Injection
        ``NAME@DATE:STRENGTH``.
    late, duplicates, dirty : float
        Shares of the rows, 0 to 0.5.
    truth_every : int
        Days between cutoffs in ``truth/targets.parquet``; 0: none.
    by_day : bool
        One file a day of receipt.
    today : date, optional
        If given, the log may not reach beyond it, since ``ingest`` puts rows of the future aside.

    Raises
    ------
    ConfigError
        Listing every problem.
    """
    problems: list[str] = []
    world = _world(preset, problems)
    first, last = _day("--start", start, problems), _day("--end", end, problems)
    length = _length(days, first, last, end, problems)
    if not 1 <= customers <= _MOST_CUSTOMERS:
        problems.append(f"--customers {customers}; expected 1 to {_MOST_CUSTOMERS:,}")
    if not 0 <= seed < 1 << 63:
        problems.append(f"--seed {seed}; expected 0 or a positive number")
    if truth_every < 0:
        problems.append(f"--truth-every {truth_every}; expected days, or 0 for none")
    for name, share in (("late", late), ("duplicates", duplicates), ("dirty", dirty)):
        if not (math.isfinite(share) and 0 <= share <= _MOST_DIRT):
            problems.append(f"--{name} {share:g}; expected a share of the rows, 0 to {_MOST_DIRT}")
    if first is not None and length is not None and today is not None and first + timedelta(days=length) > today:
        ends = first + timedelta(days=length)
        problems.append(f"the log would end on {ends}, after today, {today}; start it earlier")
    injections = _injections(inject, first, length, problems)
    if world is not None and world.bg_nbd is not None:
        problems += [
            f"--inject {one}: a pure BG/NBD world has neither attributes that matter nor a season"
            for one in injections
            if one.kind in ("concept", "covariate", "season") and one.strength
        ]
    if problems or world is None or first is None or length is None:
        raise ConfigError("the simulation", problems)
    return Plan(
        world=world,
        customers=customers,
        start=first,
        days=length,
        seed=seed,
        late=late,
        duplicates=duplicates,
        dirty=dirty,
        injections=injections,
        truth_every=truth_every,
        by_day=by_day,
    )


def plan_from_dict(record: Mapping[str, Any]) -> Plan:
    """Read what :meth:`Plan.to_dict` wrote."""
    return make_plan(
        world_from_dict(record["world"]),
        customers=record["customers"],
        days=record["days"],
        seed=record["seed"],
        start=record["start"],
        inject=[one["text"] for one in record["injections"]],
        late=record["late"],
        duplicates=record["duplicates"],
        dirty=record["dirty"],
        truth_every=record["truth_every"],
        by_day=record["by_day"],
    )


def _world(preset: str | World, problems: list[str]) -> World | None:
    if isinstance(preset, World):
        problems += world_problems(preset)
        return preset
    if preset not in PRESETS:
        problems.append(f"--preset {preset}: there is no such preset; {did_you_mean(preset, PRESETS)}")
    return PRESETS.get(preset)


def _day(name: str, value: str | date | None, problems: list[str]) -> date | None:
    if value is None:
        return None
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        problems.append(f"{name} {value!r} is not a date; expected YYYY-MM-DD")
        return None
    if not _EARLIEST <= day <= _LATEST:
        problems.append(f"{name} {day}; expected {_EARLIEST} to {_LATEST}")
        return None
    return day


def _length(days: int | None, first: date | None, last: date | None, end: object, problems: list[str]) -> int | None:
    if (days is None) == (end is None):
        problems.append("expected either --days or --end")
        return None
    if days is not None:
        if not 1 <= days <= _MOST_DAYS:
            problems.append(f"--days {days}; expected 1 to {_MOST_DAYS:,}")
            return None
        return days
    if first is None or last is None:
        return None
    if last <= first:
        problems.append(f"--end {last} is not after --start {first}")
        return None
    return (last - first).days


def _injections(
    inject: Iterable[str | Injection], first: date | None, length: int | None, problems: list[str]
) -> tuple[Injection, ...]:
    found = []
    for text in inject:
        one, wrong = (text, []) if isinstance(text, Injection) else parse_injection(text)
        problems += wrong
        if one is None or first is None or length is None:
            continue
        if not first <= one.at < first + timedelta(days=length):
            last = first + timedelta(days=length - 1)
            problems.append(f"--inject {text}: {one.at} is outside the log, {first} to {last}")
        found.append(one)
    return tuple(found)

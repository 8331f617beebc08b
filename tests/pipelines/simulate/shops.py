"""Simulated shops for tests, in memory and on disk, and what is read off them without the simulator's own code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from pipelines.simulate import PRESETS, Plan, World, make_plan, simulate
from pipelines.simulate.calendar import Calendar, make_calendar
from pipelines.simulate.generate import draw_chunk
from pipelines.simulate.latent import Latent
from pipelines.simulate.true_rates import TrueRates

SEEDS = range(1, 7)


def world(preset: str, **parts: Any) -> World:
    """A preset with some parts replaced: ``world("marketplace", states=States(…))``."""
    return replace(PRESETS[preset], **parts)


def chunks(plan: Plan, count: int | None = None) -> Iterator[tuple[Calendar, Latent, TrueRates]]:
    calendar = make_calendar(plan)
    for chunk in range(min(plan.chunks, count or plan.chunks)):
        latent = draw_chunk(plan, calendar, chunk)
        yield calendar, latent, TrueRates(plan=plan, calendar=calendar, latent=latent)


def write(folder: Path, preset: str | World, **arguments: Any) -> Plan:
    """A simulation without dirt unless asked for, on disk."""
    threads = arguments.pop("threads", 1)
    clean = {"late": 0.0, "duplicates": 0.0, "dirty": 0.0}
    plan = make_plan(preset, **(clean | arguments))
    simulate(plan, folder, threads=threads)
    return plan


def sql(folder: Path, query: str) -> list[Any]:
    """Rows of a query over ``{events}`` and ``{truth}/NAME.parquet``."""
    with duckdb.connect() as con:
        con.execute("SET timezone = 'UTC'")
        events = f"read_parquet('{folder}/events/*.parquet')"
        return con.execute(query.format(events=events, truth=f"{folder}/truth", folder=folder)).fetchall()


def z(observed: float, expected: float, variance: float) -> float:
    return float((observed - expected) / np.sqrt(variance))

"""A shop whose truth is known: simulated logs to measure everything against."""

from __future__ import annotations

from pipelines.simulate.arguments import make_plan
from pipelines.simulate.by_day import by_day
from pipelines.simulate.plan import Plan
from pipelines.simulate.presets import PRESETS
from pipelines.simulate.run import SimulationReport, simulate
from pipelines.simulate.truth import plan_of, truth_at
from pipelines.simulate.world import World

__all__ = ["PRESETS", "Plan", "SimulationReport", "World", "by_day", "make_plan", "plan_of", "simulate", "truth_at"]

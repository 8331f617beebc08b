"""What the feature engine has to reach, held against what was measured."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["goals"]

Found = dict[str, Any]

FLOOR_LIMIT: Final = 8.0
SQL_LIMIT: Final = 40.0
GROWTH_LIMIT: Final = 1.2
MEMORY_LIMIT: Final = 6e9
LARGE_ROWS: Final = 100_000_000


def goals(found: Found) -> list[tuple[str, str, str]]:
    """What was to be reached, what was found, and ``yes``, ``no`` or ``not measured``."""
    comparison, vector = found["comparison"], found["vector"]
    large: Found = next((s for s in found["growth"] if s["rows"] >= LARGE_ROWS), {"skipped": "not asked for"})
    to_floor, to_sql = comparison["panel_per_floor"], comparison["sql_per_panel"]
    listed = [
        (f"panel at most {FLOOR_LIMIT:g} times the floor", f"{to_floor:.1f} times", _met(to_floor <= FLOOR_LIMIT)),
        (f"panel at least {SQL_LIMIT:g} times faster than SQL", f"{to_sql:.0f} times", _met(to_sql >= SQL_LIMIT)),
    ]
    growth_goal = f"5 M → 100 M events at most linear times {GROWTH_LIMIT:g}"
    memory_goal = f"100 M events within {MEMORY_LIMIT / 1e9:g} GB"
    if "skipped" in large:
        listed += [(goal, large["skipped"], "not measured") for goal in (growth_goal, memory_goal)]
    else:
        linear, peak = large["per_linear"], large["panel"]["peak_bytes"]
        listed += [
            (growth_goal, f"linear times {linear:.2f}", _met(linear <= GROWTH_LIMIT)),
            (memory_goal, f"{peak / 1e9:.1f} GB", _met(peak <= MEMORY_LIMIT)),
        ]
    mine, theirs = vector["vector"], vector["booster_predict"]
    listed.append(
        ("one vector faster than one `Booster.predict`", f"{mine:.1f} µs, {theirs:.1f} µs", _met(mine < theirs))
    )
    return listed


def _met(reached: bool) -> str:  # noqa: FBT001 (a word for a fact)
    return "yes" if reached else "no"

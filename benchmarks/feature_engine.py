"""How fast the feature engine is: beside reading the log, SQL, pandas and Polars; growth, memory, one vector, start.

    python -m benchmarks.feature_engine [--quick] [--rows 20000000] [--growth 5000000 20000000 100000000] [--runs 3]

Every case runs in a process of its own, the cases of a comparison in turns on the same log, and a ratio is the median
of the ratios within a run. Logs are generated into ``--work`` once and kept. A full run also writes
``docs/benchmarks/features.json`` and the page made of it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.feature_log import BYTES_A_ROW, LogSpec
from benchmarks.feature_page import page, table
from benchmarks.feature_plans import BATCH_ROWS, CUTOFFS
from benchmarks.machine import installed, machine, touch_memory

QUICK_ROWS: Final = 1_000_000
SAMPLE_CUTOFFS: Final = (2, 9)
"""Where a SQL query takes longer than SLOW_SECONDS, these stand for all: as far from the middle on either side."""
SLOW_SECONDS: Final = 60
TOUCHED_GB: Final = 6
"""More than any case holds."""
KEPT_ROWS: Final = 20_000_000
"""Up to here a floor in one query is held in memory as well."""
Found = dict[str, Any]


class Bench:
    """Runs cases in processes of their own, in one work folder."""

    def __init__(self, work: Path) -> None:
        self._work = work

    def case(self, name: str, *, cache: Path | None = None, **given: object) -> Found:
        """What the case measured, and ``wall_seconds`` of its whole process.

        Raises
        ------
        RuntimeError
            With the last line the process wrote, if it failed.
        """
        document = json.dumps({"work": str(self._work), **given})
        print(f"  {name} {' '.join(f'{key}={value}' for key, value in given.items())}", file=sys.stderr, flush=True)
        touch_memory(TOUCHED_GB)
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.feature_cases", name, document],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | ({"NUMBA_CACHE_DIR": str(cache)} if cache else {}),
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            raise RuntimeError(
                f"{name}: exit {done.returncode}: {lines[-1] if lines else 'killed, perhaps for memory'}"
            )
        found: Found = json.loads(done.stdout)
        return found | {"wall_seconds": time.perf_counter() - start}

    def lacks_room(self, rows: int) -> str:
        """Why a log of so many rows cannot be generated; empty if it can, or is there already."""
        if (self._work / LogSpec(rows=rows).name / "manifest.json").is_file():
            return ""
        free = shutil.disk_usage(self._work).free
        needed = 2 * BYTES_A_ROW * rows
        return f"{free / 1e9:.1f} GB free on disk, {needed / 1e9:.1f} GB wanted" if free < needed else ""


def compare(bench: Bench, rows: int, runs: int) -> Found:
    """Panel and full catalogue beside the floor and SQL, all on one log; the ratios run by run."""
    log = bench.case("generate", rows=rows)
    cases: dict[str, Found] = {
        "floor": {"plan": "panel"},
        "floor_one_query": {"plan": "panel", "one": True},
        "panel": {"plan": "panel", "keep": True},
        "full_floor": {"plan": "full"},
        "full": {"plan": "full", "keep": True},
    }
    found: dict[str, list[Found]] = {name: [] for name in cases}
    for _ in range(runs):
        for name, given in cases.items():
            case = "panel" if name in ("panel", "full") else "floor"
            found[name].append(bench.case(case, rows=rows, **given))
    sql, tuned = (_sql(bench, rows, tuned=tuned) for tuned in (False, True))
    panel = _median(found["panel"], "seconds")
    return {
        "log": log,
        "runs": {name: _brief(results) for name, results in found.items()},
        "sql": sql,
        "sql_tuned": tuned,
        "panel_per_floor": _ratio(found["panel"], found["floor"]),
        "panel_per_floor_one_query": _ratio(found["panel"], found["floor_one_query"]),
        "full_per_floor": _ratio(found["full"], found["full_floor"]),
        "sql_per_panel": sql["seconds"] / panel,
        "sql_tuned_per_panel": tuned["seconds"] / panel,
    }


def growth(bench: Bench, sizes: list[int], runs: int) -> list[Found]:
    """Panel, each batch dropped, and floor at each size, in turns; a size that does not fit says why."""
    found: list[Found] = []
    for rows in sizes:
        why = bench.lacks_room(rows)
        found.append(
            {"rows": rows, "skipped": why} if why else {"rows": rows, "log": bench.case("generate", rows=rows)}
        )
    fitting = [size for size in found if "log" in size]
    panels: dict[int, list[Found]] = {size["rows"]: [] for size in fitting}
    floors: dict[int, list[Found]] = {size["rows"]: [] for size in fitting}
    for _ in range(runs):
        for size in fitting:
            floors[size["rows"]].append(bench.case("floor", rows=size["rows"], plan="panel"))
            panels[size["rows"]].append(bench.case("panel", rows=size["rows"], plan="panel"))
    first = fitting[0] if fitting else None
    for size in fitting:
        mine, smallest = panels[size["rows"]], panels[first["rows"]] if first else []
        events = [results[0]["events"] for results in (mine, smallest)]
        size |= {
            "floor": _brief(floors[size["rows"]]),
            "panel": _brief(mine),
            "per_floor": _ratio(mine, floors[size["rows"]]),
            "per_linear": _ratio(mine, smallest) / (events[0] / events[1]),
        }
    return found


def blocks(bench: Bench, rows: int, runs: int) -> Found:
    """The panel of the same shop loaded from three tables, whose segments each hold a part of every customer."""
    log = bench.case("generate", rows=rows, blocks=3)
    floors, panels = [], []
    for _ in range(runs):
        floors.append(bench.case("floor", rows=rows, blocks=3, plan="panel"))
        panels.append(bench.case("panel", rows=rows, blocks=3, plan="panel"))
    return {"log": log, "floor": _brief(floors), "panel": _brief(panels), "per_floor": _ratio(panels, floors)}


def frames(bench: Bench, rows: int) -> Found:
    """Pandas and Polars on a slice, whether all peers agree with the engine, and the engine there."""
    log = bench.case("generate", rows=rows)
    found: Found = {"log": log, "agreement": bench.case("agreement", rows=rows, plan="panel")}
    found["panel"] = _brief([bench.case("panel", rows=rows, plan="panel", keep=True) for _ in range(3)])
    for library in ("pandas", "polars"):
        if not installed(library):
            found[library] = {"skipped": "not installed"}
            continue
        results = bench.case("frames", rows=rows, plan="panel", library=library)
        found[library] = results | {"per_panel": results["seconds"] / found["panel"]["seconds"]}
    return found


def start(bench: Bench, rows: int, runs: int) -> Found:
    """First vector of a process whose kernel cache is empty, and of one whose cache is full."""
    cold, warm = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            cold.append(bench.case("first_vector", rows=rows, cache=Path(folder)))
            warm.append(bench.case("first_vector", rows=rows, cache=Path(folder)))
    return {
        name: {key: _median(results, key) for key in ("first_seconds", "second_seconds", "wall_seconds")}
        for name, results in (("cold", cold), ("warm", warm))
    }


def _sql(bench: Bench, rows: int, *, tuned: bool) -> Found:
    """SQL at all cutoffs; at two of them, times six, where the first took longer than a minute."""
    first = bench.case("sql", rows=rows, plan="panel", tuned=tuned, at=[SAMPLE_CUTOFFS[0]])
    slow = first["seconds_a_cutoff"][0] > SLOW_SECONDS
    at = list(SAMPLE_CUTOFFS if slow else range(len(CUTOFFS)))
    found = bench.case("sql", rows=rows, plan="panel", tuned=tuned, at=at)
    times = found["seconds_a_cutoff"]
    return found | {
        "cutoffs_measured": len(times),
        "seconds": found["prepare_seconds"] + sum(times) * len(CUTOFFS) / len(times),
    }


def _median(results: list[Found], key: str) -> float:
    return float(median(result[key] for result in results))


def _ratio(over: list[Found], under: list[Found]) -> float:
    return float(median(a["seconds"] / b["seconds"] for a, b in zip(over, under, strict=True)))


def _brief(results: list[Found]) -> Found:
    """Medians over the runs, and all their seconds."""
    last = {
        key: value
        for key, value in results[-1].items()
        if key not in ("seconds", "cpu_seconds", "peak_bytes", "wall_seconds")
    }
    return last | {
        "seconds": _median(results, "seconds"),
        "cpu_seconds": _median(results, "cpu_seconds"),
        "peak_bytes": _median(results, "peak_bytes"),
        "seconds_of_runs": [result["seconds"] for result in results],
    }


def main() -> int:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description="The feature engine beside reading the log, SQL, pandas and Polars.")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} events, one run; writes no page")
    parser.add_argument("--rows", type=int, default=20_000_000, help="events of the comparison (default: 20 M)")
    parser.add_argument("--growth", type=int, nargs="+", default=[5_000_000, 20_000_000, 100_000_000])
    parser.add_argument("--slice", type=int, default=1_000_000, help="events for pandas and Polars (default: 1 M)")
    parser.add_argument("--runs", type=int, default=3, help="medians of so many (default: 3)")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "ebbtide-bench")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"), help="where the page and its JSON go")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.growth, options.slice = QUICK_ROWS, [200_000, QUICK_ROWS], 200_000
    if min(options.rows, options.slice, options.runs, *options.growth) < 1:
        parser.error("--rows, --growth, --slice and --runs must be at least 1")
    options.work.mkdir(parents=True, exist_ok=True)
    bench, runs = Bench(options.work), 1 if options.quick else options.runs
    if why := bench.lacks_room(options.rows):
        parser.error(f"{options.work}: {why}")
    began = time.perf_counter()
    found: Found = {
        "machine": machine(),
        "runs": runs,
        "batch_rows": BATCH_ROWS,
        "cutoffs": [cutoff.date().isoformat() for cutoff in CUTOFFS],
        "frames": frames(bench, options.slice),
        "start": start(bench, options.slice, runs),
        "vector": bench.case("vectors", rows=options.slice, calls=500 if options.quick else 5_000),
        "comparison": compare(bench, options.rows, runs),
        "blocks": blocks(bench, min(options.growth), runs),
        "growth": growth(bench, options.growth, runs),
    }
    found["seconds"] = time.perf_counter() - began
    print(table(found))
    text = json.dumps(found, indent=1) + "\n"
    (options.work / "features.json").write_text(text, encoding="utf-8")
    if options.quick:
        print(f"written to {options.work / 'features.json'}")
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "features.json").write_text(text, encoding="utf-8")
    (options.out / "features.md").write_text(page(found), encoding="utf-8")
    print(f"written to {options.out / 'features.md'} and features.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())

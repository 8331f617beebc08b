"""How often ``ebbtide monitor`` cries wolf, and how often it sees a real shift; beside PSI and Kolmogorov-Smirnov.

    python benchmarks/monitor_false_alarms.py [--seeds 5] [--draws 400] [--out monitor_false_alarms.json]

Reference and current scores are drawn anew each time from one of five shapes, as independent customers. The verdict is
the product's own (``judge_scores`` with its default ``Threshold``). An alarm with nothing injected is a false alarm;
an alarm after 0.3 standard deviations were added to every current score is a detection; one after 0.05 is an alarm
about nothing worth acting on.

Adding a constant is an easy change for PSI and KS wherever scores pile up at a few values or at an edge, as they do in
all shapes but the normal one: the pile leaves its bin. What they find there says little about other changes.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.stats import kstwo

from serving.monitor.threshold import Threshold
from serving.monitor.verdicts import judge_scores

Floats = NDArray[np.float64]

REFERENCE_ROWS: Final = (2_249, 20_000)
"""The reference of the demo's churn champion, and that of a large shop."""
CURRENT_ROWS: Final = (200, 500, 2_000, 20_000)
SHIFTS_SD: Final = {0.0: "false alarms", 0.3: "0.3 sd shift found", 0.05: "alarms at a trivial shift of 0.05 sd"}
RARE: Final = 10
"""The trivial shift, and 20,000 current rows, are measured in every tenth draw only."""
TESTS: Final = ("ebbtide", "psi > 0.1", "psi > 0.2", "ks p < 0.05")
Z95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A distribution of scores and its standard deviation, in closed form."""

    draw: Callable[[np.random.Generator, int], Floats]
    sd: float


def _beta(a: float, b: float) -> tuple[float, float]:
    """Mean and variance."""
    return a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1))


def _mixture_sd(share: float, first: tuple[float, float], second: tuple[float, float]) -> float:
    """Standard deviation of a mixture of two (mean, variance), ``share`` of it the first."""
    (m, v), (n, w) = first, second
    return math.sqrt(share * v + (1 - share) * w + share * (1 - share) * (m - n) ** 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What was drawn, and which test looked at it."""

    shape: str
    reference_rows: int
    current_rows: int
    shift_sd: float
    test: str


SHAPES: Final = {
    "skewed churn": Shape(draw=lambda r, n: r.beta(0.8, 5, n), sd=math.sqrt(_beta(0.8, 5)[1])),
    "normal": Shape(draw=lambda r, n: r.normal(0, 1, n), sd=1.0),
    "two groups": Shape(
        draw=lambda r, n: np.where(r.random(n) < 0.15, r.beta(8, 4, n), r.beta(1, 20, n)),
        sd=_mixture_sd(0.15, _beta(8, 4), _beta(1, 20)),
    ),
    "silence rule": Shape(
        draw=lambda r, n: np.where(r.random(n) < 0.2, 0.4, 0.06), sd=_mixture_sd(0.2, (0.4, 0), (0.06, 0))
    ),
    "log-normal spend": Shape(
        draw=lambda r, n: r.lognormal(3, 1.2, n), sd=math.sqrt(math.expm1(1.2**2)) * math.exp(3 + 1.2**2 / 2)
    ),
}


def shares(edges: Floats, scores: Floats) -> Floats:
    """Share of the sorted scores in each bin (up to and including its upper edge), at least 0.0001."""
    below = np.searchsorted(scores, edges, side="right")
    return np.maximum(np.diff(below, prepend=0, append=len(scores)) / len(scores), 1e-4)


def psi(expected: Floats, found: Floats) -> float:
    """Population stability index of two lists of shares."""
    return float(((found - expected) * np.log(found / expected)).sum())


def ks_distance(reference: Floats, current: Floats) -> float:
    """Kolmogorov-Smirnov statistic; both are sorted, ties are allowed."""
    at = np.searchsorted(reference, current, side="right") / len(reference)
    before = np.searchsorted(reference, current, side="left") / len(reference)
    own = np.arange(len(current) + 1) / len(current)
    return float(max((own[1:] - at).max(), (before - own[:-1]).max()))


def measure(task: tuple[int, str, int, int]) -> tuple[Counter[Cell], Counter[Cell]]:
    """Draws and alarms by cell, of one seed, shape and reference size."""
    seed, name, reference_rows, draws = task
    shape, threshold = SHAPES[name], Threshold()
    generator = np.random.default_rng([seed, list(SHAPES).index(name), reference_rows])
    critical = {n: kstwo.isf(0.05, round(n * reference_rows / (n + reference_rows))) for n in CURRENT_ROWS}
    drawn: Counter[Cell] = Counter()
    alarmed: Counter[Cell] = Counter()
    for number in range(draws):
        reference = np.sort(shape.draw(generator, reference_rows))
        edges = np.unique(np.quantile(reference, np.linspace(0.1, 0.9, 9)))
        expected = shares(edges, reference)
        for rows in CURRENT_ROWS:
            if rows == max(CURRENT_ROWS) and number % RARE:
                continue
            same = np.sort(shape.draw(generator, rows))
            for shift in SHIFTS_SD:
                if shift == min(filter(None, SHIFTS_SD)) and number % RARE:
                    continue
                current = same + shift * shape.sd
                index = psi(expected, shares(edges, current))
                verdict = judge_scores(reference, current, target="churn", threshold=threshold)
                distant = ks_distance(reference, current) > critical[rows]
                alarms = (verdict.kind == "score_drift", index > 0.1, index > 0.2, bool(distant))
                for test, alarm in zip(TESTS, alarms, strict=True):
                    cell = Cell(shape=name, reference_rows=reference_rows, current_rows=rows, shift_sd=shift, test=test)
                    drawn[cell] += 1
                    alarmed[cell] += alarm
    return drawn, alarmed


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of a rate (Wilson, 1927)."""
    centre, spread = hits + Z95**2 / 2, Z95 * math.sqrt(hits * (total - hits) / total + Z95**2 / 4)
    low, high = (centre - spread) / (total + Z95**2), (centre + spread) / (total + Z95**2)
    return (0.0 if hits == 0 else low), (1.0 if hits == total else high)


def machine() -> dict[str, Any]:
    """What the figures were made on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }


def show(drawn: Counter[Cell], alarmed: Counter[Cell]) -> None:
    """Print, for each shift, every cell with its interval, and then the best and worst of the ten cells of a size."""
    for shift, title in SHIFTS_SD.items():
        print(f"\n{title}: % of draws [95 % interval]")
        print(f"{'shape':<17}{'reference':>10}{'current':>9}{'draws':>7}" + "".join(f"{t:>23}" for t in TESTS))
        for shape in SHAPES:
            for reference in REFERENCE_ROWS:
                for rows in CURRENT_ROWS:
                    cells = _cells(drawn, shape=shape, reference_rows=reference, current_rows=rows, shift_sd=shift)
                    rates = "".join(f"{_percent(alarmed[cell], drawn[cell]):>23}" for cell in cells)
                    print(f"{shape:<17}{reference:>10,}{rows:>9,}{drawn[cells[0]]:>7,}{rates}")
    print("\nFrom the lowest to the highest of the ten cells of a size, %; and alarms of all their draws")
    print(f"{'current':>8}{'alarm level':>14}  {'':<37}" + "".join(f"{test:>26}" for test in TESTS))
    for rows in CURRENT_ROWS:
        levels = sorted({f"{Threshold().limit(reference, rows):.2f}" for reference in REFERENCE_ROWS})
        for shift, title in SHIFTS_SD.items():
            line = f"{rows:>8,}{' to '.join(levels):>14}  {title:<37}"
            for test in TESTS:
                cells = _cells(drawn, current_rows=rows, shift_sd=shift, test=test)
                rates = [100 * alarmed[cell] / drawn[cell] for cell in cells]
                line += f"{f'{min(rates):.1f} to {max(rates):.1f}':>16}{sum(alarmed[cell] for cell in cells):>10,}"
            print(f"{line}  of {sum(drawn[cell] for cell in cells):,}")


def _cells(drawn: Counter[Cell], **wanted: object) -> list[Cell]:
    """The cells with these values, in order of the tests within a shape and size."""
    found = [cell for cell in drawn if all(getattr(cell, key) == value for key, value in wanted.items())]
    return sorted(found, key=lambda cell: TESTS.index(cell.test))


def _percent(hits: int, total: int) -> str:
    low, high = wilson(hits, total)
    return f"{100 * hits / total:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description="False alarms and power of the drift verdict, beside PSI and KS.")
    parser.add_argument("--seeds", type=int, default=5, help="independent seeds, 0 to N - 1 (default: 5)")
    parser.add_argument("--draws", type=int, default=400, help="draws a seed and cell (default: 400)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)")
    parser.add_argument("--out", type=Path, help="also write the figures there, as JSON")
    options = parser.parse_args()
    if min(options.seeds, options.draws, options.jobs) < 1:
        parser.error("--seeds, --draws and --jobs must be at least 1")
    about = machine()
    print(
        f"{about['cpu']}, {about['cores']} cores; Python {about['python']}, numpy {about['numpy']},"
        f" scipy {about['scipy']}\nseeds 0 to {options.seeds - 1}, {options.draws} draws each; every tenth of them"
        f" at {max(CURRENT_ROWS):,} current rows"
    )
    start = time.perf_counter()
    tasks = [
        (seed, name, rows, options.draws)
        for rows in sorted(REFERENCE_ROWS, reverse=True)
        for name in SHAPES
        for seed in range(options.seeds)
    ]
    drawn: Counter[Cell] = Counter()
    alarmed: Counter[Cell] = Counter()
    with ProcessPoolExecutor(options.jobs) as pool:
        for done, (some_drawn, some_alarmed) in enumerate(pool.map(measure, tasks), start=1):
            drawn.update(some_drawn)
            alarmed.update(some_alarmed)
            if sys.stderr.isatty():
                print(f"\r{done} of {len(tasks)}", end="" if done < len(tasks) else "\n", file=sys.stderr, flush=True)
    seconds = time.perf_counter() - start
    show(drawn, alarmed)
    print(f"\n{seconds:.0f} seconds with {options.jobs} processes")
    if options.out:
        document = {
            "machine": about,
            "seeds": list(range(options.seeds)),
            "draws_a_seed": options.draws,
            "seconds": round(seconds, 1),
            "cells": [
                asdict(cell) | {"draws": n, "alarms": alarmed[cell], "interval_95": wilson(alarmed[cell], n)}
                for cell, n in drawn.items()
            ],
        }
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        print(f"written to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

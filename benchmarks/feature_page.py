"""The page docs/benchmarks/features.md and the printed table, both made of what was measured and nothing else.

python -m benchmarks.feature_page docs/benchmarks/features.json > docs/benchmarks/features.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.feature_goals import goals

__all__ = ["page", "table"]

Found = dict[str, Any]

_METHOD: Final = """\
## How it was measured

- The log is made up (`benchmarks/feature_log.py`, seeded) and written by the log's own writer as one sorted segment;
  every reader may keep its footer. Cutoffs: {first} to {last}, every 28 days. A customer has a row at each cutoff
  with an event before it.
- The floor reads exactly the columns the engine reads, in the same batches of {batch_rows:,} rows, with two threads
  and without an order.
- The engine runs with two threads. Its kernel is loaded by a log of 5,000 events before the clock starts.
- SQL: DuckDB, two threads, one query a cutoff, one `FILTER` aggregate for each distinct thing measured, orders as
  `count(DISTINCT order_id)`. Tuned by hand: the first line of each order and of each day is flagged beforehand
  (counted in its time), which is right only while an order's lines share a time and cutoffs are midnights.
- pandas: one `groupby` a type and window. Polars: one lazy `group_by` with a filtered expression for each thing
  measured. Both include reading the log into the frame.
- Before each case 6 GB of memory are written to and freed: a virtual machine may get memory from its host only then,
  and the case would pay for that. The log's files are read once, so that they are in the page cache.
- Peak memory is the largest resident set of the case's process.

`make bench-features` writes this page again; `python -m benchmarks.feature_engine --quick` takes a few minutes and
writes no page."""


def table(found: Found) -> str:
    """Everything measured, as plain text."""
    return "\n".join(line for line in _body(found) if not line.startswith("|--"))


def page(found: Found) -> str:
    """The page, in Markdown."""
    head = [
        "# How fast the feature engine is",
        "",
        "<!-- Written by `make bench-features` from features.json; do not edit. -->",
        "",
    ]
    return "\n".join((*head, *_body(found))) + "\n"


def _body(found: Found) -> list[str]:
    return [
        *_machine(found),
        *_goals(found),
        *_comparison(found),
        *_growth(found),
        *_frames(found),
        *_vector(found),
        *_start(found),
        *_method(found),
    ]


def _machine(found: Found) -> list[str]:
    about = found["machine"]
    versions = ", ".join(f"{name} {version or 'not installed'}" for name, version in about["versions"].items())
    runs = f"medians of {found['runs']} runs" if found["runs"] > 1 else "a single run"
    return [
        (
            f"{about['cpu']}, {about['cores']} cores, {about['memory_bytes'] / 2**30:.0f} GiB; "
            f"Python {about['python']}, {versions}. {runs[0].upper()}{runs[1:]}; "
            "every case in a process of its own, in turns on the same log; a ratio is the median of those within a run."
        ),
        "",
    ]


def _goals(found: Found) -> list[str]:
    listed = goals(found)
    missed = [goal for goal, _, met in listed if met != "yes"]
    return [
        "## What was to be reached",
        "",
        *_rows(("goal", "found", "reached"), listed),
        "",
        f"Not reached or not measured: {'; '.join(missed)}." if missed else "All of it was reached.",
        "",
    ]


def _comparison(found: Found) -> list[str]:
    comparison = found["comparison"]
    runs, log = comparison["runs"], comparison["log"]
    features = {name: runs[name]["features"] for name in ("panel", "full")}
    listed = [
        ("floor: the panel's columns into Arrow, in the engine's batches", runs["floor"], ""),
        ("floor as one query", runs["floor_one_query"], ""),
        (
            f"panel, {features['panel']} features",
            runs["panel"],
            (
                f"{comparison['panel_per_floor']:.1f} times the floor, "
                f"{comparison['panel_per_floor_one_query']:.1f} times that of one query"
            ),
        ),
        ("floor of the full catalogue", runs["full_floor"], ""),
        (
            f"full catalogue, {features['full']} features",
            runs["full"],
            f"{comparison['full_per_floor']:.1f} times its floor",
        ),
        (
            f"SQL, the panel{_sampled(found, 'sql')}",
            comparison["sql"],
            f"{comparison['sql_per_panel']:.0f} times the panel",
        ),
        (
            f"SQL tuned by hand, the panel{_sampled(found, 'sql_tuned')}",
            comparison["sql_tuned"],
            f"{comparison['sql_tuned_per_panel']:.0f} times the panel",
        ),
    ]
    return [
        (
            f"## {log['events'] / 1e6:.1f} M events of {log['customers']:,} customers, "
            f"{len(found['cutoffs'])} cutoffs, kept in memory"
        ),
        "",
        *_rows(
            ("case", "seconds", "peak memory, GB", ""),
            [(name, f"{case['seconds']:.2f}", _gb(case), note) for name, case, note in listed],
        ),
        "",
        f"The panel has {runs['panel']['rows']:,} rows. The log takes {log['disk_bytes'] / 1e6:,.0f} MB on disk.",
        "",
    ]


def _sampled(found: Found, name: str) -> str:
    measured, all_of_them = found["comparison"][name]["cutoffs_measured"], len(found["cutoffs"])
    if measured == all_of_them:
        return ""
    return f" (measured at {measured} of {all_of_them} cutoffs, times {all_of_them // measured})"


def _growth(found: Found) -> list[str]:
    listed = []
    for size in found["growth"]:
        if "skipped" in size:
            listed.append((f"{size['rows'] / 1e6:g} M", "", "", "", "", "", f"skipped: {size['skipped']}"))
            continue
        log, panel = size["log"], size["panel"]
        listed.append(
            (
                f"{log['events'] / 1e6:.1f} M",
                f"{log['customers']:,}",
                f"{log['disk_bytes'] / 1e6:,.0f}",
                f"{panel['seconds']:.2f}",
                f"{size['per_floor']:.1f}",
                f"{size['per_linear']:.2f}",
                _gb(panel),
            )
        )
    three = found["blocks"]
    return [
        "## Growth: the panel, each batch dropped when it is done",
        "",
        *_rows(
            ("events", "customers", "MB on disk", "seconds", "times the floor", "times linear", "peak memory, GB"),
            listed,
        ),
        "",
        (
            "Loaded from three tables, so that each customer's events lie in three segments: "
            f"{three['log']['events'] / 1e6:.1f} M events take {three['panel']['seconds']:.2f} s, "
            f"{three['per_floor']:.1f} times the floor of that log."
        ),
        "",
    ]


def _frames(found: Found) -> list[str]:
    frames = found["frames"]
    log, agreed = frames["log"], frames["agreement"]
    listed = [("the engine", f"{frames['panel']['seconds']:.2f}", _gb(frames["panel"]), "")]
    for library in ("pandas", "polars"):
        case, name = frames[library], {"pandas": "pandas", "polars": "Polars"}[library]
        if "skipped" in case:
            listed.append((name, "", "", case["skipped"]))
        else:
            listed.append((name, f"{case['seconds']:.2f}", _gb(case), f"{case['per_panel']:.0f} times the engine"))
    peers = {"sql": "SQL", "sql_tuned": "tuned SQL", "pandas": "pandas", "polars": "Polars"}
    same = ", ".join(
        f"{label} {'not installed' if agreed[name] is None else format(agreed[name], '.0e')}"
        for name, label in peers.items()
    )
    return [
        f"## pandas and Polars, {log['events'] / 1e6:.1f} M events of {log['customers']:,} customers",
        "",
        *_rows(("panel by", "seconds", "peak memory, GB", ""), listed),
        "",
        (
            f"{agreed['values']:,} values of this log were compared at two cutoffs; the nulls are the same and "
            f"the largest differences, relative to 1 + the value, are: {same} (the engine's values are float32)."
        ),
        "",
    ]


def _vector(found: Found) -> list[str]:
    vector = found["vector"]
    listed = [
        (f"vector of {vector['features']} features from a state in memory", "vector"),
        (f"the same from the state's {vector['state_bytes']:,} bytes", "decode_and_vector"),
        ("`Booster.predict`, one row, defaults", "booster_predict"),
        ("`Booster.predict`, one row, one thread", "booster_predict_one_thread"),
        ("LightGBM's C API, single row, as served", "c_api_single_row"),
    ]
    return [
        f"## One customer with {vector['events']} events",
        "",
        *_rows(("call", "µs, median"), [(name, f"{vector[key]:.1f}") for name, key in listed]),
        "",
        (
            f"The model has {vector['trees']} trees of {vector['leaves']} leaves over {vector['features']} features; "
            f"{vector['calls']:,} calls each, in turns."
        ),
        "",
    ]


def _start(found: Found) -> list[str]:
    listed = [
        (name, f"{case['first_seconds']:.2f}", f"{1e6 * case['second_seconds']:.0f}", f"{case['wall_seconds']:.1f}")
        for name, case in (("cold: nothing compiled", found["start"]["cold"]), ("warm", found["start"]["warm"]))
    ]
    return [
        "## Start of the kernel",
        "",
        *_rows(("cache", "first vector, s", "second vector, µs", "whole process, s"), listed),
        "",
    ]


def _method(found: Found) -> list[str]:
    first, *_, last = found["cutoffs"]
    return _METHOD.format(first=first, last=last, batch_rows=found["batch_rows"]).splitlines()


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return [text[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *text[1:]]


def _gb(case: Found) -> str:
    return f"{case['peak_bytes'] / 1e9:.1f}"


if __name__ == "__main__":
    sys.stdout.write(page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))

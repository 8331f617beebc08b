"""``ebbtide simulate``: a plan into a folder, chunk by chunk, in an order that does not depend on the threads."""

from __future__ import annotations

import json
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.simulate.arrow import Texts, customer_texts, to_table
from pipelines.simulate.by_day import split_by_day
from pipelines.simulate.calendar import Calendar, make_calendar
from pipelines.simulate.faulty_rows import DIRT
from pipelines.simulate.folder import WORLD_FILE, Growing, whole_folder, write_parquet
from pipelines.simulate.generate import draw_chunk, rows_of
from pipelines.simulate.plan import Plan
from pipelines.simulate.project_file import project_text
from pipelines.simulate.rows import texts
from pipelines.simulate.tables import customer_table, shop_tables
from pipelines.simulate.targets import targets_of
from pipelines.simulate.truth_tables import chunk_truth, cutoff_days, shop_truth

__all__ = ["SimulationReport", "simulate"]

_ROW_GROUP = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationReport:
    """What was written.

    Parameters
    ----------
    out : Path
    preset : str
    customers, rows, duplicates : int
        Customers with those who were invited; rows of ``events/``, second deliveries and dirt included; second
        deliveries among them.
    dirty : dict of str to int
        Rows that ``ingest`` puts aside, by reason.
    truths : int
        Rows of ``truth/targets.parquet``.
    """

    out: Path
    preset: str
    customers: int
    rows: int
    duplicates: int
    dirty: dict[str, int]
    truths: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "out": str(self.out),
            "preset": self.preset,
            "customers": self.customers,
            "rows": self.rows,
            "duplicates": self.duplicates,
            "dirty": self.dirty,
            "truths": self.truths,
        }


def simulate(
    plan: Plan,
    out: Path,
    *,
    threads: int | None = None,
    force: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> SimulationReport:
    """Write a simulation.

    Parameters
    ----------
    plan : Plan
        From :func:`pipelines.simulate.arguments.make_plan`.
    out : Path
        Folder to make.
    threads : int, optional
        All processors if not given; the bytes are the same.
    force : bool
        Replace an earlier simulation.
    say : callable, optional
        Receives lines of progress.

    Raises
    ------
    UsageError, DiskFullError
        As :func:`pipelines.simulate.folder.whole_folder`; then nothing is left behind.
    """
    counts: Counter[str] = Counter()
    with whole_folder(out, force=force) as folder:
        calendar = make_calendar(plan)
        for name, table in shop_tables(plan, calendar).items():
            write_parquet(folder / f"{name}.parquet", table)
        for name, table in shop_truth(plan, calendar).items():
            write_parquet(folder / "truth" / f"{name}.parquet", table)
        with Growing(folder) as files:
            for number, (tables, found) in enumerate(_chunks(plan, calendar, folder, threads)):
                for name, table in tables.items():
                    files.append(name, table)
                counts += found
                if (number + 1) % 20 == 0 or number + 1 == plan.chunks:
                    say(f"{number + 1} of {plan.chunks} chunks, {counts['rows']:,} rows")
        if plan.by_day:
            say("split by day of receipt")
            split_by_day(folder / "events", folder / "events")
            for part in (folder / "events").glob("part-*.parquet"):
                part.unlink()
        (folder / "ebbtide.toml").write_text(project_text(plan), encoding="utf-8")
        report = SimulationReport(
            out=out,
            preset=plan.world.name,
            customers=counts["customers"],
            rows=counts["rows"],
            duplicates=counts["duplicates"],
            dirty={reason: counts[reason] for reason in DIRT},
            truths=counts["truths"],
        )
        written = plan.to_dict() | {"counts": {k: v for k, v in report.to_dict().items() if k not in ("out", "preset")}}
        (folder / WORLD_FILE).write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    return report


def _chunks(
    plan: Plan, calendar: Calendar, folder: Path, threads: int | None
) -> Iterator[tuple[dict[str, pa.Table], Counter[str]]]:
    """Chunks in their order; a few are under way at a time, so that memory does not grow with their number."""
    count = threads or len(os.sched_getaffinity(0))
    named: dict[str, Texts] = {name: pa.array(values, pa.string()) for name, values in texts(plan, calendar).items()}
    waiting: deque[Future[tuple[dict[str, pa.Table], Counter[str]]]] = deque()
    pool = ThreadPoolExecutor(count)
    try:
        for chunk in range(plan.chunks):
            waiting.append(pool.submit(_chunk, plan, calendar, folder, named, chunk))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _chunk(
    plan: Plan, calendar: Calendar, folder: Path, named: dict[str, Texts], chunk: int
) -> tuple[dict[str, pa.Table], Counter[str]]:
    """Write a chunk's events into a file of its own; its other tables are for files that all chunks share."""
    latent = draw_chunk(plan, calendar, chunk)
    rows = rows_of(plan, calendar, latent)
    ids = customer_texts(chunk, latent.people.size)
    events = to_table(rows, chunk, ids, named)
    write_parquet(folder / "events" / f"part-{chunk:06d}.parquet", events, row_group=_ROW_GROUP)
    truth = chunk_truth(plan, calendar, latent, targets_of(plan.world), cutoff_days(plan))
    tables = {"customers": customer_table(plan, latent)} | {f"truth/{name}": table for name, table in truth.items()}
    counts = Counter({DIRT[kind]: int((rows.dirt == kind).sum()) for kind in range(len(DIRT))})
    counts["customers"], counts["rows"], counts["truths"] = latent.people.size, rows.size, truth["targets"].num_rows
    counts["duplicates"] = rows.second
    return tables, counts

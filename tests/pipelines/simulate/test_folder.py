"""The folder: the same bytes on any number of threads, whole or not there at all, and readable day by day."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from features.errors import CutoffError, UsageError
from pipelines.simulate import PRESETS, by_day, make_plan, plan_of, simulate, truth_at
from tests.pipelines.simulate.shops import sql, write
from training.labels import Target, TargetKind

SHOP = {"customers": 700, "days": 120, "seed": 9, "late": 0.05, "duplicates": 0.01, "dirty": 0.01}
COMMAND = "from pipelines.cli import main; main()"


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def ebbtide(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", COMMAND, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, **more)  # type: ignore[call-overload]


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    """With one thread here, three here, and in another process; another seed gives other events and truth."""
    one = write(tmp_path / "one", "marketplace", threads=1, **SHOP | {"customers": 2000})
    write(tmp_path / "three", "marketplace", threads=3, **SHOP | {"customers": 2000})
    assert one.chunks >= 1
    first = digests(tmp_path / "one")
    assert digests(tmp_path / "three") == first
    rates = ("--late", "0.05", "--duplicates", "0.01", "--dirty", "0.01", "--seed", "9")
    done = ebbtide(
        *("simulate", "--preset", "marketplace", "--customers", "2000", "--days", "120"),
        *(*rates, "--out", str(tmp_path / "process"), "--threads", "2", "--json"),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["customers"] > 2000
    assert digests(tmp_path / "process") == first
    write(tmp_path / "other", "marketplace", threads=1, **SHOP | {"customers": 2000, "seed": 10})
    other = digests(tmp_path / "other")
    assert other.keys() == first.keys()
    assert {name for name in first if first[name] == other[name]} <= {
        *(
            "campaigns.parquet",
            "coupons.parquet",
            "truth/faults.parquet",
            "truth/levels.parquet",
            "truth/seasons.parquet",
        ),
    }


def test_more_customers_leave_the_first_as_they_were(tmp_path: Path) -> None:
    """A chunk does not depend on the ones after it."""
    few = write(tmp_path / "few", "grocery", customers=320, days=365, seed=1)
    more = write(tmp_path / "more", "grocery", customers=640, days=365, seed=1)
    assert (few.chunks, more.chunks) == (1, 2)
    part = "events/part-000000.parquet"
    assert digests(tmp_path / "few")[part] == digests(tmp_path / "more")[part]


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    plan = write(tmp_path / "shop", "bg-nbd", customers=50, days=60)
    with pytest.raises(UsageError, match="--force"):
        simulate(plan, tmp_path / "shop")
    longer = make_plan("bg-nbd", customers=70, days=60)
    assert simulate(longer, tmp_path / "shop", force=True).customers == 70
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(UsageError, match="no simulation"):
        simulate(plan, tmp_path / "mine", force=True)
    with pytest.raises(UsageError, match="is a file"):
        simulate(plan, tmp_path / "mine" / "thesis.txt", force=True)
    (tmp_path / "empty").mkdir()
    simulate(plan, tmp_path / "empty")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "mine", "shop"]


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """Files may grow to 200 kB: the error of a full disk, one sentence, and no folder."""
    done = ebbtide(
        *(
            "simulate",
            "--preset",
            "marketplace",
            "--customers",
            "500",
            "--days",
            "120",
            "--out",
            str(tmp_path / "shop"),
        ),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )
    assert done.returncode == 1
    assert "does not fit on the disk" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_kill_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COMMAND, "simulate", "--preset", "marketplace", "--customers", "60000"]
    command += ["--days", "365", "--out", str(tmp_path / "shop")]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while not list(tmp_path.glob(".*/events/*.parquet")):
            assert running.poll() is None
    finally:
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=30)
    assert not (tmp_path / "shop").exists()
    left = list(tmp_path.iterdir())
    assert [path.name.startswith(".shop.partial-") for path in left] == [True]
    assert not (left[0] / "truth" / "world.json").exists()


@pytest.mark.slow
def test_day_by_day_is_the_same_log(tmp_path: Path) -> None:
    write(tmp_path / "whole", "marketplace", **SHOP)
    write(tmp_path / "days", "marketplace", by_day=True, **SHOP)
    names = sorted(path.name for path in (tmp_path / "days" / "events").iterdir())
    assert names[0] == "received=2023-01-01.parquet"
    assert len(names) > 120
    for query in (
        "SELECT count(*), count(DISTINCT event_id), sum((amount * 100)::BIGINT) FROM {events} WHERE isfinite(amount)",
        "SELECT event_id, epoch_us(received_at), customer_id FROM {events} ORDER BY ALL LIMIT 500",
    ):
        assert sql(tmp_path / "whole", query) == sql(tmp_path / "days", query)
    both = [list(by_day(tmp_path / name)) for name in ("whole", "days")]
    assert [day for day, _ in both[0]] == [day for day, _ in both[1]]
    assert both[0][0][0] == date(2023, 1, 1)
    for (day, first), (_, second) in zip(*both, strict=True):
        received = first["received_at"].to_pylist()
        assert {moment.date() for moment in received} == {day}
        assert first.sort_by("event_id")["event_id"] == second.sort_by("event_id")["event_id"]


def test_truth_at_is_the_truth_of_the_files(tmp_path: Path) -> None:
    plan = write(tmp_path / "shop", "marketplace", **SHOP)
    assert plan_of(tmp_path / "shop") == plan
    query = """SELECT customer_id, target, kind, value, outcome, method, standard_error FROM '{truth}/targets.parquet'
        WHERE cutoff = TIMESTAMPTZ '2023-04-17' ORDER BY target, customer_id"""
    names = ["customer_id", "target", "kind", "value", "outcome", "method", "standard_error"]
    again = truth_at(tmp_path / "shop", "2023-04-17").select(names)
    ordered = again.sort_by([("target", "ascending"), ("customer_id", "ascending")])
    rows = [tuple(row.values()) for row in ordered.to_pylist()]
    assert rows == sql(tmp_path / "shop", query)
    assert len(rows) > 500
    visits = Target(
        name="away", kind=TargetKind.CHURN, event_types=("session",), active_within_days=9, gap_days=2, horizon_days=7
    )
    other = truth_at(tmp_path / "shop", "2023-04-18", targets=[visits])
    assert isinstance(other, pa.Table)
    assert 0 < other.num_rows < 700
    last = truth_at(tmp_path / "shop", "2023-05-01")
    assert last["outcome"].null_count == last.num_rows > 0


def test_truth_that_is_not_known_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "shop", "marketplace", customers=64, days=60)
    days = {"active_within_days": 30, "horizon_days": 90}
    far = Target(name="far", kind=TargetKind.CHURN, event_types=("purchase",), **days)
    odd = Target(name="odd", kind=TargetKind.CONVERSION, event_types=("review",), active_within_days=9, horizon_days=7)
    with pytest.raises(UsageError, match=r"(?s)far: gap and horizon are 90.*odd: event_types \['review'\]"):
        truth_at(tmp_path / "shop", "2023-02-01", targets=[far, odd])
    for cutoff, message in (("2023-02-01T12:00Z", "no midnight"), ("2023-01-01", "outside"), ("2024-01-01", "outside")):
        with pytest.raises(CutoffError, match=message):
            truth_at(tmp_path / "shop", cutoff)
    with pytest.raises(UsageError, match="no simulation"):
        truth_at(tmp_path, "2023-02-01")
    with pytest.raises(UsageError, match="no simulation"):
        next(by_day(tmp_path))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_smallest_shops(tmp_path: Path, preset: str) -> None:
    for customers, days in ((1, 1), (3, 40)):
        out = tmp_path / f"{customers}"
        plan = make_plan(preset, customers=customers, days=days, seed=2)
        assert simulate(plan, out, threads=1).customers >= customers
        assert truth_at(out, plan.end.isoformat()).num_rows >= 0
        assert list(by_day(out)) or not sql(out, "SELECT * FROM {events}")

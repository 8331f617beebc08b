"""Peak memory and time of one target's training, with the panel's values in memory and in a file.

``make bench-panel`` (about 4 minutes on two cores; ``--quick`` 1). Feature tables are generated, then go through
:func:`training.panel.panels_from_tables` and :func:`training.train.train`; each case is a process of its own. Peak
memory is that of the process (``ru_maxrss``), after the panel and after the training. The cases must agree on the model
to the last bit. A small panel shows what either way costs where neither is needed. Trees are capped at 10: more of them
take more time and no more memory.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from features.catalogue import TypeTraits, catalogue
from features.clock import DAY_US, to_us
from features.definition import Aggregation, Base
from features.feature_table import FeatureTable
from features.plan import Plan, compile_plan
from training import fit
from training.labels import Target, TargetKind
from training.panel import panels_from_tables
from training.train import train

START = datetime(2023, 1, 2, tzinfo=UTC)
CUTOFFS = [START + timedelta(days=60 + 7 * week) for week in range(50)]
TYPES = ["purchase", "refund", "view", "cart_add", "coupon_redeem"]
CHURN = Target(name="churn", kind=TargetKind.CHURN, event_types=("purchase",), active_within_days=60, horizon_days=28)
BATCH_CUSTOMERS = 1_000
MOST_TREES = 10


def plan_of(width: int) -> Plan:
    """Plan of so many features of a shop with several event types."""
    fields = {"purchase": {"amount", "discount", "order_id"}, "refund": {"amount"}}
    features = catalogue({name: TypeTraits(fields=frozenset(fields.get(name, ()))) for name in TYPES})
    if len(features) < width:
        raise SystemExit(f"the catalogue has {len(features)} features for these events; ask for at most so many")
    return compile_plan(features[:width], timezone="UTC", extra=CHURN.bases())


def tables(plan: Plan, customers: int) -> Iterator[FeatureTable]:
    """Batches of customers, each eligible at every cutoff; the outcome shows in a fifth of the features."""
    width, last = len(plan.feature_names), plan.base_index(Base(aggregation=Aggregation.LAST, event_type="purchase"))
    when = np.array([to_us(cutoff) for cutoff in CUTOFFS], dtype=np.int64)
    for first in range(0, customers, BATCH_CUSTOMERS):
        count = min(BATCH_CUSTOMERS, customers - first)
        random, rows = np.random.default_rng(first), count * when.size
        values = random.standard_normal((rows, width), dtype=np.float32)
        base = np.zeros((rows, len(plan.base)), dtype=np.int64)
        cutoff_us = np.tile(when, count)
        base[:, last] = cutoff_us - 10 * DAY_US
        pull = random.standard_normal(rows, dtype=np.float32)
        values[:, ::5] = pull[:, None] + 0.3 * values[:, ::5]
        bought = random.random(rows) > 1.0 / (1.0 + np.exp(-1.5 * pull))
        yield FeatureTable(
            customer_ids=np.arange(first, first + count).astype(object),
            customer=np.repeat(np.arange(count), when.size),
            cutoff_us=cutoff_us,
            base=base,
            values=values,
            outcomes=bought.astype(np.int64).reshape(-1, 1),
        )


def run(case: str, customers: int, width: int, threads: int) -> dict[str, object]:
    """One case in this process: seconds, peak memory in MB after either step, checksum of the model."""
    fit._MAX_TREES = MOST_TREES  # type: ignore[misc]  # noqa: SLF001 - only this script caps the trees
    plan, started = plan_of(width), time.perf_counter()
    found: dict[str, object] = {"case": case, "before_mb": _peak_mb()}
    with tempfile.TemporaryDirectory() as folder:
        options = {}
        if case != "as it was":  # by hand, in a checkout before the file
            from training.spill import Spill

            options = {"spill": Spill(folder=Path(folder), memory_bytes=0 if case == "file" else 1 << 62)}
        made = panels_from_tables(
            tables(plan, customers), plan, [CHURN], {"churn": CUTOFFS}, first_event=START, **options
        )
        panel = made.pop("churn")
        found |= {"rows": len(panel), "panel_s": time.perf_counter() - started, "panel_mb": _peak_mb()}
        started = time.perf_counter()
        trained = train(panel, seed=7, threads=threads)
        found |= {"train_s": time.perf_counter() - started, "train_mb": _peak_mb(), "trees": trained.trees}
    found["model"] = hashlib.sha256(f"{trained.served}{trained.evaluated}".encode()).hexdigest()[:12]
    return found


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run the cases one after the other and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="600,000 rows instead of 3,000,000")
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--customers", type=int, help="each has a row at 50 cutoffs")
    parser.add_argument("--case", help="run this case in this process and print JSON")
    given = parser.parse_args()
    large = given.customers or (12_000 if given.quick else 60_000)
    if given.case:
        print(json.dumps(run(given.case, large, given.features, given.threads)))
        return
    print(
        f"{'case':8} {'rows':>10} {'values MB':>10} {'panel s':>8} {'train s':>8} {'panel MB':>8} {'train MB':>8} model"
    )
    for customers in (1_000, large):
        models = set()
        for case in ("memory", "file"):
            command = [sys.executable, __file__, "--case", case, "--customers", str(customers)]
            command += ["--features", str(given.features), "--threads", str(given.threads)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            row = json.loads(done.stdout)
            models.add(row["model"])
            print(
                f"{case:8} {row['rows']:10,} {row['rows'] * given.features * 4 / 1e6:10,.0f} {row['panel_s']:8.1f} "
                f"{row['train_s']:8.1f} {row['panel_mb']:8,.0f} {row['train_mb']:8,.0f} {row['model']}",
                flush=True,
            )
        if len(models) > 1:
            raise SystemExit("the models differ")


if __name__ == "__main__":
    main()

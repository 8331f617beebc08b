"""Small shops for tests: an ``ebbtide.toml``, a table of orders, a clock that stands still."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.workspace import Workspace, open_workspace

START = datetime(2024, 1, 1, tzinfo=UTC)

TOML = """
[project]
name = "shop"
timezone = "{timezone}"
[[events]]
name = "orders"
path = "orders.parquet"
event_type = "'purchase'"
customer_id = "customer"
event_time = "{event_time}"
order_id = "basket"
amount = "amount"
{block}
[targets.churn]
kind = "churn"
active_within_days = 28
horizon_days = 14
{extra}
"""

Order = tuple[str, float, float]
"""Customer, days after :data:`START`, amount."""


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def write_orders(folder: Path, orders: Sequence[Order]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {
            "customer": pa.array([customer for customer, _, _ in orders], pa.string()),
            "ts": pa.array([day(days) for _, days, _ in orders], pa.timestamp("us", tz="UTC")),
            "basket": pa.array([f"b{position}" for position in range(len(orders))], pa.string()),
            "amount": pa.array([amount for _, _, amount in orders], pa.float64()),
        }
    )
    pq.write_table(table, folder / "orders.parquet")


def write_config(
    folder: Path, *, timezone: str = "UTC", event_time: str = "ts", block: str = "", extra: str = ""
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ebbtide.toml"
    path.write_text(TOML.format(timezone=timezone, event_time=event_time, block=block, extra=extra), encoding="utf-8")
    return path


def shop(folder: Path, orders: Sequence[Order], *, now: datetime, timezone: str = "UTC", **config: str) -> Workspace:
    write_orders(folder, orders)
    return open_workspace(write_config(folder, timezone=timezone, **config), clock=lambda: now)


def random_orders(customers: int, days: int, *, seed: int = 3) -> list[Order]:
    """Customers who buy about once a week until, one by one, they stop."""
    generator = np.random.default_rng(seed)
    orders: list[Order] = []
    for number in range(customers):
        pace, end = generator.uniform(4, 12), generator.exponential(days)
        when = generator.uniform(0, 20)
        while when < min(end, days):
            orders.append((f"c{number:04d}", float(when), float(np.round(generator.gamma(3, 10), 2))))
            when += generator.exponential(pace)
    return orders

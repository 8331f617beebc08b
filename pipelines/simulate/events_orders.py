"""Events of orders: purchase lines, delivery, return, refund, review, points."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.clock import DAY_US, HOUR_US
from pipelines.simulate.draws import Floats, Ints, pick, rank_within, stream, sums
from pipelines.simulate.events_visits import favourite_items, session_channel
from pipelines.simulate.scene import Scene
from pipelines.simulate.tables import item_prices
from pipelines.simulate.vocabulary import CHANNELS, DEVICES, PAGES, SOURCES, kind

__all__ = ["add_orders"]

_RATINGS: Final = (0.04, 0.05, 0.11, 0.3, 0.5)
_POINTS_DAYS: Final = 180


def add_orders(scene: Scene) -> None:
    """Everything that follows from an order but coupons and service."""
    draw = stream(scene.plan.seed, "rows of orders", scene.latent.chunk)
    _purchases(scene, draw)
    if scene.plan.world.bg_nbd is not None:
        return
    orders, latent = scene.latent.orders, scene.latent
    every = np.arange(orders.day.size)

    def add(event_type: str, rows: Ints, time: Ints, **columns: int | Ints | Floats) -> None:
        scene.rows.add(event_type, orders.customer[rows], time, order_id=scene.key(rows), **columns)

    late = draw.random(every.size) < 0.08
    delivered = orders.time + ((1.0 + draw.random(every.size) + 4.0 * late) * DAY_US).astype(np.int64)
    add("delivered", every, delivered, value=(delivered - orders.time) // HOUR_US / 1.0)
    back = np.flatnonzero(latent.refunded_day >= 0)
    refunded = orders.time[back] + (latent.refunded_day - orders.day)[back] * DAY_US
    why = np.where(draw.random(back.size) < 0.4, kind("damaged"), kind("unwanted"))
    add("return", back, refunded - 8 * HOUR_US, kind=why)
    add("refund", back, refunded, amount=orders.amount[back])
    messages = scene.plan.world.messages
    reviewed = np.flatnonzero(draw.random(every.size) < (messages.reviews if messages is not None else 0.0))
    item = favourite_items(scene, draw, orders.customer[reviewed])
    add(
        "review",
        reviewed,
        delivered[reviewed] + (draw.exponential(2.0, reviewed.size) * DAY_US).astype(np.int64),
        rating=(1 + pick(draw, _RATINGS, reviewed.size)).astype(np.float64),
        item_id=item,
        category=scene.category(item),
    )
    if scene.plan.world.levels is not None:
        _points(scene, draw, delivered)


def _purchases(scene: Scene, draw: np.random.Generator) -> None:
    latent, orders = scene.latent, scene.latent.orders
    size = orders.day.size
    counts = np.ones(size, dtype=np.int64)
    if scene.plan.world.bg_nbd is None:
        counts += draw.poisson(scene.plan.world.funnel.more_lines, size)
    cents = np.round(orders.amount * 100).astype(np.int64)
    counts = np.maximum(1, np.minimum(counts, cents))
    lines = np.repeat(np.arange(size), counts)
    item = favourite_items(scene, draw, orders.customer[lines])
    line_cents = _split(cents, lines, item_prices(scene.plan)[item])
    shelf = np.round(np.where(draw.random(size) < 0.3, 0.1, 0.0)[lines] * line_cents) / 100
    columns: dict[str, int | Ints | Floats] = {
        "item_id": item,
        "category": scene.category(item),
        "amount": line_cents / 100,
        "discount": np.where(shelf > 0, shelf, np.nan),
        "quantity": (1 + draw.poisson(0.3, lines.size)).astype(np.float64),
        "order_id": scene.key(lines),
    }
    if scene.plan.world.bg_nbd is None:
        visit, watch = orders.visit[lines], orders.watch[lines]
        by_visit = visit >= 0
        app = DEVICES.index("ios")
        device = np.where(by_visit, latent.visits.device[visit] if latent.visits.day.size else app, app)
        columns |= {
            "device": device,
            "channel": np.where(by_visit, session_channel(device), CHANNELS.index("app")),
            "page": PAGES.index("payment"),
            "session_id": np.where(by_visit, scene.key(visit), -1),
            "source": np.where(by_visit, -1, SOURCES.index("live")),
        }
        if scene.calendar.live is not None and latent.watches.session.size:
            session = latent.watches.session[watch]
            columns["live_id"] = np.where(by_visit, -1, session)
            columns["host_id"] = np.where(by_visit, -1, scene.calendar.live.host[session])
    scene.rows.add("purchase", orders.customer[lines], orders.time[lines], **columns)


def _split(cents: Ints, lines: Ints, weight: Floats) -> Ints:
    """Each line's cents: at least 1, the rest by weight, what rounding leaves on the first line."""
    total = sums(lines, weight, cents.size)
    count = np.bincount(lines, minlength=cents.size)
    share = 1 + np.floor((cents - count)[lines] * weight / total[lines]).astype(np.int64)
    first = rank_within(lines) == 0
    left = cents - sums(lines, share / 1.0, cents.size).astype(np.int64)
    share[first] += left[lines[first]]
    return share


def _points(scene: Scene, draw: np.random.Generator, delivered: Ints) -> None:
    """A point a unit of money on delivery; a customer's next order spends the lot, or it expires after 180 days."""
    orders = scene.latent.orders
    points = np.floor(orders.amount)
    earning = np.flatnonzero(points > 0)

    def add(event_type: str, rows: Ints, time: Ints, value: Floats) -> None:
        scene.rows.add(event_type, orders.customer[rows], time, order_id=scene.key(rows), value=value)

    add("points_earned", earning, delivered[earning], points[earning])
    follows = np.append(orders.customer[1:] == orders.customer[:-1], False) if points.size else points > 0
    following = np.minimum(np.arange(points.size) + 1, max(0, points.size - 1))
    gap = orders.time[following] - delivered
    spends = follows & (gap > 0) & (gap < _POINTS_DAYS * DAY_US) & (points > 0) & (draw.random(points.size) < 0.4)
    lots = np.flatnonzero(spends)
    add("points_spent", following[lots], orders.time[following[lots]], points[lots])
    lapsed = np.flatnonzero(~spends & (points > 0))
    add("points_expired", lapsed, delivered[lapsed] + _POINTS_DAYS * DAY_US, points[lapsed])

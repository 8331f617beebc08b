"""Events of service: tickets opened and closed, satisfaction after them, recommendation after deliveries."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.clock import DAY_US, HOUR_US
from pipelines.simulate.draws import pick, stream
from pipelines.simulate.scene import Scene
from pipelines.simulate.vocabulary import CHANNELS, DIMENSIONS, kind

__all__ = ["add_service"]

_REASONS: Final = ("delivery", "payment", "product", "other")
_CSAT: Final = (0.08, 0.08, 0.14, 0.3, 0.4)
_NPS: Final = (0.03, 0.01, 0.02, 0.03, 0.03, 0.07, 0.07, 0.14, 0.2, 0.2, 0.2)


def add_service(scene: Scene) -> None:
    """A ticket about some orders; a survey after some closed tickets and some orders."""
    spec, orders = scene.plan.world.messages, scene.latent.orders
    if spec is None:
        return
    draw = stream(scene.plan.seed, "rows of service", scene.latent.chunk)
    size = orders.day.size
    rows = np.flatnonzero(draw.random(size) < spec.tickets)
    opened = orders.time[rows] + (draw.exponential(3.0, rows.size) * DAY_US).astype(np.int64)
    reason = np.array([kind(name) for name in _REASONS])[pick(draw, (0.4, 0.15, 0.3, 0.15), rows.size)]
    email, order = CHANNELS.index("email"), scene.key(rows)
    scene.rows.add("support_ticket", orders.customer[rows], opened, kind=reason, channel=email, order_id=order)
    took = np.round(draw.exponential(20.0, rows.size) * 3600 + 600)
    closed = opened + (took * 1e6).astype(np.int64)
    scene.rows.add(
        "ticket_closed",
        orders.customer[rows],
        closed,
        kind=reason,
        channel=email,
        order_id=order,
        duration_seconds=took,
    )
    asked = np.flatnonzero(draw.random(rows.size) < 0.5)
    scene.rows.add(
        "survey",
        orders.customer[rows[asked]],
        closed[asked] + HOUR_US,
        kind=kind("csat"),
        rating=(1 + pick(draw, _CSAT, asked.size)).astype(np.float64),
        dimension=DIMENSIONS.index("service"),
    )
    rows = np.flatnonzero(draw.random(size) < spec.surveys)
    scene.rows.add(
        "survey",
        orders.customer[rows],
        orders.time[rows] + 7 * DAY_US,
        kind=kind("nps"),
        rating=pick(draw, _NPS, rows.size).astype(np.float64),
        dimension=pick(draw, (0.7, 0.15, 0.0, 0.15), rows.size),
    )

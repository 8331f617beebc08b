"""A chunk from beginning to end: drawn, told as rows, broken, delivered."""

from __future__ import annotations

import numpy as np

from features.clock import DAY_US
from pipelines.simulate.bg_nbd import draw_bg_nbd
from pipelines.simulate.calendar import Calendar
from pipelines.simulate.events_loyalty import add_loyalty
from pipelines.simulate.events_messages import add_campaigns, add_messages
from pipelines.simulate.events_orders import add_orders
from pipelines.simulate.events_service import add_service
from pipelines.simulate.events_social import add_live, add_social
from pipelines.simulate.events_visits import add_visits
from pipelines.simulate.faulty_rows import Delivered, break_logging, deliver
from pipelines.simulate.latent import Latent, draw_latent
from pipelines.simulate.plan import Plan
from pipelines.simulate.scene import Scene

__all__ = ["draw_chunk", "rows_of"]


def draw_chunk(plan: Plan, calendar: Calendar, chunk: int) -> Latent:
    """What a chunk's customers did, by the world's process."""
    return draw_bg_nbd(plan, chunk) if plan.world.bg_nbd is not None else draw_latent(plan, calendar, chunk)


def rows_of(plan: Plan, calendar: Calendar, latent: Latent) -> Delivered:
    """A chunk's log in order of receipt."""
    scene = Scene(plan=plan, calendar=calendar, latent=latent)
    add_orders(scene)
    if plan.world.bg_nbd is None:
        add_visits(scene)
        add_loyalty(scene)
        add_social(scene)
        add_live(scene)
        add_messages(scene)
        add_campaigns(scene)
        add_service(scene)
    frame = scene.rows.frame(plan.start_us + plan.days * DAY_US)
    broken, number = break_logging(plan, frame, np.arange(frame.size), latent.chunk)
    return deliver(plan, broken, number, latent.chunk)

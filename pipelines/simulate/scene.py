"""What the families of events are given: a chunk that was drawn, and where their rows go."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipelines.simulate.calendar import Calendar
from pipelines.simulate.draws import Ints
from pipelines.simulate.latent import Latent
from pipelines.simulate.plan import Plan
from pipelines.simulate.rows import Rows

__all__ = ["Scene"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A chunk on its way to rows."""

    plan: Plan
    calendar: Calendar
    latent: Latent
    rows: Rows = field(default_factory=Rows)

    def key(self, rows: Ints) -> Ints:
        """Ids of visits or orders: the chunk's number, then the row's."""
        return np.asarray((self.latent.chunk << 32) + rows)

    def category(self, item: Ints) -> Ints:
        """Category of an item."""
        return np.asarray(item % self.plan.world.funnel.categories)

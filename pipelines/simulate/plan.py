"""What is to be simulated: the world, its size, seed and dates, the rates of dirt, the injections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from features.clock import DAY_US
from pipelines.simulate.injections import Injection
from pipelines.simulate.world import World

__all__ = ["DEFAULT_START", "VERSION", "Plan"]

VERSION: Final = 1
"""Of the generator: the same version, plan and seed give the same bytes."""
DEFAULT_START: Final = date(2023, 1, 1)
_CHUNK_ROWS: Final = 250_000
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One simulation; build it with :func:`pipelines.simulate.arguments.make_plan`, which checks everything.

    Parameters
    ----------
    world : World
    customers : int
        Of the first generation; invited customers come on top.
    start : date
        First day of the log, UTC.
    days : int
    seed : int
    late, duplicates, dirty : float
        Shares of rows that arrive late, that are delivered twice, and (added) that cannot be events.
    injections : tuple of Injection
    truth_every : int
        Days between the cutoffs of ``truth/targets.parquet``; 0: none.
    by_day : bool
        One file a day of receipt instead of one a chunk of customers.
    """

    world: World
    customers: int
    start: date
    days: int
    seed: int
    late: float = 0.02
    duplicates: float = 0.005
    dirty: float = 0.002
    injections: tuple[Injection, ...] = ()
    truth_every: int = 7
    by_day: bool = False

    @property
    def start_us(self) -> int:
        """Epoch microseconds of the first midnight."""
        return (self.start - _EPOCH).days * DAY_US

    @property
    def end(self) -> date:
        """First day after the log."""
        return self.start + timedelta(days=self.days)

    def day(self, moment: date) -> int:
        """Number of a calendar day, 0 on the first."""
        return (moment - self.start).days

    @property
    def chunk_customers(self) -> int:
        """Customers generated at once: about 250,000 rows, whatever the number of threads."""
        wanted = _CHUNK_ROWS / (self.world.events_a_customer_day * self.days)
        return int(min(4096, max(64, 64 * round(wanted / 64))))

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-self.customers // self.chunk_customers)

    def chunk_size(self, chunk: int) -> int:
        """First-generation customers of one chunk."""
        return min(self.chunk_customers, self.customers - chunk * self.chunk_customers)

    def injected(self, kind: str) -> tuple[Injection, ...]:
        """Injections of one kind."""
        return tuple(one for one in self.injections if one.kind == kind)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, from which :func:`pipelines.simulate.arguments.plan_from_dict` makes the plan again."""
        return {
            "version": VERSION,
            "world": self.world.to_dict(),
            "customers": self.customers,
            "start": self.start.isoformat(),
            "days": self.days,
            "seed": self.seed,
            "late": self.late,
            "duplicates": self.duplicates,
            "dirty": self.dirty,
            "injections": [one.to_dict() for one in self.injections],
            "truth_every": self.truth_every,
            "by_day": self.by_day,
        }

"""The shop's calendar: how much is visited each day, the live sessions, the campaigns and where a fault lies.

It goes on for :data:`LOOK_AHEAD` days after the log's end, so that the truth at the last cutoffs is known too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from features.clock import DAY_US, HOUR_US
from pipelines.simulate.draws import Floats, Ints, pick, stream, sums
from pipelines.simulate.plan import Plan
from pipelines.simulate.vocabulary import DEVICES
from pipelines.simulate.world import Bump, Season

__all__ = ["LOOK_AHEAD", "Calendar", "LiveSchedule", "make_calendar", "season_of"]

LOOK_AHEAD = 400
"""Days after the log's end that the calendar covers."""
_STEPS = ("cart", "checkout", "purchase")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSchedule:
    """Live sessions in order of time.

    Parameters
    ----------
    day, start_us, host : ndarray of int64
        Day, begin (epoch microseconds) and host of each session.
    seconds, popularity : ndarray of float64
        Length; watchers relative to the mean session.
    conversion : ndarray of float64
        Each host's chance that a watcher buys.
    """

    day: Ints
    start_us: Ints
    host: Ints
    seconds: Floats
    popularity: Floats
    conversion: Floats

    def a_day(self, days: int) -> Floats:
        """Popularity on each day."""
        return sums(self.day, self.popularity, days)[:days]

    def bought_a_day(self, days: int) -> Floats:
        """Popularity · the host's chance to sell on each day."""
        return sums(self.day, self.popularity * self.conversion[self.host], days)[:days]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Everything that is the same for all customers.

    Parameters
    ----------
    season : ndarray of float64, shape (days,)
        Factor of the visits; ``days`` is the log's length and :data:`LOOK_AHEAD` more.
    faults : ndarray of float64, shape (3, devices, days)
        Factor of the chance to get to cart, checkout and purchase; later steps contain the earlier.
    live : LiveSchedule or None
    campaign_start : ndarray of int64
        First day of each campaign.
    campaign_of : ndarray of int64, shape (days,)
        Campaign in progress; -1: none.
    concept : ndarray of float64, shape (days,)
        Strength of the concept shift on each day.
    """

    season: Floats
    faults: Floats
    live: LiveSchedule | None
    campaign_start: Ints
    campaign_of: Ints
    concept: Floats


def make_calendar(plan: Plan) -> Calendar:
    """Calendar of a plan; days of injected seasons and shifts are in it."""
    world = plan.world
    bumps = tuple(
        Bump(day_of_year=one.at.timetuple().tm_yday, width_days=10.0, height=one.strength)
        for one in plan.injected("season")
    )
    days = plan.days + LOOK_AHEAD
    starts, campaign_of = _campaigns(plan, days)
    concept = np.zeros(days)
    for one in plan.injected("concept"):
        concept[max(0, plan.day(one.at)) :] += one.strength
    return Calendar(
        season=season_of(world.season, plan.start, days, bumps),
        faults=_faults(plan, days),
        live=_live(plan, days),
        campaign_start=starts,
        campaign_of=campaign_of,
        concept=concept,
    )


def season_of(season: Season, start: date, days: int, more: tuple[Bump, ...] = ()) -> Floats:
    """Factor of the visits on each day.

    ``(1 + A·cos(2π(d - peak)/365.25)) · weekday · Π(1 + h·exp(-½(Δ/width)²))``, Δ the days to the nearest yearly peak.
    """
    dates = [start + timedelta(days=number) for number in range(days)]
    of_year = np.array([one.timetuple().tm_yday for one in dates], dtype=np.float64)
    week = np.asarray(season.weekday)[[one.weekday() for one in dates]]
    swing = 1.0 + season.yearly_amplitude * np.cos(2 * np.pi * (of_year - season.yearly_peak_day) / 365.25)
    for bump in (*season.bumps, *more):
        apart = np.abs(of_year - bump.day_of_year)
        apart = np.minimum(apart, 365.25 - apart)
        swing = swing * (1.0 + bump.height * np.exp(-0.5 * (apart / bump.width_days) ** 2))
    return np.asarray(swing * week, dtype=np.float64)


def _faults(plan: Plan, days: int) -> Floats:
    factor = np.ones((3, len(DEVICES), days))
    for fault in plan.world.funnel.faults:
        first = int(fault.start_share * plan.days)
        factor[_STEPS.index(fault.step) :, DEVICES.index(fault.device), first : first + fault.days] *= 1.0 - fault.drop
    return factor


def _live(plan: Plan, days: int) -> LiveSchedule | None:
    live = plan.world.live
    if live is None:
        return None
    draw = stream(plan.seed, "live schedule")
    day = np.repeat(np.arange(days), draw.poisson(live.sessions_a_day, days))
    conversion = np.sort(draw.uniform(*live.host_conversion, live.hosts))
    host = pick(draw, tuple(1.0 / (1 + rank) for rank in draw.permutation(live.hosts)), day.size)
    within = (18 * HOUR_US + draw.random(day.size) * 3 * HOUR_US).astype(np.int64)
    start = np.sort(plan.start_us + day * DAY_US + within)  # within one day the sessions have no other order
    return LiveSchedule(
        day=day,
        start_us=start,
        host=host,
        seconds=np.round(draw.uniform(1800, 7200, day.size)),
        popularity=np.round(draw.gamma(4.0, 0.25, day.size), 6),
        conversion=np.round(conversion, 6),
    )


def _campaigns(plan: Plan, days: int) -> tuple[Ints, Ints]:
    of_day = np.full(days, -1, dtype=np.int64)
    spec = plan.world.campaigns
    if spec is None:
        return np.zeros(0, dtype=np.int64), of_day
    starts = np.arange(spec.first_day, days, spec.every_days, dtype=np.int64)
    for number, first in enumerate(starts):
        of_day[first : first + spec.window_days] = number
    return starts, of_day

"""What :func:`pipelines.simulate.forward.look_ahead` is given: a chunk's rates on the days after a cutoff."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipelines.simulate.buying import MOST_CONVERSION, arm_multipliers, concept_multiplier
from pipelines.simulate.calendar import Calendar
from pipelines.simulate.draws import Floats, Ints
from pipelines.simulate.forward import look_ahead
from pipelines.simulate.latent import Latent
from pipelines.simulate.plan import Plan
from pipelines.simulate.visits import device_shares, state_weights
from pipelines.simulate.wallet import coupon_arm, passes_threshold

__all__ = ["TrueRates", "event_days"]

_STEP = {"session": 0, "purchase": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueRates:
    """A chunk's rates, ready to be asked at any cutoff."""

    plan: Plan
    calendar: Calendar
    latent: Latent
    shares: Floats = field(init=False)
    multipliers: Floats = field(init=False)
    passes: Floats = field(init=False)
    live_a_day: Floats = field(init=False)

    def __post_init__(self) -> None:
        people, days = self.latent.people, self.calendar.season.size
        live = self.calendar.live
        set_ = object.__setattr__
        set_(self, "shares", device_shares(self.plan, people))
        set_(self, "multipliers", arm_multipliers(self.plan, people))
        set_(self, "passes", passes_threshold(self.plan, people))
        set_(self, "live_a_day", np.zeros(days) if live is None else live.bought_a_day(days))

    def chances(
        self, event_type: str, who: Ints, cutoff: int, gap: int, horizon: int, *, arm: int | None = None
    ) -> tuple[Floats, Floats]:
        """Chance of no such event in ``[cutoff + gap, cutoff + gap + horizon)``, and orders expected by day.

        Parameters
        ----------
        event_type : str
            ``purchase``, ``session`` or ``coupon_redeemed``.
        who : ndarray of int64
            Customers, by position.
        cutoff : int
            Day number; the state of the day before is known, nothing later.
        gap, horizon : int
            Days.
        arm : int, optional
            A campaign that begins within the window treats everybody with this arm.
        """
        plan, people, calendar = self.plan, self.latent.people, self.calendar
        days = np.arange(cutoff, cutoff + gap + horizon)
        campaigns = plan.world.campaigns
        shares = np.zeros(0) if campaigns is None else campaigns.audience * np.asarray(campaigns.shares)
        if arm is not None:
            shares = np.where(np.arange(shares.size) == arm, 1.0, 0.0)
        visits = people.visit_rate[who][:, None] * calendar.season[days]
        chance, live = np.ones((who.size, days.size)), np.zeros((who.size, days.size))
        use, arm_use, most = np.ones((who.size, days.size)), np.zeros((who.size, shares.size)), 1.0
        multipliers = np.ones((who.size, shares.size))
        if event_type != "session":
            visits = visits * (self.shares[who] @ calendar.faults[_STEP["purchase"]][:, days])
            chance = people.conversion[who][:, None] * self._factor(who, days)
            live = people.watch_rate[who][:, None] * self.live_a_day[days]
            most, multipliers = MOST_CONVERSION, self.multipliers[who]
        if event_type == "coupon_redeemed":
            use, arm_use = self._use(who, days, cutoff)
        none, expected = look_ahead(
            self.latent.spells.at(people.size, cutoff - 1)[who],
            people.moves[who],
            state_weights(plan),
            visits,
            chance,
            live,
            use,
            calendar.campaign_of,
            calendar.campaign_start,
            self.latent.arms[who],
            shares,
            multipliers,
            arm_use,
            cutoff,
            gap,
            most,
        )
        return none, expected

    def _factor(self, who: Ints, days: Ints) -> Floats:
        """Level and concept shift on each day."""
        plan, calendar, latent = self.plan, self.calendar, self.latent
        factor = np.ones((who.size, days.size))
        levels = plan.world.levels
        if levels is not None:
            period = np.minimum(days // levels.review_days, latent.levels.shape[1] - 1)
            factor = np.asarray(levels.multipliers)[latent.levels[who][:, period]]
        if calendar.concept[days].any():
            x = latent.people.x[who, 0]
            factor = factor * concept_multiplier(plan, x[:, None], calendar.concept[None, days])
        return np.asarray(factor)

    def _use(self, who: Ints, days: Ints, cutoff: int) -> tuple[Floats, Floats]:
        """Chance that an order uses the wallet's coupon, by day, and a campaign's coupon, by arm.

        A coupon used before the cutoff is no longer at hand; one used after it has already made the event happen.
        """
        plan, latent = self.plan, self.latent
        people, coupons, campaigns = latent.people, plan.world.coupons, plan.world.campaigns
        shares = 0 if campaigns is None else len(campaigns.arms)
        use, arm_use = np.zeros((who.size, days.size)), np.zeros((who.size, shares))
        if coupons is None:
            return use, arm_use
        place = np.full(people.size, -1)
        place[who] = np.arange(who.size)
        past = latent.orders.day[latent.redemptions.order] < cutoff
        users = place[latent.orders.customer[latent.redemptions.order]]
        drop = days // coupons.every_days
        valid = days - drop * coupons.every_days < coupons.valid_days
        given = people.join_day[who][:, None] < drop * coupons.every_days
        at_hand = people.member[who][:, None] & valid & given
        now = (cutoff // coupons.every_days) == drop
        gone = users[past & (latent.redemptions.drop == cutoff // coupons.every_days) & (users >= 0)]
        at_hand[np.ix_(gone, np.flatnonzero(now))] = False
        use = np.where(at_hand, people.redeem[who][:, None] * self.passes[who][:, drop % len(coupons.thresholds)], 0.0)
        arm = coupon_arm(plan)
        if campaigns is not None and arm >= 0:
            arm_use[:, arm] = campaigns.coupon_redeem
            campaign = self.calendar.campaign_of[cutoff]
            if campaign >= 0:
                spent = users[past & (latent.redemptions.campaign == campaign) & (users >= 0)]
                arm_use[spent, arm] = 0.0
        return use, arm_use


def event_days(latent: Latent, event_type: str) -> tuple[Ints, Ints] | None:
    """Customers and days of the events of a type that the truth knows; None: it does not."""
    found: dict[str, Any] = {"session": latent.visits, "purchase": latent.orders}
    if event_type in found:
        return found[event_type].customer, found[event_type].day
    if event_type == "coupon_redeemed":
        rows = np.sort(latent.redemptions.order)
        return latent.orders.customer[rows], latent.orders.day[rows]
    return None

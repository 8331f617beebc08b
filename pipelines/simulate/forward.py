"""The forward recursion that gives the true chances: states move by day, events within a day are Poisson.

With v the row of P(state, no event so far), P the daily transition matrix and r_d(s) the rate of the event on day d in
state s, one day is ``v ← (v P) ∘ exp(-r_d)``; what is left after the horizon is the chance of no event. It is the
forward algorithm of a hidden Markov model whose observation is "no event" every day. A campaign that begins within the
horizon has not been drawn yet: v is carried once for each arm, weighed by the arm's share, and added up at its end.

References
----------
Rabiner (1989), A tutorial on hidden Markov models, Proc. IEEE 77(2), eqs. 19-21 (the forward procedure). Fischer &
Meier-Hellstern (1993), The Markov-modulated Poisson process cookbook, Performance Evaluation 18(2), section 2.
"""

from __future__ import annotations

import math

import numpy as np

from features.compiled import compiled
from pipelines.simulate.draws import Floats, Ints

__all__ = ["look_ahead"]


@compiled
def look_ahead(  # noqa: C901  (one recursion, compiled)
    state: Ints,
    moves: Floats,
    weight: Floats,
    visits: Floats,
    chance: Floats,
    live: Floats,
    use: Floats,
    campaign_of: Ints,
    campaign_start: Ints,
    arms: Ints,
    shares: Floats,
    multipliers: Floats,
    arm_use: Floats,
    first_day: int,
    gap: int,
    most: float,
) -> tuple[Floats, Floats]:
    """Chance of no event in the days ``gap`` … of the window, and orders expected on each day from the cutoff.

    Parameters
    ----------
    state : (n,)
        State on the day before the cutoff; 0 active, 1 dormant, 2 gone.
    moves, weight : (n, 4), (3,)
        Daily chances to move; factor of the rates in each state.
    visits, chance, live, use : (n, days)
        Of an active customer on each day: visits on a sound device, chance that one buys before the campaign's factor,
        orders in live streams, chance that an order is an event (1: every order; 0 < u < 1: a coupon is used).
    campaign_of, campaign_start : (days of the calendar,), (campaigns,)
    arms, shares, multipliers, arm_use : (n, campaigns), (arms,), (n, arms), (n, arms)
        Arm drawn; -1: none. Share of each arm; what is left is the share of nobody's. Factor of ``chance``; further
        chance that an order is an event.
    first_day, gap : int
        The cutoff; days between it and the window.
    most : float
        Largest chance that a visit buys.

    Returns
    -------
    tuple of ndarray
        (n,) and (n, days).
    """
    count, days, copies = state.size, visits.shape[1], shares.size + 1
    none, expected = np.zeros(count), np.zeros((count, days))
    v = np.zeros((copies, 3))
    for i in range(count):
        to_dormant, to_active, to_gone, dormant_to_gone = moves[i, 0], moves[i, 1], moves[i, 2], moves[i, 3]
        v[:] = 0.0
        v[0, state[i]] = 1.0
        free_active, free_dormant = v[0, 0], v[0, 1]
        used, campaign, arm = 1, -1, -1
        for j in range(days):
            now = campaign_of[first_day + j]
            if now != campaign:
                for k in range(1, used):
                    for s in range(3):
                        v[0, s] += v[k, s]
                        v[k, s] = 0.0
                campaign, used, arm = now, 1, -1
                if now >= 0 and campaign_start[now] < first_day:
                    arm = arms[i, now]
                elif now >= 0:
                    used, left = copies, 1.0
                    for k in range(1, copies):
                        left -= shares[k - 1]
                        for s in range(3):
                            v[k, s] = v[0, s] * shares[k - 1]
                    for s in range(3):
                        v[0, s] *= left
            a, d = free_active, free_dormant
            free_active = a * (1.0 - to_dormant - to_gone) + d * to_active
            free_dormant = d * (1.0 - to_active - dormant_to_gone) + a * to_dormant
            here = free_active + weight[1] * free_dormant
            rest = 1.0
            for k in range(used):
                of = k - 1 if used > 1 else arm
                factor, more, share = 1.0, 0.0, 1.0
                if of >= 0:
                    factor, more = multipliers[i, of], arm_use[i, of]
                if used > 1:
                    share = shares[of] if of >= 0 else 1.0
                    if of >= 0:
                        rest -= share
                rate = visits[i, j] * min(most, chance[i, j] * factor) + live[i, j]
                if used == 1:
                    expected[i, j] = here * rate
                elif of >= 0:
                    expected[i, j] += here * rate * share
                a, d = v[k, 0], v[k, 1]
                v[k, 2] += a * to_gone + d * dormant_to_gone
                v[k, 0] = a * (1.0 - to_dormant - to_gone) + d * to_active
                v[k, 1] = d * (1.0 - to_active - dormant_to_gone) + a * to_dormant
                if j >= gap:
                    event = rate * (1.0 - (1.0 - use[i, j]) * (1.0 - more))
                    v[k, 0] *= math.exp(-weight[0] * event)
                    v[k, 1] *= math.exp(-weight[1] * event)
            if used > 1:
                expected[i, j] += here * rest * (visits[i, j] * min(most, chance[i, j]) + live[i, j])
        none[i] = min(1.0, v.sum())  # never above 1 by rounding
    return none, expected

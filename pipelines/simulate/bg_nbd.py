"""The pure BG/NBD world: its orders, and the best possible prediction from a customer's own x, t_x and T.

While alive a customer orders at a rate ~ Gamma(r, alpha) a day; after every order but the first they leave for good
with probability ~ Beta(a, b). The first order is the joining.

References
----------
Fader, Hardie & Lee (2005), "Counting your customers" the easy way: an alternative to the Pareto/NBD model, Marketing
Science 24(2), eqs. 4, 7 and 10; P(alive) as in Fader, Hardie & Lee (2008), Computing P(alive) using the BG/NBD model.
The chance of no order follows from them: given alive, the rate is Gamma(r + x, alpha + T), so that
``P(no order in t | alive) = ((alpha + T) / (alpha + T + t))^(r + x)``.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import ArrayLike

from features.clock import DAY_US
from pipelines.simulate.buying import Orders
from pipelines.simulate.draws import Floats, Ints, stream
from pipelines.simulate.latent import Latent
from pipelines.simulate.people import People, draw_people
from pipelines.simulate.plan import Plan
from pipelines.simulate.spells import Spells
from pipelines.simulate.visits import Visits, Watches
from pipelines.simulate.wallet import Redemptions
from pipelines.simulate.world import BgNbd
from training.labels import Target, TargetKind

__all__ = ["bg_nbd_chances", "draw_bg_nbd", "expected_orders", "no_order", "p_alive", "summary"]


def p_alive(world: BgNbd, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Floats:
    """``1 / (1 + [x > 0] · a / (b + x - 1) · ((alpha + T) / (alpha + t_x))^(r + x))``.

    Examples
    --------
    >>> p_alive(BgNbd(r=1, alpha=10, a=1, b=2), [0, 1], [0, 5], [10, 20]).round(3).tolist()
    [1.0, 0.333]
    """
    x, t_x, age = (np.asarray(one, dtype=np.float64) for one in (x, t_x, age))
    gone = world.a / (world.b + np.maximum(x, 1.0) - 1.0) * ((world.alpha + age) / (world.alpha + t_x)) ** (world.r + x)
    return np.asarray(1.0 / (1.0 + np.where(x > 0, gone, 0.0)))


def no_order(world: BgNbd, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, gap: float, horizon: float) -> Floats:
    """Chance of no order in ``[T + gap, T + gap + horizon)``.

    With a gap: given alive at T, either every order stays away from gap and horizon, or some come in the gap and the
    customer leaves there or is silent after; summed over the orders in the gap that leave them alive, of which there is
    a closed form only without a gap. A gap is refused.
    """
    if gap:
        raise ValueError("a gap has no closed form here")
    x, t_x, age = (np.asarray(one, dtype=np.float64) for one in (x, t_x, age))
    silent = ((world.alpha + age) / (world.alpha + age + horizon)) ** (world.r + x)
    return np.asarray(1.0 - p_alive(world, x, t_x, age) * (1.0 - silent))


def expected_orders(world: BgNbd, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, horizon: float) -> Floats:
    """Orders expected in ``[T, T + horizon)``; eq. 10, with scipy's ₂F₁."""
    from scipy.special import hyp2f1

    x, t_x, age = (np.asarray(one, dtype=np.float64) for one in (x, t_x, age))
    r, alpha, a, b = world.r, world.alpha, world.a, world.b
    shape = a if abs(a - 1.0) > 1e-6 else a + 1e-6  # the limit at a = 1
    z = horizon / (alpha + age + horizon)
    series = hyp2f1(r + x, b + x, shape + b + x - 1.0, z)
    part = 1.0 - ((alpha + age) / (alpha + age + horizon)) ** (r + x) * series
    return np.asarray((shape + b + x - 1.0) / (shape - 1.0) * part * p_alive(world, x, t_x, age))


def summary(orders: Orders, customers: int, cutoff_us: int) -> tuple[Floats, Floats, Floats]:
    """Each customer's x, t_x and T in days from the orders before a cutoff; x = -1: none yet."""
    before = orders.time < cutoff_us
    customer, time = orders.customer[before], orders.time[before]
    count = np.bincount(customer, minlength=customers)
    first = np.full(customers, cutoff_us, dtype=np.int64)
    last = np.full(customers, cutoff_us, dtype=np.int64)
    starts = np.searchsorted(customer, np.arange(customers))
    has = count > 0
    first[has], last[has] = time[starts[has]], time[starts[has] + count[has] - 1]
    return (count - 1).astype(np.float64), (last - first) / DAY_US, (cutoff_us - first) / DAY_US


def bg_nbd_chances(plan: Plan, latent: Latent, target: Target, who: Ints, cutoff: int) -> Floats:
    """Truth of a target given the log, not the hidden rate: no prediction from the log can be better."""
    world = plan.world.bg_nbd
    if world is None:
        raise ValueError(f"{plan.world.name} is no BG/NBD world")
    x, t_x, age = summary(latent.orders, latent.people.size, plan.start_us + cutoff * DAY_US)
    given = (x[who], t_x[who], age[who])
    if target.kind is TargetKind.VALUE:
        spec = plan.world.customers
        # Amounts are drawn anew for every order and tell nothing about the rate.
        mean = np.exp(np.log(spec.order_median) + spec.order_sigma**2 / 2)
        return np.asarray(expected_orders(world, *given, target.horizon_days) * mean)
    none = no_order(world, *given, target.gap_days, target.horizon_days)
    return none if target.kind is TargetKind.CHURN else np.asarray(1.0 - none)


def draw_bg_nbd(plan: Plan, chunk: int) -> Latent:
    """A chunk of customers who only order; all join within the log, evenly over its first half."""
    world, people = plan.world.bg_nbd, draw_people(plan, chunk)
    if world is None:
        raise ValueError(f"{plan.world.name} is no BG/NBD world")
    draw, size = stream(plan.seed, "bg-nbd", chunk), people.size
    rate, leave = draw.gamma(world.r, 1.0 / world.alpha, size), draw.beta(world.a, world.b, size)
    when = draw.random(size) * max(1.0, plan.days / 2)
    joined = when.copy()
    who, times, owners = np.arange(size), [when.copy()], [np.arange(size)]
    gone = np.full(size, np.nan)
    while who.size:
        with np.errstate(divide="ignore", over="ignore"):
            when = when + draw.exponential(1.0, who.size) / rate[who]
        in_log = when < plan.days
        who, when = who[in_log], when[in_log]
        times.append(when)
        owners.append(who)
        left = draw.random(who.size) < leave[who]
        gone[who[left]] = when[left]
        who, when = who[~left], when[~left]
    customer, moment = np.concatenate(owners), np.concatenate(times)
    time = plan.start_us + (moment * DAY_US).astype(np.int64)
    order = np.lexsort((time, customer))
    customer, time = customer[order], time[order]
    spec = plan.world.customers
    amount = np.round(np.exp(np.log(spec.order_median) + spec.order_sigma * draw.standard_normal(customer.size)), 2)
    none, no = np.zeros(0, dtype=np.int64), np.full(customer.size, -1)
    values = {one.name: getattr(people, one.name) for one in fields(People)}
    values |= {"join_day": joined.astype(np.int64), "start_state": np.zeros(size, dtype=np.int64)}
    values |= {"visit_rate": rate, "conversion": np.ones(size), "refund": np.zeros(size)}
    values["moves"] = np.stack([np.zeros(size), np.zeros(size), leave, np.zeros(size)], axis=1)
    day = (time - plan.start_us) // DAY_US
    return Latent(
        chunk=chunk,
        people=People(**values),
        spells=_spells(plan, joined, gone),
        visits=Visits(customer=none, day=none, time=none, device=none, luck=np.zeros(0)),
        watches=Watches(customer=none, session=none, time=none, luck=np.zeros(0)),
        invites=np.zeros((0, 2), dtype=np.int64),
        arms=np.zeros((size, 0), dtype=np.int64),
        orders=Orders(customer=customer, day=day, time=time, visit=no, watch=no, amount=amount),
        levels=np.zeros((size, 1), dtype=np.int64),
        chance=np.zeros(0),
        redemptions=Redemptions(order=none, drop=none, campaign=none),
        refunded_day=no,
    )


def _spells(plan: Plan, joined: Floats, gone: Floats) -> Spells:
    """Alive from the first order to the one they left after; by whole days, as the other worlds tell it."""
    size = joined.size
    left = ~np.isnan(gone)
    first = joined.astype(np.int64)
    end = np.where(left, np.nan_to_num(gone).astype(np.int64) + 1, plan.days)
    after = np.flatnonzero(left & (end < plan.days))
    customer = np.concatenate([np.arange(size), after])
    order = np.argsort(customer, kind="stable")
    return Spells(
        customer=customer[order],
        state=np.concatenate([np.zeros(size, dtype=np.int64), np.full(after.size, 2)])[order],
        first=np.concatenate([first, end[after]])[order],
        end=np.concatenate([np.minimum(end, plan.days), np.full(after.size, plan.days)])[order],
    )

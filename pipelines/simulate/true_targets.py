"""True chances and expected spend of a chunk at a cutoff, beside what then happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulate.bg_nbd import bg_nbd_chances
from pipelines.simulate.draws import Flags, Floats, Ints, sums
from pipelines.simulate.latent import Latent
from pipelines.simulate.true_rates import TrueRates, event_days
from training.labels import Target, TargetKind

__all__ = ["TargetTruth", "true_targets"]

_WIDE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTruth:
    """The eligible customers of one target at one cutoff.

    Parameters
    ----------
    target : str
    cutoff : int
        Day number.
    customer : ndarray of int64
        Positions in the chunk.
    value : ndarray of float64
        True probability; for a ``value`` target expected spend, orders less refunds.
    outcome : ndarray of float64
        What happened; NaN where the window reaches beyond the log.
    """

    target: str
    cutoff: int
    customer: Ints
    value: Floats
    outcome: Floats


def true_targets(rates: TrueRates, target: Target, cutoff: int) -> TargetTruth:
    """Truth of a target at a cutoff."""
    plan, latent = rates.plan, rates.latent
    who = _eligible(latent, target, cutoff)
    gap, horizon = target.gap_days, target.horizon_days
    over = cutoff + gap + horizon <= plan.days
    if target.kind is TargetKind.VALUE:
        happened = _spent(latent, who, cutoff + gap, cutoff + gap + horizon)
    else:
        count = _counts(latent, target.event_types[0], who, cutoff + gap, cutoff + gap + horizon)
        happened = np.asarray((count == 0) if target.kind is TargetKind.CHURN else (count > 0), dtype=np.float64)
    if plan.world.bg_nbd is not None:
        value = bg_nbd_chances(plan, latent, target, who, cutoff)
    elif target.kind is TargetKind.VALUE:
        value = _expected_spend(rates, who, cutoff, gap, horizon)
    else:
        none = rates.chances(target.event_types[0], who, cutoff, gap, horizon)[0]
        value = none if target.kind is TargetKind.CHURN else 1.0 - none
    outcome = happened if over else np.full(who.size, np.nan)
    return TargetTruth(target=target.name, cutoff=cutoff, customer=who, value=value, outcome=outcome)


def _eligible(latent: Latent, target: Target, cutoff: int) -> Ints:
    """Customers whose last eligible event is as the target asks, by day: cutoffs are midnights."""
    customer, day = _events(latent, target.activity_types[0])
    everybody = np.arange(latent.people.size)
    place = np.searchsorted(customer * _WIDE + day, everybody * _WIDE + cutoff) - 1
    has = (place >= 0) & (customer[np.maximum(place, 0)] == everybody) if customer.size else everybody < 0
    last = day[np.maximum(place, 0)] if customer.size else everybody
    fits: Flags = has & (last >= cutoff - target.active_within_days)
    if target.inactive_for_days is not None:
        fits &= last < cutoff - target.inactive_for_days
    return np.flatnonzero(fits)


def _counts(latent: Latent, event_type: str, who: Ints, first: int, end: int) -> Ints:
    customer, day = _events(latent, event_type)
    key = customer * _WIDE + day
    return np.searchsorted(key, who * _WIDE + end) - np.searchsorted(key, who * _WIDE + first)


def _spent(latent: Latent, who: Ints, first: int, end: int) -> Floats:
    orders = latent.orders
    size = latent.people.size
    bought = (orders.day >= first) & (orders.day < end)
    back = (latent.refunded_day >= first) & (latent.refunded_day < end)
    net = sums(orders.customer[bought], orders.amount[bought], size)
    net -= sums(orders.customer[back], orders.amount[back], size)
    return np.asarray(np.round(net[who], 2))


def _expected_spend(rates: TrueRates, who: Ints, cutoff: int, gap: int, horizon: int) -> Floats:
    """Orders to come less their refunds, less the refunds still due of orders before the cutoff.

    An order is refunded with the customer's chance f, after K whole days, uniform on first … last; so an order of day d
    is refunded in the window with f · P(d + K in the window), and one of e days ago that was not refunded yet with
    f · P(K in the window - d) / (1 - f · P(K < e)).
    """
    plan, latent = rates.plan, rates.latent
    people, spec = latent.people, plan.world.customers
    _, expected = rates.chances("purchase", who, cutoff, gap, horizon)
    first, last = spec.refund_days
    delays = np.arange(first, last + 1)
    days = np.arange(gap + horizon)
    back = ((days[:, None] + delays >= gap) & (days[:, None] + delays < gap + horizon)).mean(axis=1)
    mean = np.exp(people.order_mu[who] + spec.order_sigma**2 / 2)
    value = mean * (expected[:, gap:].sum(axis=1) - people.refund[who] * (expected @ back))
    return np.asarray(value - _refunds_due(latent, cutoff, gap, horizon, delays)[who])


def _refunds_due(latent: Latent, cutoff: int, gap: int, horizon: int, delays: Ints) -> Floats:
    orders, refund = latent.orders, latent.people.refund
    still = (latent.refunded_day < 0) | (latent.refunded_day >= cutoff)
    rows = np.flatnonzero((orders.day < cutoff) & (orders.day >= cutoff - delays[-1]) & still)
    day = orders.day[rows][:, None] + delays
    inside = ((day >= cutoff + gap) & (day < cutoff + gap + horizon)).mean(axis=1)
    passed = (day < cutoff).mean(axis=1)
    f = refund[orders.customer[rows]]
    due = orders.amount[rows] * f * inside / (1.0 - f * passed)
    return sums(orders.customer[rows], due, latent.people.size)


def _events(latent: Latent, event_type: str) -> tuple[Ints, Ints]:
    found = event_days(latent, event_type)
    if found is None:  # check_targets has refused it
        raise KeyError(event_type)
    return found

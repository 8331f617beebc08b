"""The posterior of a fitted MBG/NBD: is the customer still alive, and how many orders are to come.

Purchases come at a customer's own rate ~ Gamma(r, alpha); after the first and after every later purchase the customer
leaves for good with probability p ~ Beta(a, b). Parameters are fitted in `training`; here are the formulas only.

References
----------
Batislam, Denizel & Filiztekin (2007), Empirical validation and comparison of models for customer base analysis,
International Journal of Research in Marketing 24(3). Hoppe & Wagner (2007), Customer base analysis: the case for a
central variant of the Betageometric/NBD model, Marketing Journal of Research and Management 3(2), eqs. 12 and 15.
"""

from __future__ import annotations

import math

from features.compiled import in_place

__all__ = ["expected_orders", "p_alive"]

_MOST_TERMS = 100_000
_NEAR_ONE = 1e-6


@in_place
def p_alive(r: float, alpha: float, a: float, b: float, repeats: float, recency: float, age: float) -> float:
    """Probability that the customer has not left: 1 / (1 + a / (b + x) · ((alpha + T) / (alpha + t_x))^(r + x)).

    ``repeats`` x are purchases after the first, ``recency`` t_x the days from the first to the last, ``age`` T the days
    from the first to the cutoff.
    """
    gone = a / (b + repeats) * math.pow((alpha + age) / (alpha + recency), r + repeats)
    return 1.0 / (1.0 + gone)


@in_place
def expected_orders(r: float, alpha: float, a: float, b: float, repeats: float, age: float, horizon: float) -> float:
    """Purchases in the next ``horizon`` days of a customer who has not left.

    With z = t / (alpha + T + t): (a + b + x) / (a - 1) · (1 - (1 - z)^(a - 1) · ₂F₁(a + b - r, a - 1; a + b + x; z)),
    which is the published form after Euler's transformation, so that the series has few terms for z < 1.
    """
    shape = a if abs(a - 1.0) >= _NEAR_ONE else 1.0 + _NEAR_ONE  # the limit at a = 1, to a millionth
    z = horizon / (alpha + age + horizon)
    top, other, bottom = shape + b - r, shape - 1.0, shape + b + repeats
    term, total, count = 1.0, 1.0, 0.0
    while count < _MOST_TERMS and abs(term) > 1e-17 * abs(total):
        term *= (top + count) * (other + count) / ((bottom + count) * (count + 1.0)) * z
        total += term
        count += 1.0
    return bottom / other * (1.0 - math.pow(1.0 - z, other) * total)

"""Posterior: what a fitted buy-till-you-die model makes of the number, the first and the last of the orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from features.catalogue.traits import base
from features.definition import Aggregation, Family, Feature, Readout

__all__ = ["Posterior", "features"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """A fitted MBG/NBD model, time in days.

    Parameters
    ----------
    r, alpha, a, b : float
        Above 0.
    event_type : str
        What it was fitted to.
    horizon_days : float
        Days after the cutoff to expect orders in, above 0.

    References
    ----------
    Batislam, Denizel, Filiztekin (2007), Empirical validation and comparison of models for customer base analysis.
    """

    r: float
    alpha: float
    a: float
    b: float
    event_type: str
    horizon_days: float


def features(posterior: Posterior) -> Iterator[Feature]:
    """List the family's features."""
    needed = (Aggregation.COUNT, Aggregation.FIRST, Aggregation.LAST)
    bases = tuple(base(aggregation, posterior.event_type) for aggregation in needed)
    fitted = (float(posterior.r), float(posterior.alpha), float(posterior.a), float(posterior.b))
    yield Feature(readout=Readout.P_ALIVE, bases=bases, family=Family.POSTERIOR, parameters=fitted)
    expected = (*fitted, float(posterior.horizon_days))
    yield Feature(readout=Readout.EXPECTED_ORDERS, bases=bases, family=Family.POSTERIOR, parameters=expected)

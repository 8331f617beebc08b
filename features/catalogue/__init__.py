"""The catalogue: which features a log can have, family by family, from the event types that are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from features.catalogue import (
    attributes as attributes_family,
)
from features.catalogue import (
    breadth,
    campaign,
    engagement,
    frequency,
    funnel,
    incentives,
    lifecycle,
    monetary,
    recency,
    regularity,
    satisfaction,
    season,
    service,
    social,
    trend,
)
from features.catalogue import (
    posterior as posterior_family,
)
from features.catalogue.attributes import Attribute
from features.catalogue.posterior import Posterior
from features.catalogue.traits import WINDOWS, TypeTraits
from features.definition import Feature

__all__ = ["WINDOWS", "Attribute", "Posterior", "TypeTraits", "catalogue"]

_FAMILIES: Final = (
    *(recency, frequency, monetary, engagement, funnel, regularity, trend, breadth, social, incentives, lifecycle),
    *(campaign, service, satisfaction),
)
"""The families that a log's events decide about, as :class:`features.words.Family` lists them."""


def catalogue(
    types: Mapping[str, TypeTraits],
    *,
    season_days: Sequence[int] = (),
    posterior: Posterior | None = None,
    attributes: Sequence[Attribute] = (),
) -> tuple[Feature, ...]:
    """List the features of a log.

    Parameters
    ----------
    types : mapping of str to TypeTraits
        The log's event types and what their rows carry. Families without events or columns vanish by themselves.
    season_days : sequence of int
        Days after the cutoff, 0 to 730, whose day of the year is a feature: 0, and the middle of each target's label
        window. Empty: no season.
    posterior : Posterior, optional
        A fitted buy-till-you-die model; None: no posterior.
    attributes : sequence of Attribute
        Of the customers.

    Returns
    -------
    tuple of Feature
        In a fixed order that does not depend on the mappings' and sequences'; distinct names. Of two features of
        strangely named event types that would be called the same, only the first.

    Examples
    --------
    >>> features = catalogue({"purchase": TypeTraits(fields=frozenset({"amount", "order_id"}))})
    >>> [feature.name for feature in features][:3]
    ['days_since_last_purchase', 'purchase_count_7d', 'purchase_count_14d']
    >>> [feature.name for feature in catalogue({}, season_days=(0, 14))]
    ['day_of_year', 'day_of_year_ahead_14d']
    >>> catalogue({})
    ()
    """
    ordered = dict(sorted(types.items()))
    listed = [feature for family in _FAMILIES for feature in family.features(ordered)]
    listed += season.features(season_days)
    listed += posterior_family.features(posterior) if posterior is not None else ()
    listed += attributes_family.features(attributes)
    named: dict[str, Feature] = {}
    for feature in listed:
        named.setdefault(feature.name, feature)
    return tuple(named.values())

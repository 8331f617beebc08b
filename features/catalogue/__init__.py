"""The catalogue: which features a log can have, family by family, from the event types that are in it."""

from __future__ import annotations

from collections.abc import Mapping

from features.catalogue import frequency, lifecycle, monetary, recency, regularity, trend
from features.catalogue.traits import WINDOWS, TypeTraits
from features.definition import Feature

__all__ = ["WINDOWS", "TypeTraits", "catalogue"]


def catalogue(types: Mapping[str, TypeTraits]) -> tuple[Feature, ...]:
    """List the features of a log.

    Parameters
    ----------
    types : mapping of str to TypeTraits
        The log's event types and what their rows carry. Families without events vanish by themselves.

    Returns
    -------
    tuple of Feature
        In a fixed order that does not depend on the mapping's; distinct names.

    Examples
    --------
    >>> features = catalogue({"purchase": TypeTraits(fields=frozenset({"amount", "order_id"}))})
    >>> [feature.name for feature in features][:3]
    ['days_since_last_purchase', 'purchase_count_7d', 'purchase_count_14d']
    >>> catalogue({})
    ()
    """
    ordered = dict(sorted(types.items()))
    families = (recency, frequency, monetary, regularity, trend, lifecycle)
    return tuple(feature for family in families for feature in family.features(ordered))

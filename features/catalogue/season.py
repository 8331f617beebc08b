"""Season: where in the year the cutoff is, and where the days that a target asks about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from features.definition import Family, Feature, Readout

__all__ = ["features"]


def features(season_days: Sequence[int]) -> Iterator[Feature]:
    """List the family's features: the day of the year so many days after the cutoff."""
    for days in sorted(set(season_days)):
        yield Feature(readout=Readout.DAY_OF_YEAR, bases=(), family=Family.SEASON, parameters=(float(days),))

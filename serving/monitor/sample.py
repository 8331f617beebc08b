"""What is compared: the scores of some customers, and their features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.errors import UsageError
from serving.monitor.statistics import finite

__all__ = ["Sample"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Scores of some customers at one cutoff, and the features of the same customers.

    Each column is compared by itself, so the scores need not be in the order of the features (a bundle keeps its
    reference scores sorted), nor as many.

    Parameters
    ----------
    scores : array of float64, shape [n]
        Probability or expected value; NaN where a customer was not scored.
    features : mapping of feature name to array, shape [m] each
        NaN is null. May be empty: then only the scores are compared.

    Raises
    ------
    UsageError
        If the features differ in their number of rows.
    """

    scores: NDArray[Any]
    features: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        lengths = {len(values) for values in self.features.values()}
        if len(lengths) > 1:
            raise UsageError(f"feature columns of {sorted(lengths)} rows", expected="the same number in each")

    @classmethod
    def of(cls, scores: NDArray[Any], values: NDArray[Any], names: Sequence[str]) -> Sample:
        """Build a sample from a feature matrix of shape [m, f] and its f column names.

        Examples
        --------
        >>> Sample.of(np.array([0.1, 0.2]), np.array([[1.0], [2.0]]), ["visits"]).features["visits"].tolist()
        [1.0, 2.0]
        """
        if values.ndim != 2 or values.shape[1] != len(names):
            raise UsageError(f"a feature matrix of shape {values.shape}", expected=f"{len(names)} columns")
        return cls(scores=scores, features={name: values[:, i] for i, name in enumerate(names)})

    def draw(
        self, names: Sequence[str], *, score_name: str, rows: int, generator: np.random.Generator
    ) -> dict[str, NDArray[np.float64]]:
        """Some of the rows, as columns of one length.

        Parameters
        ----------
        names : sequence of str
            The features wanted.
        score_name : str
            What the scores are called among the columns.
        rows : int
            At most so many rows are drawn, without replacement, in their order.
        generator : numpy Generator
            Draws them.

        Returns
        -------
        dict of column name to array of float64
            The shorter of scores and features is filled up with NaN.
        """
        scores = finite(self.scores)
        scores = scores[_some(len(scores), rows, generator)]
        count = min((len(self.features[name]) for name in names), default=0)
        kept = _some(count, rows, generator)
        columns = {score_name: scores} | {n: np.asarray(self.features[n], dtype=np.float64)[kept] for n in names}
        length = max(len(values) for values in columns.values())
        return {
            name: np.concatenate([values, np.full(length - len(values), np.nan)]) for name, values in columns.items()
        }


def _some(count: int, most: int, generator: np.random.Generator) -> NDArray[np.int64]:
    if count <= most:
        return np.arange(count, dtype=np.int64)
    return np.sort(generator.choice(count, size=most, replace=False)).astype(np.int64)

"""From feature values to a probability, its percentile and its band: the same bits for one row and for many."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import BundleError
from training import estimator as numeric
from training.bundle import Bundle
from training.estimator import LightGBMModel
from training.lightgbm_capi import Booster

__all__ = ["Band", "Predictor"]

Band: TypeAlias = Literal["low", "medium", "high"]
_BANDS: tuple[Band, ...] = ("low", "medium", "high")


class Predictor:
    """A loaded champion; safe to share between threads.

    Parameters
    ----------
    bundle : Bundle
        As :func:`training.bundle.read_bundle` gives it.

    Raises
    ------
    BundleError
        If LightGBM's library is missing, or the model needs features that the bundle lacks.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.feature_names = bundle.feature_names
        self._reference = np.sort(bundle.reference)
        self._thresholds = np.array([bundle.bands.medium, bundle.bands.high])
        self._booster: Booster | None = None
        if isinstance(bundle.estimator, LightGBMModel):
            self._booster = Booster(bundle.estimator.model_text, len(self.feature_names))
        self.probability(np.full((1, len(self.feature_names)), np.nan, dtype=np.float32))

    def probability(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Calibrated probability of each row; for a value target the expected amount.

        Parameters
        ----------
        values : float32 array [n, f]
            Features in the order of ``feature_names``; NaN is null.

        Returns
        -------
        float64 array [n]
            In [0, 1], or money in the project's currency.

        Raises
        ------
        BundleError
            If the rows have another width.
        """
        rows = self._rows(values)
        if self._booster is None:
            raw = numeric.raw_scores(self.bundle.estimator, rows, self.feature_names)
        else:
            raw = self._booster.raw_score(rows)
        return self.bundle.calibrator.apply(raw)

    def percentile(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of the reference scores below each score, in percent; ties count half (mid-rank).

        Parameters
        ----------
        score : float64 array [n]
            What :meth:`probability` gave.

        Returns
        -------
        float64 array [n]
            In [0, 100].
        """
        below = np.searchsorted(self._reference, score, side="left")
        below_or_tied = np.searchsorted(self._reference, score, side="right")
        return np.asarray(50.0 * (below + below_or_tied) / len(self._reference), dtype=np.float64)

    def band(self, score: float) -> Band:
        """Band of one score: below ``medium`` low, below ``high`` medium, else high.

        Raises
        ------
        BundleError
            If the score is not a number: it has no band.
        """
        return self.bands(np.array([score], dtype=np.float64))[0]

    def bands(self, score: NDArray[np.float64]) -> list[Band]:
        """Band of each score, as :meth:`band`."""
        if np.isnan(score).any():
            raise BundleError("a score is not a number", expected="what `probability` gave")
        return [_BANDS[i] for i in np.searchsorted(self._thresholds, score, side="right").tolist()]

    def contributions(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """How each feature moves each row's score, on the scale where contributions add up.

        Parameters
        ----------
        values : float32 array [n, f]
            As for :meth:`probability`.

        Returns
        -------
        float64 array [n, f + 1]
            In log-odds of the probability (logarithm of the amount, or the amount, by the calibrator's link); the
            last column is where a customer starts of whom nothing is known. SHAP values for LightGBM, coefficient
            times distance from the mean for a logistic regression, the whole effect on its first feature for a
            rule, zeros for a prior. Rows sum to the link of the probability, within rounding.
        """
        rows = self._rows(values)
        if self._booster is None:
            raw = numeric.contributions(self.bundle.estimator, rows, self.feature_names)
        else:
            raw = self._booster.contributions(rows)
        scaled = raw * self.bundle.calibrator.slope
        scaled[:, -1] += self.bundle.calibrator.intercept
        return scaled

    def _rows(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = np.asarray(values, dtype=np.float32)
        if rows.ndim != 2 or rows.shape[1] != len(self.feature_names):
            raise BundleError(
                f"feature rows of shape {rows.shape}",
                expected=f"[n, {len(self.feature_names)}] for {self.bundle.target.name}",
                remedy="compute the rows with the plan of the bundle's own features",
            )
        return rows

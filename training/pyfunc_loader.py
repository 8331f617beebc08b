"""How MLflow loads a bundle: ``mlflow.pyfunc.load_model("models:/churn@champion").predict(frame)``.

The bundle itself is the model's data; nothing is unpickled. MLflow ships this package's code along, so that the model
also loads where Ebbtide is not installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features.errors import UsageError, did_you_mean
from training.bundle import read_bundle
from training.predictor import Predictor

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["PyfuncModel"]


class PyfuncModel:
    """What MLflow calls.

    Parameters
    ----------
    predictor : Predictor
        Of the bundle that was stored.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(
        self, model_input: pd.DataFrame | NDArray[Any], params: dict[str, Any] | None = None
    ) -> NDArray[np.float64]:
        """Probability (or amount) of each row.

        Parameters
        ----------
        model_input : DataFrame or array [n, f]
            A frame's columns are found by name, in any order; an array's are the bundle's, in its order. Null is NaN.
        params : dict, optional
            MLflow's inference parameters; there are none.

        Returns
        -------
        float64 array [n]
            The same bits as the service gives.

        Raises
        ------
        UsageError
            If columns are missing, unknown, doubled or not numbers, or ``params`` are given.
        """
        if params:
            raise UsageError(f"inference parameters {sorted(params)}", expected="none")
        names = list(self.predictor.feature_names)
        columns = getattr(model_input, "columns", None)
        if columns is not None:
            _check_columns([str(column) for column in columns], names)
            model_input = model_input[names]
        try:
            values = np.asarray(model_input, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise UsageError(f"feature values that are not numbers ({error})", expected="float32 columns") from error
        return self.predictor.probability(values)


def _load_pyfunc(path: str) -> PyfuncModel:
    """MLflow's entry point: ``path`` is the stored bundle."""
    return PyfuncModel(Predictor(read_bundle(Path(path))))


def _check_columns(found: list[str], expected: list[str]) -> None:
    missing = [name for name in expected if name not in found]
    unknown = [name for name in found if name not in expected]
    if not missing and not unknown and len(found) == len(expected):
        return
    parts = [f"{len(missing)} of {len(expected)} features are missing: {_some(missing)}"] if missing else []
    if unknown:
        parts.append(
            f"{len(unknown)} columns are unknown: {_some(unknown)} ({did_you_mean(unknown[0], expected[:12])})"
        )
    raise UsageError(
        "; ".join(parts) or "a column stands there twice",
        expected="exactly the model's feature columns, each once, in any order",
        remedy="take the frame that `ebbtide build` writes, or drop what is not a feature",
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")

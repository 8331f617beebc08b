"""Evidently's report for people: the only file that imports Evidently (and pandas with it).

It judges nothing; it shows the same statistic at the same alarm level as ``verdicts`` does, with pictures. Both of
its imports happen inside the function, since they take seconds.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Rendered", "render"]

Rendered = tuple[str, str]


def render(
    reference: Mapping[str, NDArray[np.float64]],
    current: Mapping[str, NDArray[np.float64]],
    *,
    limits: Mapping[str, float],
) -> Rendered:
    """Run Evidently's drift preset.

    Parameters
    ----------
    reference, current : mapping of column name to array of float64, shape [m] and [n]
        The same names on both sides; in each column at least one finite value on each side (Evidently raises
        ValueError otherwise) and not constant in the reference (it divides by 0.001 then).
    limits : mapping of column name to float
        Alarm level of each column, in standard deviations of the reference.

    Returns
    -------
    (str, str)
        Self-contained HTML (about 8 MB, loads nothing from the network) and JSON.
    """
    os.environ["DO_NOT_TRACK"] = "true"  # read by Evidently when it is imported; the word, not 1
    with warnings.catch_warnings():
        # Evidently and the litestar it loads use deprecated parts of numpy and litestar, and have invalid escapes.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", SyntaxWarning)
        import pandas as pd
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

    names = list(limits)
    definition = DataDefinition(numerical_columns=names)

    def dataset(columns: Mapping[str, NDArray[np.float64]]) -> Dataset:
        frame = pd.DataFrame({name: columns[name] for name in names})
        return Dataset.from_pandas(frame.replace([np.inf, -np.inf], np.nan), data_definition=definition)

    preset = DataDriftPreset(
        columns=names,
        per_column_method=dict.fromkeys(names, "wasserstein"),
        per_column_threshold=dict(limits),
        include_tests=False,
    )
    with warnings.catch_warnings():
        # It correlates all columns on the way; a column that is constant in the sample divides by zero there.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"numpy\.lib\._function_base_impl")
        snapshot = Report([preset], include_tests=False).run(dataset(current), dataset(reference))
        return snapshot.get_html_str(as_iframe=False), snapshot.json()

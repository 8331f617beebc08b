"""The champion in the gate: scored on the challenger's test rows by a version that never saw them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from features.clock import from_us
from features.duckdb_engine import build, concat
from features.plan import Plan, compile_plan
from training.bundle import Bundle, bundle_folder, read_champion
from training.estimator_json import calibrator_from_dict, calibrator_to_dict, estimator_from_dict, estimator_to_dict
from training.predictor import Predictor

if TYPE_CHECKING:
    from features.event_log import Snapshot
    from pipelines.workspace import Workspace
    from training.panel import Panel
    from training.train import Version

__all__ = ["EVALUATED_FILE", "evaluated_file", "incumbent_scores"]

EVALUATED_FILE: Final = "evaluated.json"
"""Beside a bundle: the version fitted before its test, which is the one that competes later."""


def evaluated_file(version: Version) -> bytes:
    """Content of :data:`EVALUATED_FILE`."""
    record = {
        "estimator": estimator_to_dict(version.estimator),
        "calibrator": calibrator_to_dict(version.calibrator),
    }
    return json.dumps(record, sort_keys=True).encode()


def incumbent_scores(
    workspace: Workspace, snapshot: Snapshot, panel: Panel, plan: Plan
) -> tuple[NDArray[np.float64] | None, str]:
    """Score the test rows with the champion, and say which of its versions did.

    Parameters
    ----------
    workspace : Workspace
    snapshot : Snapshot
        The log that the panel was built from.
    panel : Panel
        Its last cutoff is the test.
    plan : Plan
        What the panel's features were computed with.

    Returns
    -------
    scores : ndarray of float64, shape (n_test,), or None
        In the panel's order; None if there is no champion, or it predicts something else.
    sentence : str
        Which version was compared, or why none was; empty without a champion.
    """
    champion = read_champion(workspace.home, panel.target.name)
    if champion is None:
        return None, ""
    name = f"champion version {champion.version}"
    if champion.target != panel.target:
        return None, f"{name} predicts what [targets.{panel.target.name}] said before it was edited: not compared"
    test = panel.cutoff_us == panel.cutoff_us.max()
    test_us = int(panel.cutoff_us.max())
    if champion.quality["trained_at_us"] <= test_us:
        rival, which = champion, "as it serves: all it was fitted on was known before this test"
    else:
        rival, which = _evaluated(workspace, champion), "by its version fitted before its own test"
    values = (
        panel.values[test]
        if champion.fingerprint == plan.fingerprint
        else _values(workspace, snapshot, champion, from_us(test_us), panel.customer[test])
    )
    return Predictor(rival).probability(values), f"{name} is compared {which}"


def _evaluated(workspace: Workspace, champion: Bundle) -> Bundle:
    folder = bundle_folder(workspace.home, champion.target.name, str(champion.version))
    record = json.loads((folder / EVALUATED_FILE).read_bytes())
    return replace(
        champion,
        estimator=estimator_from_dict(record["estimator"]),
        calibrator=calibrator_from_dict(record["calibrator"]),
    )


def _values(
    workspace: Workspace, snapshot: Snapshot, champion: Bundle, cutoff: datetime, customers: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The champion's own features, where they are others than the challenger's; customers are numbered alike."""
    plan = compile_plan(champion.features, timezone=champion.timezone)
    seen = [cutoff + workspace.settle]
    table = concat(list(build(snapshot, plan, [cutoff], received_before=seen, threads=workspace.threads)))
    row = np.full(int(table.customer_ids.size), -1, dtype=np.int64)
    row[table.customer] = np.arange(len(table))
    return table.values[row[customers]]

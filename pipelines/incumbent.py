"""The champion in the gate: scored on the challenger's test rows by a version that never saw them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from features.clock import from_us
from features.errors import BundleError
from features.feature_table import concat
from features.plan import Plan, compile_plan
from pipelines.engine import feature_tables
from training.bundle import Bundle, bundle_folder, check_fingerprint, read_champion
from training.bundle_files import read_extra
from training.estimator_json import calibrator_from_dict, calibrator_to_dict, estimator_from_dict, estimator_to_dict
from training.predictor import Predictor

if TYPE_CHECKING:
    from features.event_log import Snapshot
    from pipelines.workspace import Workspace
    from training.panel import Panel
    from training.train import Version

__all__ = ["EVALUATED_FILE", "Incumbent", "evaluated_file", "incumbent"]

EVALUATED_FILE: Final = "evaluated.json"
"""Beside a bundle: the version fitted before its test, which is the one that competes later."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Incumbent:
    """The champion as the challenger meets it.

    Parameters
    ----------
    version, checksum : str or None
        Of the champion; None if there is none that can be compared.
    scores : ndarray of float64, shape (n_test,), or None
        Its scores of the test rows, in the panel's order.
    sentence : str
        Which version was compared, or why none was; empty without a champion.
    blocker : str
        Why the challenger cannot take its place, whatever the scores; empty if it can.
    """

    version: str | None = None
    checksum: str | None = None
    scores: NDArray[np.float64] | None = None
    sentence: str = ""
    blocker: str = ""


def evaluated_file(version: Version) -> bytes:
    """Content of :data:`EVALUATED_FILE`."""
    record = {
        "estimator": estimator_to_dict(version.estimator),
        "calibrator": calibrator_to_dict(version.calibrator),
    }
    return json.dumps(record, sort_keys=True).encode()


def incumbent(workspace: Workspace, snapshot: Snapshot, panel: Panel, plan: Plan) -> Incumbent:
    """Score the test rows with the champion, and say which of its versions did.

    A champion that cannot score, or that predicts something else, is not compared and does not stand in the way. One
    that was tested later than the challenger has learned from the challenger's test, so no comparison would be fair:
    it stays.

    Parameters
    ----------
    workspace : Workspace
    snapshot : Snapshot
        The log that the panel was built from.
    panel : Panel
        Its last cutoff is the test.
    plan : Plan
        What the panel's features were computed with.
    """
    name = panel.target.name
    try:
        champion = read_champion(workspace.home, name)
        if champion is None:
            return Incumbent()
        who = f"champion version {champion.version}"
        if champion.target != panel.target:
            return Incumbent(sentence=f"{who} predicts what [targets.{name}] said before it was edited: not compared")
        own = compile_plan(champion.features, timezone=champion.timezone)
        check_fingerprint(champion, own.fingerprint)
        test_us, tested_us = int(panel.cutoff_us.max()), int(champion.quality["test_cutoff_us"])
        as_served = champion.quality["trained_at_us"] <= test_us
        rival = Predictor(champion if as_served else _evaluated(workspace, champion))
    except BundleError as error:
        return Incumbent(sentence=f"the champion cannot score and is not compared: {error.found}")
    if champion.fingerprint == plan.fingerprint:
        scores = panel.rows(panel.cutoff_us == test_us).apply(rival.probability)
    else:
        customers = panel.customer[panel.cutoff_us == test_us]
        scores = rival.probability(_values(workspace, snapshot, own, from_us(test_us), customers))
    if tested_us > test_us:
        shown, later = (workspace.show(from_us(moment)) for moment in (test_us, tested_us))
        blocker = f"{who} was tested at {later}, so it has learned from this run's test at {shown}"
        return Incumbent(checksum=champion.checksum, version=champion.version, scores=scores, blocker=blocker)
    which = "as it serves: all it was fitted on was known before this test"
    sentence = f"{who} is compared {which if as_served else 'by its version fitted before its own test'}"
    return Incumbent(checksum=champion.checksum, version=champion.version, scores=scores, sentence=sentence)


def _evaluated(workspace: Workspace, champion: Bundle) -> Bundle:
    folder = bundle_folder(workspace.home, champion.target.name, str(champion.version))
    record = json.loads(read_extra(folder / EVALUATED_FILE))
    return replace(
        champion,
        estimator=estimator_from_dict(record["estimator"]),
        calibrator=calibrator_from_dict(record["calibrator"]),
    )


def _values(
    workspace: Workspace, snapshot: Snapshot, plan: Plan, cutoff: datetime, customers: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The champion's own features, where they are others than the challenger's; customers are numbered alike."""
    seen = [cutoff + workspace.settle]
    table = concat(list(feature_tables(workspace, snapshot, plan, [cutoff], received_before=seen)))
    row = np.full(int(table.customer_ids.size), -1, dtype=np.int64)
    row[table.customer] = np.arange(len(table))
    return table.values[row[customers]]
